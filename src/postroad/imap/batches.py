"""Entries of the selected mailbox in batches that are worth handling together."""

from collections.abc import Awaitable, Iterator

from postroad.imap.selected import Selected
from postroad.imap.uid_set import Pairs
from postroad.store.account import Account
from postroad.store.listing import Batch
from postroad.store.parts import parts
from postroad.store.types import Ranges


def batches(
    account: Account, selected: Selected, pairs: Pairs, step: int = 1000, *, downwards: bool = False
) -> Iterator[Awaitable[Batch]]:
    """Yield what is still there of `pairs`, at most `step` messages at a time, however many pairs there are.

    With `downwards` the batch with the highest UIDs comes first.

    Each batch is as of the moment at which it is awaited; await it before the next.
    (An asynchronous generator would cost a small FETCH a tenth.)

    Raises:
        NoSuchMailbox: it has been deleted meanwhile.
    """
    cut = parts(selected.uids, pairs, step)
    for part in reversed(list(cut)) if downwards else cut:
        yield batch_of(account, selected, part)


async def batch_of(account: Account, selected: Selected, part: Ranges) -> Batch:
    """What is still there of a few messages."""
    listing = await account.listing(selected.id)
    return listing.batch(part, selected.uids)
