"""RETURN (…) of SEARCH and SORT (RFC 4466 §2.6.1, RFC 4731, RFC 5182, RFC 5267, RFC 6203, RFC 9394)."""

from typing import Final, NamedTuple

from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.parse_fetch import read_fetch_list
from postroad.imap.wire.parse_partial import partial_range
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.reader import BadSyntax, Reader

_OPTIONS: Final = frozenset(
    {b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE", b"PARTIAL", b"CONTEXT", b"UPDATE", b"RELEVANCY"}
)


class Returns(NamedTuple):
    """What RETURN (…) says."""

    names: frozenset[str] | None = None
    """None where there is no RETURN; those of options with arguments too."""
    partial: PartialRange | None = None
    items: tuple[FetchItem, ...] = ()
    """The items of UPDATE (RFC 5465 §8 modifier-update)."""


def parse_returns(reader: Reader) -> Returns:
    """Read `RETURN (…) ` if it comes next."""
    if reader.data[reader.at : reader.at + 8].upper() != b"RETURN (":
        return Returns()
    reader.at += 8
    if reader.skip(b")"):
        reader.space()
        return Returns(frozenset({"ALL"}))  # RFC 4731 §3.1
    names: list[str] = []
    partial = None
    items: tuple[FetchItem, ...] = ()
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
        # RFC 5465 §8 has no space there, its example has one.
        if name == b"UPDATE" and (reader.skip(b" (") or reader.skip(b"(")):
            items = read_fetch_list(reader)
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    reader.space()
    if partial is not None and "ALL" in names:
        raise BadSyntax(b"either PARTIAL or ALL")  # RFC 9394 §3.1
    return Returns(frozenset(names), partial, items)
