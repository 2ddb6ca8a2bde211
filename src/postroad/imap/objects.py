"""Ids of mailboxes, messages and threads that outlive names and UIDs (RFC 8474).

They are made of numbers that the store never gives twice: those of accounts,
and of mailboxes and messages within one. A message keeps its number in every
mailbox that it is copied or moved to; a thread has the number of the first
message in it. The letter in front keeps the kinds apart (RFC 8474 §5.2).
"""

import re
from collections.abc import Sequence
from typing import Final

from postroad.store.account import Account
from postroad.store.listing import Batch
from postroad.store.types import Mailbox

_ID: Final = re.compile(r"([MT])([0-9]{1,19})-([0-9]{1,19})")


def mailbox_id(account_id: int, mailbox: Mailbox) -> bytes:
    """The id of a mailbox; a new UIDVALIDITY is a new id, for the messages are others (RFC 8474 §4)."""
    return b"F%d-%d-%d" % (account_id, mailbox.id, mailbox.uidvalidity)


def message_key(account_id: int, kind: str, object_id: str) -> int:
    """The number in an EMAILID (`M`) or THREADID (`T`) of this account; 0, which is no number, for others."""
    match = _ID.fullmatch(object_id)
    if match is None or match[1] != kind or match[2] != str(account_id):
        return 0
    # 007 is no way to write 7.
    return int(match[3]) if not match[3].startswith("0") else 0


def in_thread(account: Account, batch: Batch, places: Sequence[int], thread_id: int) -> list[int]:
    """Return those of the places in a batch whose messages are in a thread."""
    if not thread_id:
        return []
    ids, (threads,) = account.rendered([batch.message_ids[at] for at in places], ["thread_id"])
    inside = {key for key, thread in zip(ids, threads, strict=True) if thread == thread_id}
    return [at for at in places if batch.message_ids[at] in inside]


def saved_within(
    account: Account, mailbox_id: int, batch: Batch, places: Sequence[int], low: int, high: int
) -> list[int]:
    """Return those of the places whose messages came from `low` on and before `high` (RFC 8514 §4.3)."""
    saved = account.saved_dates(mailbox_id, [batch.uids[at] for at in places])
    return [at for at in places if low <= saved.get(batch.uids[at], -1) < high]
