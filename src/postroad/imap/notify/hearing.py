"""What a client hears of the mailbox that it has selected (RFC 5465 §3.1, §6.1)."""

from dataclasses import dataclass
from typing import Final

from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.notification import EventGroup, NotifyEvent
from postroad.imap.wire.search_sources import SourceKind


@dataclass(frozen=True, slots=True)
class Hearing:
    """Which of the things that happen there are told, and when."""

    messages: bool = True
    """Which messages come and go; otherwise the mailbox changes by what the client does alone."""
    flags: bool = True
    """Whose flags change."""
    annotations: bool | None = None
    """Which annotations others change; None: as the ANNOTATE parameter of SELECT says (RFC 5257 §4.2)."""
    unasked: bool = False
    """Between commands too."""
    expunges_unasked: bool = False
    """Expunges as well, for a client that gives no message numbers (SELECTED, §6.1.1)."""
    items: tuple[FetchItem, ...] = ()
    """What is sent of each new message (§5.2)."""


BY_DEFAULT: Final = Hearing()
"""Before the first NOTIFY (§3.1)."""
NOTHING: Final = Hearing(messages=False, flags=False, annotations=False)


def hearing_of(groups: tuple[EventGroup, ...]) -> Hearing:
    """Return what NOTIFY SET asks to be told of the selected mailbox; not to name it means nothing (§3.1)."""
    for group in groups:
        kind = group.source.kind
        if kind in (SourceKind.SELECTED, SourceKind.SELECTED_DELAYED) and group.events:
            return Hearing(
                flags=NotifyEvent.FLAG_CHANGE in group.events,
                annotations=NotifyEvent.ANNOTATION_CHANGE in group.events,
                unasked=True,
                expunges_unasked=kind is SourceKind.SELECTED,
                items=group.items,
            )
    return NOTHING
