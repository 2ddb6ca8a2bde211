"""SETQUOTA as a value, and its grammar (RFC 9208 §4.1.3, §7)."""

from postroad.imap.wire.command import Command
from postroad.imap.wire.reader import MAX_MODSEQ, Reader


class SetQuota(Command, frozen=True):
    """SETQUOTA."""

    root: str
    limits: tuple[tuple[bytes, int], ...]
    """Names of resources in upper case, and their limits; those not named have none any more."""


def parse_setquota(tag: bytes, reader: Reader) -> SetQuota:
    """Read the arguments of SETQUOTA."""
    reader.space()
    root = reader.astring().decode("utf-8", "replace")
    reader.expect(b" (")
    limits: list[tuple[bytes, int]] = []
    while not reader.skip(b")"):
        if limits:
            reader.space()
        name = reader.word()
        reader.space()
        limits.append((name, reader.number(MAX_MODSEQ)))
    reader.end()
    return SetQuota(tag, root, tuple(limits))
