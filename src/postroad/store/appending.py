"""New messages that a client brings, with their octets: plain functions over a transaction."""

from collections.abc import Sequence

from postroad.db.transaction import Transaction
from postroad.model.flags import join_keywords
from postroad.store import entries
from postroad.store.filing import Letter, file_messages, put_blobs
from postroad.store.prepare import Prepared
from postroad.store.types import NewMessage


def append_prepared(
    tx: Transaction, account_id: int, mailbox_id: int, messages: Sequence[tuple[NewMessage, Prepared]]
) -> tuple[int, list[int]]:
    """File messages, all or none; give the mailbox's UIDVALIDITY and the new UIDs."""
    if not messages:
        return 0, []
    for new, _ in messages:
        entries.check_keywords(new.keywords)
    blobs = put_blobs(tx, [prepared for _, prepared in messages])
    letters = [
        Letter(
            blob,
            prepared,
            flags=new.flags,
            keywords=join_keywords(new.keywords),
            internal_date=new.internal_date,
        )
        for blob, (new, prepared) in zip(blobs, messages, strict=True)
    ]
    filed = file_messages(tx, account_id, mailbox_id, letters)
    return filed[0].uidvalidity, [one.uid for one in filed]
