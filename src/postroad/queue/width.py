"""How many more pieces of work may be under way for a destination, and when the next may begin."""

from typing import Final

from msgspec import Struct

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.queue import rate
from postroad.queue.pace import Pace, pace_of
from postroad.queue.rate import Rate

_LEASES: Final = "SELECT count(*) FROM queue_lease WHERE destination = ?"


class Width(Struct):
    """What a destination has room for, kept up to date within one transaction."""

    free: int
    """How many may be begun now."""
    begins: float
    """When one may be begun, as far as that is a matter of time; what has passed: at any time."""
    limit: Rate | None

    def take(self, tx: Transaction) -> None:
        """One is begun."""
        self.free -= 1
        if self.limit is not None:
            rate.spend(tx, self.limit)
            self.begins = max(self.begins, tx.now + self.limit.seconds)


def width_of(
    tx: Transaction,
    destination: str,
    settings: Queue,
    *,
    ailing: bool | None = None,
    pace: Pace | None = None,
    under_way: int | None = None,
) -> Width:
    """Look it up; the rest where it is known already: `ailing` better than from its row, and
    how many are `under_way` that will stay so.
    """
    pace, limit = pace or pace_of(tx, destination), rate.rate_of(tx, destination, settings)
    begins = pace.rest_until if limit is None else max(rate.not_before(tx, limit), pace.rest_until)
    if tx.now < begins:
        return Width(0, begins, limit)
    if ailing is None:
        ailing = bool(tx.value("SELECT ailing FROM queue_destination WHERE destination = ?", destination))
    free: int = 1 if ailing else min(pace.width, settings.per_destination)
    free -= tx.value(_LEASES, destination) if under_way is None else under_way
    return Width(free if limit is None else min(free, 1), begins, limit)
