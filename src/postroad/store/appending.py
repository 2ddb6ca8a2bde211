"""New messages that a client brings, with their octets: plain functions over a transaction."""

from collections.abc import Sequence

from postroad.config.limits import Limits
from postroad.db.transaction import Transaction
from postroad.model.flags import join_keywords
from postroad.store.annotating import annotate_new
from postroad.store.crossing import Place
from postroad.store.filing import Letter, file_messages, put_blobs
from postroad.store.flagging import check_keywords
from postroad.store.prepare import Prepared
from postroad.store.types import NewMessage


def append_prepared(
    tx: Transaction, place: Place, messages: Sequence[tuple[NewMessage, Prepared]], limits: Limits
) -> tuple[int, list[int]]:
    """File messages, all or none; give the mailbox's UIDVALIDITY and the new UIDs.

    Whether the user may is for the caller to look at.
    """
    if not messages:
        return 0, []
    for new, _ in messages:
        if new.keywords:
            check_keywords(new.keywords)
    blobs = put_blobs(tx, [(prepared, 1) for _, prepared in messages])
    letters = [
        Letter(blob, prepared, b"", new.flags, join_keywords(new.keywords), new.internal_date)
        for blob, (new, prepared) in zip(blobs, messages, strict=True)
    ]
    filed = file_messages(tx, place.account_id, place.mailbox_id, letters)
    for one, (new, prepared) in zip(filed, messages, strict=True):
        if new.annotations:
            tree = prepared.summary.tree
            annotate_new(tx, place, one.uid, new.annotations, tree, one.modseq, limits)
    return filed[0].uidvalidity, [one.uid for one in filed]
