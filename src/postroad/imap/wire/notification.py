"""What a client asks to be told of unasked: the values of NOTIFY (RFC 5465 §5, §6)."""

from enum import Enum
from typing import Final, NamedTuple

from postroad.imap.wire.command import Command
from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.search_sources import SearchSource, SourceKind


class NotifyEvent(Enum):
    """What may happen; the value is how it is written (§8 event-name)."""

    MESSAGE_NEW = b"MessageNew"
    MESSAGE_EXPUNGE = b"MessageExpunge"
    FLAG_CHANGE = b"FlagChange"
    ANNOTATION_CHANGE = b"AnnotationChange"
    MAILBOX_NAME = b"MailboxName"
    SUBSCRIPTION_CHANGE = b"SubscriptionChange"
    MAILBOX_METADATA_CHANGE = b"MailboxMetadataChange"
    SERVER_METADATA_CHANGE = b"ServerMetadataChange"


MESSAGE_EVENTS: Final = frozenset(
    {
        NotifyEvent.MESSAGE_NEW,
        NotifyEvent.MESSAGE_EXPUNGE,
        NotifyEvent.FLAG_CHANGE,
        NotifyEvent.ANNOTATION_CHANGE,
    }
)
SELECTED_KINDS: Final = frozenset({SourceKind.SELECTED, SourceKind.SELECTED_DELAYED})


class EventGroup(NamedTuple):
    """Some mailboxes and what is to be told of them (§8 event-group)."""

    source: SearchSource
    events: frozenset[NotifyEvent] = frozenset()
    """Empty for NONE."""
    items: tuple[FetchItem, ...] = ()
    """What is sent of each new message (§5.2)."""
    unknown: bool = False
    """It names events that nobody here has heard of."""


class Notify(Command, frozen=True):
    """NOTIFY; without groups it is NOTIFY NONE."""

    groups: tuple[EventGroup, ...] = ()
    status: bool = False
    """STATUS of the mailboxes is wanted at once (§3.1)."""
