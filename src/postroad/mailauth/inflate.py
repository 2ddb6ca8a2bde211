"""Reports of strangers, inflated within bounds (SAFETY C14)."""

import zlib
from typing import Final

MOST: Final = 25 * 1024 * 1024
"""A report may have so many octets when it is inflated …"""
RATIO: Final = 100
"""… and so many times what came."""
LEAST: Final = 64 * 1024
"""A small one may be inflated to this in any case."""

MAGIC: Final = b"\x1f\x8b"
"""What is compressed with gzip begins with these (RFC 1952 §2.3.1)."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_MEMBERS: Final = 20
_STEP: Final = 1024 * 1024
"""Octets inflated at a time: what is too much is in memory once, and not twice."""


class BadReport(Exception):
    """It is no report; the text says why."""


def most_of(octets: int) -> int:
    """To how many octets so many may be inflated."""
    return min(MOST, max(LEAST, RATIO * octets))


def gunzip(octets: bytes) -> bytes:
    """Inflate what was compressed with gzip, in one member or several (RFC 1952 §2.2).

    What stands behind them and is none, such as padding, does not count.

    Raises:
        BadReport: it was not, or it is too much.
    """
    most, plain, rest = most_of(len(octets)), bytearray(), octets
    for _ in range(_MEMBERS):
        unpacker = zlib.decompressobj(_GZIP)
        try:
            # Of what was taken in whole something may be to come out still.
            while piece := unpacker.decompress(rest, min(_STEP, most - len(plain) + 1)):
                plain += piece
                rest = unpacker.unconsumed_tail
                if len(plain) > most:
                    break
        except zlib.error as error:
            raise BadReport(f"it is not compressed with gzip: {error}") from None
        if len(plain) > most:
            raise BadReport(f"it inflates to more than {most} octets")
        if not unpacker.eof:
            raise BadReport("it is cut off")
        rest = unpacker.unused_data
        if not rest.startswith(MAGIC):
            return bytes(plain)
    raise BadReport(f"it has more than {_MEMBERS} members")


def gzip(octets: bytes) -> bytes:
    """Compress; the same octets give the same result."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return packer.compress(octets) + packer.flush()
