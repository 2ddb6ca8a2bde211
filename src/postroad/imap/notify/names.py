"""What has become of the names of mailboxes, told as LIST (RFC 5465 §5.4, §5.5)."""

from collections.abc import Callable
from typing import NamedTuple

from postroad.imap.hierarchy import Node, nodes, parents
from postroad.imap.name_attributes import attributes
from postroad.imap.notify.watched import Watched
from postroad.imap.pattern import SEPARATOR
from postroad.imap.wire.notification import NotifyEvent
from postroad.imap.wire.responses import list_entry
from postroad.store.account import Account


class Names(NamedTuple):
    """The names of an account at one moment."""

    by_id: dict[int, str]
    subscribed: set[str]


def name_lines(
    account: Account,
    user: Account,
    watched: Watched,
    before: Names,
    after: Names,
    octets: Callable[[str], bytes],
) -> list[bytes]:
    """Return LIST, without `* `, for each name that is to be told; `octets` is `Enabled.octets`.

    `user` is the account of who hears it, whose subscriptions count.
    """
    subscribed = before.subscribed | after.subscribed

    def wants(event: NotifyEvent, *names: str) -> bool:
        return any(event in watched.events(name, subscribed) for name in names)

    told = _affected(before, after, wants)
    for name in sorted(before.subscribed ^ after.subscribed):
        if wants(NotifyEvent.SUBSCRIPTION_CHANGE, name):
            told.setdefault(name, "")
    if not told:
        return []
    there = {node.name: node for node in nodes(account.mailboxes(), user.subscriptions())}
    lines = []
    for name, old_name in told.items():
        node = there.get(name) or Node(name, None, False, False, False)
        readable = node.mailbox is not None and "r" in account.rights(node.mailbox.id)
        said = attributes(node, extended=True, subscribed=True, readable=readable)
        if node.mailbox is None and account.is_withdrawn(name):
            said = [b"\\NoAccess"]  # §5.9
        lines.append(list_entry(octets(name), said, old_name=octets(old_name)))
    return lines


def _affected(before: Names, after: Names, wants: Callable[..., bool]) -> dict[str, str]:
    """Names that the event is about, with the old one where there is one; renamed ones first."""
    told: dict[str, str] = {}
    both = before.by_id.keys() & after.by_id.keys()
    renamed = {before.by_id[key]: after.by_id[key] for key in both if before.by_id[key] != after.by_id[key]}
    for old, new in sorted(renamed.items()):
        # What is below is renamed along, and nothing more is said of it (§5.4).
        along = any(renamed.get(above, old) + old[len(above) :] == new for above in parents(old))
        if not along and wants(NotifyEvent.MAILBOX_NAME, old, new):
            told[new] = old
    gone = [before.by_id[key] for key in before.by_id.keys() - both]
    made = [after.by_id[key] for key in after.by_id.keys() - both]
    for name in sorted({*gone, *made}):
        # §5.4: the one above is affected as well, whether there is such a mailbox or not.
        for one in (name, name.rpartition(SEPARATOR)[0]):
            if one and wants(NotifyEvent.MAILBOX_NAME, one):
                told.setdefault(one, "")
    return told
