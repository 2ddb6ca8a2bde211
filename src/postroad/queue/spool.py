"""The queue in the database: putting messages in, leasing them, letting go of them.

Plain functions over a transaction. A destination has at most so many leases,
one item each; `queue_destination.due` says where the next work is, so a
destination with a hundred thousand messages behind it costs the others
nothing.
"""

from collections.abc import Sequence

from postroad.db.transaction import Transaction
from postroad.model.address import Address
from postroad.model.envelope import Recipient

TOPIC = "queue"
"""The hint on the bus: there may be something to do."""


def enqueue(
    tx: Transaction,
    *,
    sender: Address | None,
    recipients: Sequence[Recipient],
    blob_id: int,
    prefix: bytes,
    size: int,
    account_id: int | None,
    trail_id: int,
    ret: str,
    envid: str,
    body: str,
    smtputf8: bool,
) -> int:
    """Queue a message that is in a pack already; give the number of the item.

    The item owns one reference of the blob and releases it when it is done.
    """
    tx.run(
        "INSERT INTO queue_item (created, sender, account_id, blob_id, prefix, size, trail_id, ret, envid,"
        " body, smtputf8) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(tx.now, None if sender is None else str(sender), account_id, blob_id, prefix, size, trail_id),
        *(ret, envid, body, smtputf8),
    )
    item_id = tx.inserted()
    tx.run_many(
        "INSERT INTO queue_recipient (item_id, n, address, destination, notify, original, due)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (item_id, n, str(r.address), r.address.domain, " ".join(sorted(r.notify)), r.original, tx.now)
            for n, r in enumerate(recipients)
        ],
    )
    for destination in {recipient.address.domain for recipient in recipients}:
        tx.run(
            "INSERT INTO queue_destination (destination, due) VALUES (?, ?)"
            " ON CONFLICT (destination) DO UPDATE SET due = min(coalesce(due, excluded.due), excluded.due)",
            destination,
            tx.now,
        )
    tx.wake(TOPIC)
    return item_id
