"""What has happened in mailboxes that are not selected, told as STATUS (RFC 5465 §5.1 to §5.3)."""

from collections.abc import Collection
from typing import Final

from postroad.imap.notify.overview import State
from postroad.imap.wire.notification import NotifyEvent
from postroad.imap.wire.responses import status
from postroad.imap.wire.status_item import StatusItem

_CHANGES: Final = frozenset({NotifyEvent.FLAG_CHANGE, NotifyEvent.ANNOTATION_CHANGE})
"""Of messages that are there. From outside the one looks like the other: a mod-sequence goes up (§5.1)."""
_NEVER_SEEN: Final = State(0, 0, 1, 0, 0, 0)


def initial_status(name: bytes, state: State, events: Collection[NotifyEvent]) -> bytes | None:
    """Return STATUS as NOTIFY SET STATUS promises it (§3.1); None where no message event is wanted."""
    if NotifyEvent.MESSAGE_NEW not in events:
        return None
    values = {
        StatusItem.MESSAGES: state.messages,
        StatusItem.UIDNEXT: state.uidnext,
        StatusItem.UIDVALIDITY: state.uidvalidity,
    }
    if not _CHANGES.isdisjoint(events):
        values[StatusItem.HIGHESTMODSEQ] = max(state.modseq, 1)
    return status(name, values)


def change_status(
    name: bytes, before: State | None, after: State, events: Collection[NotifyEvent], *, condstore: bool
) -> bytes | None:
    """Return STATUS for what has changed; None where nothing has that the client wants to hear of.

    `condstore` is whether the client has enabled it: without it a change of flags is told
    where it changes how many messages are unseen (§5.1).
    """
    if NotifyEvent.MESSAGE_NEW not in events or before == after:
        return None
    old = before or _NEVER_SEEN
    values: dict[StatusItem, int] = {}
    if (old.messages, old.uidnext) != (after.messages, after.uidnext):
        values[StatusItem.MESSAGES] = after.messages
        values[StatusItem.UIDNEXT] = after.uidnext
    changes = not _CHANGES.isdisjoint(events)
    if NotifyEvent.FLAG_CHANGE in events and old.unseen != after.unseen:
        values[StatusItem.UNSEEN] = after.unseen
    renewed = old.uidvalidity != after.uidvalidity and before is not None
    if not values and not renewed and not (changes and condstore and before is not None):
        return None
    if changes or renewed or before is None:
        values[StatusItem.UIDVALIDITY] = after.uidvalidity
    if condstore:
        values[StatusItem.HIGHESTMODSEQ] = max(after.modseq, 1)
    return status(name, values)
