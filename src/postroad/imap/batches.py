"""Entries of the selected mailbox in batches that are worth handling together."""

from collections.abc import AsyncIterator

from postroad.imap.selected import Selected
from postroad.imap.uid_set import Pairs
from postroad.store.account import Account
from postroad.store.listing import Batch
from postroad.store.parts import parts


async def batches(
    account: Account, selected: Selected, pairs: Pairs, step: int = 1000, *, downwards: bool = False
) -> AsyncIterator[Batch]:
    """Yield what is still there of `pairs`, at most `step` messages at a time, however many pairs there are.

    With `downwards` the batch with the highest UIDs comes first.

    Each batch is as of the moment at which it is asked for.

    Raises:
        NoSuchMailbox: it has been deleted meanwhile.
    """
    cut = parts(selected.uids, pairs, step)
    for part in reversed(list(cut)) if downwards else cut:
        listing = await account.listing(selected.id)
        yield listing.batch(part, selected.uids)
