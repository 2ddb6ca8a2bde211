"""The queue in the journal of the packs, so that a lost index loses no mail that was on its way."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from postroad.db.transaction import Transaction
from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.queue.item import text_id
from postroad.store.blobs.record import line
from postroad.store.replay import FoundItem
from postroad.trail import record
from postroad.trail.note import Note

_encode: Final = msgspec.json.Encoder().encode
_Saved: TypeAlias = tuple[str, list[str], str]  # address, NOTIFY, ORCPT
_decode: Final = msgspec.json.Decoder(list[_Saved]).decode


def queued(tx: Transaction, item_id: int, recipients: Sequence[Recipient]) -> None:
    """Write that a message waits, with everything that its row says."""
    row = tx.row(
        "SELECT b.pack, b.offset, q.created, q.sender, q.account_id, q.prefix, q.ret, q.envid,"
        " q.body, q.smtputf8"
        " FROM queue_item q JOIN blob b ON b.id = q.blob_id WHERE q.id = ?",
        item_id,
    )
    if row is None:
        return
    pack, offset, created, sender, account_id, prefix, ret, envid, body, smtputf8 = row
    whom = [(str(r.address), sorted(r.notify), r.original) for r in recipients]
    tx.packs.journal(
        line(
            "queue",
            item=item_id,
            created=int(created),
            blob=f"{pack}:{offset}",
            null=int(sender is None),
            sender=sender or "",
            sent_by=account_id or 0,
            ret=ret,
            envid=envid,
            body=body,
            smtputf8=int(smtputf8),
            prefix=prefix,
            recipients=_encode(whom),
        )
    )


def left(tx: Transaction, item_id: int, numbers: Iterable[int]) -> None:
    """Write that some recipients wait no more."""
    tx.packs.journal(line("unqueue", item=item_id, recipients=",".join(map(str, numbers))))


def restore(tx: Transaction, items: Iterable[FoundItem]) -> int:
    """Put messages back into an empty queue, due at once; give how many.

    A recipient whose delivery was the last thing before the loss may get the
    message twice: twice is better than never.
    """
    count = 0
    for item in items:
        waiting = [
            (n, recipient)
            for n, recipient in enumerate(_decode(item.fields["recipients"]))
            if n not in item.gone
        ]
        blob = tx.row("SELECT id, length FROM blob WHERE pack = ? AND offset = ?", *item.place)
        if blob is None or not waiting:
            continue
        _insert(tx, item, blob, waiting)
        count += 1
    return count


def _insert(
    tx: Transaction,
    item: FoundItem,
    blob: tuple[int, int],
    waiting: list[tuple[int, tuple[str, list[str], str]]],
) -> None:
    fields = item.fields
    prefix, sender = fields["prefix"], fields["sender"].decode()
    trail_id = record.begin(
        tx,
        kind="out",
        sender=sender,
        recipients=[address for _, (address, _, _) in waiting],
        notes=[Note("queued", {"queue": text_id(item.id), "recipients": [a for _, (a, _, _) in waiting]})],
        keys=[text_id(item.id)],
    )
    tx.run(
        "INSERT INTO queue_item (id, created, sender, account_id, blob_id, prefix, size, trail_id, ret,"
        " envid, body, smtputf8) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(item.id, item.number("created"), None if item.number("null") else sender),
        *(item.number("sent_by") or None, blob[0], prefix, len(prefix) + blob[1], trail_id),
        *(fields["ret"].decode(), fields["envid"].decode(), fields["body"].decode(), item.number("smtputf8")),
    )
    for n, (address, notify, original) in waiting:
        destination = parse_mailbox(address).domain
        tx.run(
            "INSERT INTO queue_recipient (item_id, n, address, destination, notify, original, due)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(item.id, n, address, destination, " ".join(notify), original, tx.now),
        )
        tx.run(
            "INSERT INTO queue_destination (destination, due) VALUES (?, ?)"
            " ON CONFLICT (destination) DO UPDATE SET due = excluded.due",
            *(destination, tx.now),
        )
