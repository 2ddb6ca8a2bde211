"""Counting and digesting what an index holds, so that a restore can be held to it."""

import hashlib
from typing import Final

import msgspec

from postroad.backup.manifest import Inventory
from postroad.db.transaction import Reader

_COUNTS: Final = (
    "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM mailbox), (SELECT count(*) FROM queue_item)"
)
# Text that every schema has had: the digest of a backup must not change with the postroad that reads it.
_ENTRIES: Final = (
    "SELECT e.account_id, e.mailbox_id, b.name, b.uidvalidity, e.uid, e.flags, e.keywords, e.size,"
    " e.internal_date, m.prefix, o.digest FROM entry e"
    " JOIN mailbox b ON b.account_id = e.account_id AND b.id = e.mailbox_id"
    " JOIN message m ON m.account_id = e.account_id AND m.id = e.message_id"
    " JOIN blob o ON o.id = m.blob_id"
    " WHERE e.account_id = ? AND e.mailbox_id = ? AND e.uid > ? ORDER BY e.uid LIMIT ?"
)
_STEP: Final = 5000  # rows in memory at a time
_encode: Final = msgspec.msgpack.Encoder().encode


def take_inventory(reader: Reader) -> Inventory:
    """Read every entry once; a million of them take some seconds."""
    accounts, mailboxes, queued = reader.row(_COUNTS) or (0, 0, 0)
    digest = hashlib.sha256()
    messages = octets = 0
    for place in reader.rows("SELECT account_id, id FROM mailbox ORDER BY account_id, id"):
        last = 0
        while rows := reader.rows(_ENTRIES, *place, last, _STEP):
            last = rows[-1][4]
            messages += len(rows)
            octets += sum(row[7] for row in rows)
            digest.update(b"".join(map(_encode, rows)))
    return Inventory(accounts, mailboxes, messages, octets, queued, digest.digest())
