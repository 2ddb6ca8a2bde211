"""The queue in the journal of the packs, so that a lost index loses no mail that was on its way."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from postroad.db.transaction import Transaction
from postroad.model.address import Address, parse_mailbox
from postroad.model.envelope import DeliverBy, Recipient, Release, Wish
from postroad.queue import deadline
from postroad.queue.item import text_id
from postroad.store.blobs.record import MAGIC, encode
from postroad.store.filing import Blob
from postroad.store.replay import FoundItem
from postroad.trail import record
from postroad.trail.note import Note

_QUEUE_LINE: Final = (
    MAGIC + b"queue item=%d created=%d blob=%d:%d null=%d sender=%b sent_by=%d ret=%b envid=%b body=%b"
    b" smtputf8=%d tls=%b reverse=%b release=%d asked=%b priority=%d by=%d mode=%b prefix=%b recipients=%b\n"
)
_UNQUEUE_LINE: Final = MAGIC + b"unqueue item=%d recipients=%b\n"
_encode: Final = msgspec.json.Encoder().encode
_Saved: TypeAlias = tuple[str, list[str], str]  # address, NOTIFY, ORCPT
_decode: Final = msgspec.json.Decoder(list[_Saved]).decode


def queued(
    tx: Transaction,
    item_id: int,
    *,
    blob: Blob,
    sender: Address | None,
    account_id: int | None,
    prefix: bytes,
    ret: str,
    envid: str,
    body: str,
    smtputf8: bool,
    tls: Wish,
    reverse_path: Address | None,
    release: Release | None,
    priority: int,
    deliver_by: DeliverBy | None,
    recipients: Sequence[Recipient],
) -> None:
    """Write that a message waits, with everything that its row says."""
    whom = [(str(r.address), sorted(r.notify), r.original) for r in recipients]
    tx.packs.journal(
        _QUEUE_LINE
        % (
            *(item_id, int(tx.now), blob.pack, blob.offset),
            *(sender is None, b"" if sender is None else encode(str(sender)), account_id or 0),
            *(encode(ret), encode(envid), encode(body), smtputf8, encode(tls.value)),
            b"" if reverse_path is None else encode(str(reverse_path)),
            *((0, b"") if release is None else (int(release.at), encode(release.asked))),
            priority,
            *((0, b"") if deliver_by is None else (int(deliver_by.at), encode(deadline.mode(deliver_by)))),
            *(encode(prefix), encode(_encode(whom))),
        )
    )


def left(tx: Transaction, item_id: int, numbers: Iterable[int]) -> None:
    """Write that some recipients wait no more."""
    tx.packs.journal(_UNQUEUE_LINE % (item_id, ",".join(map(str, numbers)).encode()))


def restore(tx: Transaction, items: Iterable[FoundItem]) -> int:
    """Put messages back into an empty queue, due at once or when they may go; give how many.

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
    release_at = item.number("release") if "release" in fields else 0
    due = max(tx.now, release_at)
    priority = item.number("priority") if "priority" in fields else 0
    trail_id = record.begin(
        tx,
        kind="out",
        sender=sender,
        recipients=[address for _, (address, _, _) in waiting],
        notes=[Note("queued", {"queue": text_id(item.id), "recipients": [a for _, (a, _, _) in waiting]})],
    )
    tx.run(
        "INSERT INTO queue_item (id, created, sender, account_id, blob_id, prefix, size, trail_id, ret,"
        " envid, body, smtputf8, tls, reverse_path, release_at, release_asked, priority,"
        " deliver_by, deliver_mode) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(item.id, item.number("created"), None if item.number("null") else sender),
        *(item.number("sent_by") or None, blob[0], prefix, len(prefix) + blob[1], trail_id),
        *(fields["ret"].decode(), fields["envid"].decode(), fields["body"].decode()),
        *(item.number("smtputf8"), fields.get("tls", b"").decode(), fields.get("reverse", b"").decode()),
        *(release_at, fields.get("asked", b"").decode(), priority),
        *(item.number("by") if "by" in fields else 0, fields.get("mode", b"").decode()),
    )
    for n, (address, notify, original) in waiting:
        destination = parse_mailbox(address).domain
        tx.run(
            "INSERT INTO queue_recipient (item_id, n, address, destination, notify, original, due, priority)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(item.id, n, address, destination, " ".join(notify), original, due, priority),
        )
        tx.run(
            "INSERT INTO queue_destination (destination, due) VALUES (?, ?)"
            " ON CONFLICT (destination) DO UPDATE SET due = min(due, excluded.due)",
            *(destination, due),
        )
