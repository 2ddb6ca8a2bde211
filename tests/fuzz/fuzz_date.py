"""Fuzz the dates of mail and of IMAP."""

import random
from typing import Final

from postroad.message.date import format_date, format_internaldate, parse_date, parse_internaldate
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"Tue, ", b"Tue ", b"1 ", b"31 ", b"29 ", b"Feb ", b"Jul ", b"July ", b"2003 ", b"1900 ", b"03 "),
    b"103 ",
    *(b"10:52:37 ", b"23:59:60 ", b"24:00 ", b"10.52 ", b"+0200", b"-2359", b"+9999", b"GMT", b"EST"),
    b"UTC+0100",
    *(b"2003-07-01T10:52:37.123Z", b"0001-01-01", b"9999-12-31", b" 1-Jul-2003 10:52:37 +0200"),
    b"01-Jul-0001",
    *(b"(", b")", b"((CEST))", b" ", b"\t", b"\r\n ", b",", b"-", b":", b"0", b"9" * 30, b"\0"),
    *(b"\xff", b"\xd9\xa1"),
    *(b" " * 500, b"A" * 500, b"-." * 300),
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    moment = parse_date(data)
    if moment is not None:
        again = parse_date(format_date(moment).encode())
        assert again is not None
        assert again == moment.replace(microsecond=0)
        assert moment.second < 60
    seconds = parse_internaldate(data)
    if seconds is not None:
        written = format_internaldate(seconds)
        assert len(written) == 26
        # Beyond the years that can be written there is the beginning of time.
        assert parse_internaldate(written) in (seconds, 0)


def make(chance: random.Random) -> bytes:
    """Make an input: pieces of dates strung together."""
    if chance.random() < 0.3:
        return b"Tue, 1 Jul 2003 10:52:37 +0200"[: chance.randrange(31)] + chance.choice(PIECES)
    return b"".join(chance.choices(PIECES, k=chance.randrange(12)))


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
