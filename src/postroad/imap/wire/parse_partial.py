"""The range of PARTIAL, in SEARCH, SORT and FETCH (RFC 9394 §4)."""

from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.sequence_set import MAX_NUMBER


def partial_range(reader: Reader) -> PartialRange:
    """Read `1:100` or `-1:-100` (RFC 9394 §4 partial-range); 500:400 is told as 400:500, which it is."""
    first = _end(reader)
    reader.expect(b":")
    last = _end(reader)
    if (first < 0) != (last < 0):
        raise BadSyntax(b"a range counts from one end")
    return PartialRange(*sorted((first, last), key=abs))


def _end(reader: Reader) -> int:
    sign = -1 if reader.skip(b"-") else 1
    return sign * reader.number(MAX_NUMBER, 1)
