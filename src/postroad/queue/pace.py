"""How much a destination bears at a time: little at first, more with each delivery, half when it complains.

What counts are codes, never texts: 421 and 450, and the enhanced codes for a
system that is busy or congested. A 421 also earns the destination a rest.
"""

from collections.abc import Iterable
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from postroad.config.settings import Queue
from postroad.db.transaction import Reader, Transaction
from postroad.smtp.outcome import Outcome, Verdict

WIDTH_FIRST: Final = 5
"""Pieces of work at a time for a destination of which nothing is known."""
REST_FIRST: Final = 30.0
"""Seconds; doubles with each further 421 until something is delivered, up to the longest."""
REST_LONGEST: Final = 900.0
TOGETHER: Final = 5.0
"""Complaints within so many seconds are one: they came over connections that were open already."""
FORGOTTEN: Final = 86400.0
"""What was not touched for so long is forgotten: the other side may have changed."""

_BUSY: Final = frozenset({"4.3.2", "4.4.5"})  # RFC 3463 §3.4, §3.5


class Signal(Enum):
    """What an attempt says of the pace."""

    NOTHING = auto()
    MORE = auto()
    LESS = auto()
    REST = auto()


class Pace(Struct, frozen=True):
    """What is known of a destination."""

    width: int = WIDTH_FIRST
    rests: int = 0
    rest_until: float = 0.0
    slowed: float = 0.0


NEW: Final = Pace()


def heard(outcomes: Iterable[Outcome]) -> Signal:
    """What the outcomes of one piece of work say; the gravest counts."""
    signal = Signal.NOTHING
    for outcome in outcomes:
        if outcome.verdict is Verdict.DELIVERED:
            signal = Signal.MORE if signal is Signal.NOTHING else signal
        elif outcome.spoken and (outcome.code == 421 or outcome.enhanced in _BUSY):
            return Signal.REST
        elif outcome.spoken and outcome.code == 450:
            signal = Signal.LESS
    return signal


def pace_of(reader: Reader, destination: str) -> Pace:
    """The pace that holds."""
    row = reader.row(
        "SELECT width, rests, rest_until, slowed FROM queue_pace WHERE destination = ?", destination
    )
    return NEW if row is None else Pace(*row)


def learn(tx: Transaction, destination: str, signals: Iterable[Signal], settings: Queue) -> Pace | None:
    """Write down what attempts have taught, nothing where nothing is new.

    Gives the pace that holds now; None where it was not looked up.
    """
    told = [signal for signal in signals if signal is not Signal.NOTHING]
    if not told:
        return None
    before = after = pace_of(tx, destination)
    for signal in told:
        after = _after(after, signal, settings.per_destination, tx.now)
    if after != before:
        tx.run(
            "INSERT OR REPLACE INTO queue_pace (destination, width, rests, rest_until, slowed, changed)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(destination, after.width, after.rests, after.rest_until, after.slowed, tx.now),
        )
    return after


def _after(pace: Pace, signal: Signal, most: int, now: float) -> Pace:
    if signal is Signal.MORE:
        # Those that were under way when it complained say nothing of the time after it.
        if now < pace.rest_until:
            return pace
        return Pace(max(pace.width, min(pace.width + 1, most)), 0, 0.0, pace.slowed)
    if 0.0 <= now - pace.slowed < TOGETHER:
        return pace
    width = max(1, min(pace.width, most) // 2)
    if signal is Signal.LESS:
        return Pace(width, pace.rests, pace.rest_until, now)
    rest = min(REST_FIRST * 2.0 ** min(pace.rests, 30), REST_LONGEST)
    return Pace(width, pace.rests + 1, now + rest, now)


def end_rest(tx: Transaction, destination: str) -> None:
    """Begin again at once: a person wants it."""
    tx.run("UPDATE queue_pace SET rest_until = 0 WHERE destination = ? AND rest_until > 0", destination)


def forget_old(tx: Transaction) -> None:
    """Drop what was learned long ago."""
    tx.run("DELETE FROM queue_pace WHERE changed < ?", tx.now - FORGOTTEN)
