"""Fuzz the log-in exchanges: lines of base64 to outcomes."""

import random
from base64 import b64encode
from typing import Final

from postroad.directory.credentials import MAX_LENGTH, prepared
from postroad.directory.errors import BadPassword
from postroad.sasl import base64
from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import FIELD_OCTETS, Challenge, Failed, Password
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"\0", b"ada@demo.test", b"demo", b"\xff", b"\xc3\xa9", "e\u0301".encode(), b"x" * 255),
    *(b"x" * 256, b""),
    *(b"\r\n", b"=", b"*", b"\x7f", "\u00ad".encode(), "\u2028".encode(), "ﬁ".encode()),
    "\u0340".encode(),
]
_STEPS: Final = 4


def check(data: bytes) -> None:
    """Hold one dialogue against everything that must hold for all; lines are parted by line feeds."""
    lines = data.split(b"\n")[:_STEPS]
    for line in lines:
        octets = base64.decode(line)
        assert octets is None or base64.encode(octets) == line
    for mechanism in ("PLAIN", "LOGIN"):
        _exchange(mechanism, [octets for line in lines if (octets := base64.decode(line)) is not None])


def _exchange(mechanism: str, responses: list[bytes]) -> None:
    exchange = start_exchange(mechanism)
    assert exchange is not None
    outcome = exchange.start(responses[0] if len(responses) % 2 else None)
    for response in responses[len(responses) % 2 :]:
        if not isinstance(outcome, Challenge):
            break
        outcome = exchange.respond(response)
    match outcome:
        case Password():
            assert repr(outcome) == repr(Password(outcome.login, "", outcome.authorization))
            assert 0 < len(outcome.login.encode()) <= FIELD_OCTETS
            assert 0 < len(outcome.secret.encode()) <= FIELD_OCTETS
            try:
                assert len(prepared(outcome.secret)) <= MAX_LENGTH
            except BadPassword:
                pass
        case Failed(reason):
            assert reason.isascii()
        case Challenge(words):
            assert words.isascii()


def make(chance: random.Random) -> bytes:
    """Make an input: responses that are nearly right."""
    lines = []
    for _ in range(chance.randrange(1, _STEPS)):
        octets = b"".join(chance.choices(PIECES, k=chance.randrange(6)))
        line = b64encode(octets)
        lines.append(line[: chance.randrange(len(line) + 1)] if chance.random() < 0.2 else line)
    return b"\n".join(lines)


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
