"""Fuzz the conversion to seven bits: what comes out says the same as what went in, or it is refused."""

import random
from typing import Final

from postroad.message.octets import Octets
from postroad.message.part import Part, parse_parts
from postroad.message.sevenbit import Inconvertible, seven_bit
from postroad.message.text import walk
from postroad.message.transfer import decoded_pieces
from tests.fuzz import fuzz_message
from tests.fuzz.harness import Target
from tests.unit.message.pieces import CORPUS_PATHS

EIGHT_BIT: Final = (b"\xc3\xbc", b"\xff", b"Gr\xc3\xbc\xc3\x9fe\r\n", b"\xd0\x94" * 60 + b"\r\n")


def contents(data: Octets) -> list[tuple[str, str, bytes]]:
    """What is in each part that has no others in it; the line end behind it means nothing."""
    return [
        (part.type, part.subtype, content(data, part))
        for part in walk(parse_parts(data))
        if not part.children
    ]


def content(data: Octets, part: Part) -> bytes:
    """The octets of a part, out of their encoding."""
    pieces = decoded_pieces(data, part.body_start, part.body_end, part.encoding)
    return b"".join(pieces).removesuffix(b"\r\n")


def check(data: bytes) -> None:
    """Convert one message, and compare."""
    try:
        converted = b"".join(seven_bit(data))
    except Inconvertible:
        return
    assert converted.isascii()
    assert contents(converted) == contents(data)
    assert b"".join(seven_bit(converted)) == converted, "it was done by half"


def make(chance: random.Random) -> bytes:
    """A message like any other, with octets that need it."""
    data = bytearray(fuzz_message.make(chance).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data) + 1)
        data[at:at] = chance.choice(EIGHT_BIT)
    return bytes(data)


TARGET: Final = Target(check, make, CORPUS_PATHS)
