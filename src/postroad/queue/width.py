"""How many more pieces of work may be under way for a destination, and when the next may begin."""

from typing import Final

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.queue import rate
from postroad.queue.pace import pace_of

_LEASES: Final = "SELECT count(*) FROM queue_lease WHERE destination = ?"


def free_leases(tx: Transaction, destination: str, settings: Queue, *, ailing: bool | None = None) -> int:
    """How many may be begun now; `ailing` where that is known better than from its row."""
    pace, limit = pace_of(tx, destination), rate.rate_of(tx, destination, settings)
    if tx.now < pace.rest_until or (limit is not None and tx.now < rate.not_before(tx, limit)):
        return 0
    if ailing is None:
        ailing = bool(tx.value("SELECT ailing FROM queue_destination WHERE destination = ?", destination))
    free: int = 1 if ailing else min(pace.width, settings.per_destination)
    free -= tx.value(_LEASES, destination)
    return free if limit is None else min(free, 1)


def not_before(tx: Transaction, destination: str, settings: Queue) -> float:
    """When one may be begun, as far as that is a matter of time; 0: at any time."""
    limit = rate.rate_of(tx, destination, settings)
    at = 0.0 if limit is None else rate.not_before(tx, limit)
    return max(at, pace_of(tx, destination).rest_until)
