"""The grammar of NOTIFY (RFC 5465 §8, with erratum 1804: events stand in parentheses)."""

from typing import Final

from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.notification import (
    MESSAGE_EVENTS,
    SELECTED_KINDS,
    EventGroup,
    Notify,
    NotifyEvent,
)
from postroad.imap.wire.parse_fetch import read_fetch_list
from postroad.imap.wire.parse_multisearch import read_source
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.search_sources import SourceKind

_EVENTS: Final = {event.value.upper(): event for event in NotifyEvent}
_KINDS: Final = {kind.value: kind for kind in SourceKind}
_NEW_AND_GONE: Final = frozenset({NotifyEvent.MESSAGE_NEW, NotifyEvent.MESSAGE_EXPUNGE})


def parse_notify(tag: bytes, reader: Reader) -> Notify:
    """Read the arguments of NOTIFY."""
    reader.space()
    word = reader.word()
    if word == b"NONE":
        reader.end()
        return Notify(tag)
    if word != b"SET":
        raise BadSyntax(b"expected SET or NONE")
    reader.space()
    status = not reader.sees(b"(")
    if status:
        if reader.word() != b"STATUS":
            raise BadSyntax(b"expected STATUS or what is to be told")
        reader.space()
    groups = [_group(reader)]
    while reader.skip(b" "):
        groups.append(_group(reader))
    reader.end()
    if sum(group.source.kind in SELECTED_KINDS for group in groups) > 1:
        raise BadSyntax(b"SELECTED or SELECTED-DELAYED comes once")  # RFC 5465 §6.1
    return Notify(tag, tuple(groups), status)


def _group(reader: Reader) -> EventGroup:
    reader.expect(b"(")
    source = read_source(reader, _KINDS)
    reader.space()
    if reader.sees(b"("):
        events, items, unknown = _events(reader)
    elif reader.word() == b"NONE":
        events, items, unknown = frozenset(), (), False
    else:
        raise BadSyntax(b"expected NONE or a list of events")
    reader.expect(b")")
    selected = source.kind in SELECTED_KINDS
    if selected and not events <= MESSAGE_EVENTS:
        raise BadSyntax(b"of the selected mailbox only message events are told")  # RFC 5465 §6.1
    if items and not selected:
        raise BadSyntax(b"items are told of the selected mailbox alone")  # RFC 5465 §8
    # RFC 5465 §5: who follows flags has to know which messages there are, and which are gone.
    if events & MESSAGE_EVENTS and not events >= _NEW_AND_GONE:
        raise BadSyntax(b"MessageNew and MessageExpunge belong together, and to the others")
    return EventGroup(source, events, items, unknown)


def _events(reader: Reader) -> tuple[frozenset[NotifyEvent], tuple[FetchItem, ...], bool]:
    reader.expect(b"(")
    events: set[NotifyEvent] = set()
    items: tuple[FetchItem, ...] = ()
    unknown = False
    while True:
        event = _EVENTS.get(reader.word())
        if event is None:
            unknown = True
        else:
            events.add(event)
        if event is NotifyEvent.MESSAGE_NEW and reader.skip(b" ("):
            items = read_fetch_list(reader)
        if not reader.skip(b" "):
            break
    reader.expect(b")")
    return frozenset(events), items, unknown
