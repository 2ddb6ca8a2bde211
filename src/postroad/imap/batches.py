"""Rows of a mailbox in batches that are worth formatting together."""

from collections.abc import Iterator

from postroad.imap.uid_set import Pairs
from postroad.store.account import Account
from postroad.store.types import Entry


def batches(account: Account, mailbox_id: int, pairs: Pairs, step: int = 1000) -> Iterator[list[Entry]]:
    """Yield the rows of `pairs` by UID, about `step` at a time, however many pairs there are."""
    held: list[Entry] = []
    for rows in account.entries_in_steps(mailbox_id, pairs, step):
        if not held and len(rows) >= step:
            yield rows
            continue
        held += rows
        if len(held) >= step:
            yield held
            held = []
    if held:
        yield held
