"""RETURN (…) of SEARCH and SORT (RFC 4466 §2.6.1, RFC 4731, RFC 5182, RFC 5267, RFC 6203, RFC 9394)."""

from typing import Final

from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.sequence_set import MAX_NUMBER

_OPTIONS: Final = frozenset(
    {b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE", b"PARTIAL", b"CONTEXT", b"UPDATE", b"RELEVANCY"}
)


def parse_returns(reader: Reader) -> tuple[frozenset[str] | None, PartialRange | None]:
    """Read `RETURN (…) ` if it comes next; None where it does not.

    PARTIAL is both among the names and, with its range, apart.
    """
    if reader.data[reader.at : reader.at + 8].upper() != b"RETURN (":
        return None, None
    reader.at += 8
    if reader.skip(b")"):
        reader.space()
        return frozenset({"ALL"}), None  # RFC 4731 §3.1
    names: list[str] = []
    partial = None
    while True:
        name = reader.word()
        if name not in _OPTIONS:
            raise BadSyntax(b"there is no such RETURN option")
        if name == b"SAVE":
            reader.require(Extension.SEARCHRES)
        names.append(name.decode("ascii"))
        if name == b"PARTIAL":
            reader.space()
            if partial is not None:
                raise BadSyntax(b"PARTIAL comes once")
            partial = partial_range(reader)
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    reader.space()
    if partial is not None and "ALL" in names:
        raise BadSyntax(b"either PARTIAL or ALL")  # RFC 9394 §3.1
    return frozenset(names), partial


def partial_range(reader: Reader) -> PartialRange:
    """Read `1:100` or `-1:-100` (RFC 9394 §4 partial-range)."""
    first = _end(reader)
    reader.expect(b":")
    last = _end(reader)
    if (first < 0) != (last < 0):
        raise BadSyntax(b"a range counts from one end")
    return PartialRange(first, last)


def _end(reader: Reader) -> int:
    sign = -1 if reader.skip(b"-") else 1
    return sign * reader.number(MAX_NUMBER, 1)
