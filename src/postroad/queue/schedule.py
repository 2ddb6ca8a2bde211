"""When a message is tried again, when its sender is told, when it is given up (RFC 5321 §4.5.4.1).

Pure: times and chance are arguments.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from postroad.config.settings import Queue

JITTER: Final = 0.15
"""Part of a wait by which it varies, so that what failed together does not come back together."""


class Step(Enum):
    """What follows a deferral."""

    RETRY = auto()
    RETRY_AND_TELL = auto()
    """The sender gets a delay notice, once."""
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next, and when; `due` means nothing after GIVE_UP."""

    step: Step
    due: float


def after_deferral(
    settings: Queue,
    *,
    now: float,
    attempts: int,
    ends: float,
    tells: float,
    told_delay: bool,
    may_tell: bool,
    chance: float,
) -> Next:
    """Decide after the `attempts`-th attempt failed for now.

    Waits double up to a longest one. An attempt falls on the end of a
    message's life, `ends`, and one on the moment when its sender would be told
    that it is late, `tells`, so that nobody hears of a delay that has just ended.
    `may_tell` is False for the null sender and for who wants no notices;
    `chance` is from 0 to 1.
    """
    if now >= ends:
        return Next(Step.GIVE_UP, now)
    wait = min(settings.retry_first * 2.0 ** min(attempts - 1, 60), settings.retry_max)
    due = min(now + wait * (1 - JITTER + 2 * JITTER * chance), ends)
    if not may_tell or told_delay:
        return Next(Step.RETRY, due)
    if now >= tells:
        return Next(Step.RETRY_AND_TELL, due)
    return Next(Step.RETRY, min(due, tells))
