"""The grammar of ESEARCH (RFC 7377 §4)."""

from collections.abc import Mapping
from typing import Final

from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.parse_returns import parse_returns
from postroad.imap.wire.parse_search import parse_charset, parse_criteria, require_fuzzy
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.search_commands import MultiSearch
from postroad.imap.wire.search_sources import NAMING, SearchSource, SourceKind

# RFC 7377 §2.2: NOTIFY has one more.
_KINDS: Final = {kind.value: kind for kind in SourceKind if kind is not SourceKind.SELECTED_DELAYED}
_SELECTED: Final = (SearchSource(SourceKind.SELECTED),)


def parse_esearch(tag: bytes, reader: Reader) -> MultiSearch:
    """Read the arguments of ESEARCH.

    Raises:
        UnknownCharset: the grammar is right as far as the charset.
    """
    reader.space()
    sources = _sources(reader)
    asked = parse_returns(reader)
    returns = asked.names or frozenset({"ALL"})  # RFC 7377 §2.1
    only_selected = sources == _SELECTED
    if "SAVE" in returns and not only_selected:
        raise BadSyntax(b"SAVE is for the selected mailbox alone")  # RFC 7377 §2.2
    charset = parse_charset(reader, saving="SAVE" in returns)
    key = parse_criteria(reader, charset)
    require_fuzzy(key, returns)
    return MultiSearch(
        tag,
        key,
        uid=True,
        returns=returns,
        partial=asked.partial,
        update_items=asked.items,
        sources=sources,
    )


def _sources(reader: Reader) -> tuple[SearchSource, ...]:
    if reader.data[reader.at : reader.at + 4].upper() != b"IN (":
        return _SELECTED
    reader.at += 4
    sources = [read_source(reader, _KINDS)]
    while reader.skip(b" "):
        sources.append(read_source(reader, _KINDS))
    reader.expect(b")")
    reader.space()
    return tuple(sources)


def read_source(reader: Reader, kinds: Mapping[bytes, SourceKind]) -> SearchSource:
    """Read one way to say which mailboxes (RFC 5465 §8 filter-mailboxes, RFC 7377 §4)."""
    if reader.sees(b"("):
        raise BadSyntax(b"there are no scope options")
    kind = kinds.get(reader.word())
    if kind is None:
        raise BadSyntax(b"there is no such way to name mailboxes")
    return SearchSource(kind, _names(reader) if kind in NAMING else ())


def _names(reader: Reader) -> tuple[MailboxName, ...]:
    reader.space()
    if not reader.skip(b"("):
        return (reader.mailbox(),)
    names = [reader.mailbox()]
    while reader.skip(b" "):
        names.append(reader.mailbox())
    reader.expect(b")")
    return tuple(names)
