"""Fuzz our half as a client: what servers reply, and what leaves us as a message.

The first octet of an input says where the network cuts.
"""

import random
from typing import Final

from postroad.smtp.wire.client import LINE_OCTETS, LINES, DataEncoder, Garbage, ReplyReader, parse_extensions
from postroad.smtp.wire.data import DotReader, Inspector
from postroad.smtp.wire.replies import Reply
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"220 mx.test ESMTP\r\n", b"250-mx.test\r\n", b"250-PIPELINING\r\n", b"250 SIZE 1000\r\n"),
    b"250 2.1.0 ok\r\n",
    *(b"250-2.0.0 a\r\n", b"550 5.1.1 no\r\n", b"550-5.1.1 no\r\n", b"421 bye\r\n", b"354 go\r\n"),
    *(b"250\r\n", b"250-\r\n"),
    *(b"999 x\r\n", b"25", b"0", b"-", b" ", b"\r", b"\n", b"\r\n", b".\r\n", b"\r\n.\r\n", b".."),
    *(b"\n.\n", b"\r.\r"),
    *(b"\0", b"\xff", b"\xc3\xa4", b"x" * 900, b"y" * 5000, b"250-x\r\n" * 130, b"* OK\r\n"),
    b"HTTP/1.1 200 OK\r\n",
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    if not data:
        return
    cut, octets = data[0] + 1, data[1:]
    pieces = [octets[at : at + cut] for at in range(0, len(octets), cut)]
    assert _replies([octets]) == _replies(pieces)
    _check_encoder(octets, pieces)


def _replies(pieces: list[bytes]) -> list[Reply | Garbage]:
    reader = ReplyReader()
    found: list[Reply | Garbage] = []
    for piece in pieces:
        reader.receive(piece)
        while not (found and isinstance(found[-1], Garbage)) and (reply := reader.next_reply()) is not None:
            found.append(reply)
            if isinstance(reply, Reply):
                assert 200 <= reply.code <= 599
                assert len(reply.text) <= LINES * LINE_OCTETS
                assert all(c not in reply.text for c in "\r\0") or "\0" in reply.text
                parse_extensions(reply)
    return found


def _check_encoder(octets: bytes, pieces: list[bytes]) -> None:
    encoder = DataEncoder()
    wire = b"".join([encoder.encode(piece) for piece in pieces]) + encoder.finish()
    whole = DataEncoder()
    assert wire == whole.encode(octets) + whole.finish()
    # No bare CR or LF leaves, and the only end is at the end.
    assert wire.count(b"\r\n") == wire.count(b"\r") == wire.count(b"\n")
    inbox = bytearray()
    reader = DotReader(inbox)
    inbox += wire
    message = b""
    while piece := reader.read(inbox):
        message += piece
    assert reader.ended
    assert not inbox
    judge = Inspector(1 << 30, 1 << 30)
    assert judge.look(message) or b"\0" in octets
    if octets.endswith(b"\r\n") and octets.count(b"\r\n") == octets.count(b"\r") == octets.count(b"\n"):
        assert message == octets


def make(chance: random.Random) -> bytes:
    """Make an input: replies with damage, or lines of a message."""
    return chance.randbytes(1) + b"".join(chance.choices(PIECES, k=chance.randrange(25)))


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
