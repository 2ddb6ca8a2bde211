"""Times by which messages are to be delivered (RFC 2852), in the rows of the queue."""

from typing import Final

from postroad.db.transaction import Transaction
from postroad.model.envelope import DeliverBy

OVERDUE: Final = (
    "FROM queue_item i JOIN queue_recipient r ON r.item_id = i.id"
    " WHERE i.deliver_by > 0 AND i.deliver_mode IN ('R', 'RT') AND r.lease_id IS NULL AND r.held = 0"
)
"""What has to come back when its time is over, and who waits for it."""


def mode(by: DeliverBy) -> str:
    """The column for what follows."""
    return ("R" if by.returns else "N") + "T" * by.trace


def read(at: float, mode_: str) -> DeliverBy | None:
    """What both columns say."""
    return DeliverBy(at, mode_.startswith("R"), mode_.endswith("T")) if mode_ else None


def overdue(tx: Transaction, most: int) -> list[tuple[int, str]]:
    """Items that have to come back now, and the destinations that they wait for.

    However many wait there before them, and whatever rest the destination has.
    """
    rows = tx.rows(
        f"SELECT DISTINCT r.item_id, r.destination {OVERDUE} AND i.deliver_by <= ? LIMIT ?",
        *(tx.now, most),
    )
    return [(item_id, destination) for item_id, destination in rows]
