"""Fuzz the IMAP core: framing, grammar, limits.

A finding is an exception, an answer that depends on how the network cut the
stream, or memory beyond the limits.
"""

import random
from typing import Final

from postroad.imap.wire.table import RULES, State
from tests.fuzz.harness import Target
from tests.properties.imap_dialogue import MOST_KEPT, SCRAPS, SMALL, Dialogue, check_said

_STATES = tuple(State)
_WORDS = (*(b"a " + name + b" " for name in RULES), *SCRAPS)


def check(data: bytes) -> None:
    """Hold one dialogue against everything that must hold for all; the first octet picks the state."""
    state = _STATES[data[0] % len(_STATES)] if data else State.SELECTED
    stream = data[1:]
    whole, halves = Dialogue(state, SMALL), Dialogue(state, SMALL)
    whole.hear([stream])
    middle = len(stream) // 2
    halves.hear([stream[:middle], stream[middle : middle + 1], stream[middle + 1 :]])
    assert whole.events == halves.events
    assert whole.said == halves.said
    assert whole.core.buffered() <= MOST_KEPT
    check_said(whole.said)
    repr(whole.events)


def make(chance: random.Random) -> bytes:
    """Make a dialogue: words of the protocol strung together, with damage."""
    data = chance.randbytes(1) + b"".join(chance.choices(_WORDS, k=chance.randrange(30)))
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(chance.randrange(3)) + data[at + chance.randrange(3) :]
    return data


TARGET: Final = Target(check, make)
