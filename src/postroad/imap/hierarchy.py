"""The mailboxes of an account as a tree, with the levels that are no mailboxes (RFC 3501 §6.3.8)."""

from collections.abc import Iterable
from dataclasses import dataclass

from postroad.imap.pattern import SEPARATOR
from postroad.store.types import Mailbox


@dataclass(frozen=True, slots=True)
class Node:
    """One name of the hierarchy."""

    name: str
    mailbox: Mailbox | None
    """None: a level above mailboxes, or a subscription whose mailbox is gone."""
    has_children: bool
    subscribed: bool
    subscribed_below: bool
    """Some name below it is subscribed."""


def parents(name: str) -> Iterable[str]:
    """The names above a name, the lowest first."""
    at = name.rfind(SEPARATOR)
    while at > 0:
        yield name[:at]
        at = name.rfind(SEPARATOR, 0, at)


def nodes(mailboxes: Iterable[Mailbox], subscriptions: Iterable[str]) -> list[Node]:
    """Return every name there is, INBOX first, then in order."""
    by_name = {mailbox.name: mailbox for mailbox in mailboxes}
    subscribed = set(subscriptions)
    with_children = {parent for name in by_name for parent in parents(name)}
    above_subscribed = {parent for name in subscribed for parent in parents(name)}
    names = by_name.keys() | with_children | subscribed
    return [
        Node(name, by_name.get(name), name in with_children, name in subscribed, name in above_subscribed)
        for name in sorted(names, key=_order)
    ]


def _order(name: str) -> tuple[bool, list[str]]:
    levels = name.split(SEPARATOR)
    # A level is sorted before what is below it, whatever else its name begins with.
    return levels[0] != "INBOX", levels
