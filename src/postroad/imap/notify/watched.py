"""Which mailboxes a client watches, and for what (RFC 5465 §6)."""

from collections.abc import Collection
from typing import Final

from postroad.imap.pattern import SEPARATOR
from postroad.imap.wire.notification import SELECTED_KINDS, EventGroup, NotifyEvent
from postroad.imap.wire.search_sources import SearchSource, SourceKind
from postroad.store.namespaces import is_foreign

SUPPORTED: Final = (
    NotifyEvent.MESSAGE_NEW,
    NotifyEvent.MESSAGE_EXPUNGE,
    NotifyEvent.FLAG_CHANGE,
    NotifyEvent.ANNOTATION_CHANGE,
    NotifyEvent.MAILBOX_NAME,
    NotifyEvent.SUBSCRIPTION_CHANGE,
    NotifyEvent.MAILBOX_METADATA_CHANGE,
    NotifyEvent.SERVER_METADATA_CHANGE,
)
"""What BADEVENT names."""
ABROAD: Final = SELECTED_KINDS | {SourceKind.PERSONAL, SourceKind.INBOXES}
"""What is not about mailboxes of others: personal ones are the user's own (§6.2, RFC 2342)."""
_METADATA: Final = frozenset({NotifyEvent.MAILBOX_METADATA_CHANGE, NotifyEvent.SERVER_METADATA_CHANGE})


class Watched:
    """The event groups of a NOTIFY that are not about the selected mailbox."""

    __slots__ = ("_groups",)

    def __init__(self, groups: tuple[EventGroup, ...], passed_over: frozenset[SourceKind]) -> None:
        """Without the groups of certain kinds."""
        self._groups = tuple(
            [
                (group.source.kind, _names(group.source), group.events)
                for group in groups
                if group.source.kind not in passed_over
            ]
        )

    def __bool__(self) -> bool:
        return any(events for _, _, events in self._groups)

    @property
    def names_others(self) -> bool:
        """Whether a mailbox of somebody else may be meant."""
        return any(
            events and (kind is SourceKind.SUBSCRIBED or any(map(is_foreign, names)))
            for kind, names, events in self._groups
        )

    @property
    def metadata_somewhere(self) -> bool:
        """Whether annotations are watched, of whatever."""
        return any(events & _METADATA for _, _, events in self._groups)

    def metadata(self, name: str, subscribed: Collection[str]) -> bool:
        """Whether annotations of a name are watched, or the server's where it is empty (§5.6, §5.7)."""
        if not name:
            return any(NotifyEvent.SERVER_METADATA_CHANGE in events for _, _, events in self._groups)
        return NotifyEvent.MAILBOX_METADATA_CHANGE in self.events(name, subscribed)

    def events(self, name: str, subscribed: Collection[str]) -> frozenset[NotifyEvent]:
        """Return what is told of a name.

        Groups add to one another (§6), and NONE takes back what the groups
        before it have given: for mailboxes that are left out of a wider group.
        """
        told = frozenset[NotifyEvent]()
        for kind, names, events in self._groups:
            if _matches(kind, names, name, subscribed):
                told = told | events if events else frozenset()
        return told


def _names(source: SearchSource) -> frozenset[str]:
    # A name that cannot be is one that is not there, and is passed over (§3.1).
    return frozenset(named.name for named in source.names if named.valid)


def _matches(kind: SourceKind, names: frozenset[str], name: str, subscribed: Collection[str]) -> bool:
    match kind:
        case SourceKind.SUBSCRIBED:
            return name in subscribed
        case SourceKind.MAILBOXES:
            return name in names
        case SourceKind.SUBTREE:
            levels = name.split(SEPARATOR)
            return any(SEPARATOR.join(levels[:depth]) in names for depth in range(1, len(levels) + 1))
        case SourceKind.SUBTREE_ONE:
            return name in names or name.rpartition(SEPARATOR)[0] in names
        case _:
            # Where mail may be filed is for rules to say, so inboxes are all (§6.3).
            return True
