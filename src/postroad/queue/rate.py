"""How many messages may be begun for a destination within a minute, where an operator has said so.

They are spread over the minute: one is begun 60 / N seconds after the one
before, so that no minute, wherever it begins, sees more than N. What a route
says holds for all mail that goes by it together.
"""

from typing import Final

from msgspec import Struct

from postroad.config.settings import Queue
from postroad.db.transaction import Reader, Transaction

MINUTE: Final = 60.0
_FORGOTTEN: Final = 3600.0

# What has an index of its own, and is empty nearly always: that takes a fifth of what is asked else.
_ANY: Final = "SELECT 1 FROM route WHERE per_minute > 0 LIMIT 1"
_OF_ROUTE: Final = (
    "SELECT domain, per_minute FROM route WHERE per_minute > 0 AND domain IN (?, '*')"
    " ORDER BY domain = '*', after LIMIT 1"
)


class Rate(Struct, frozen=True):
    """A limit, and who shares it."""

    key: str
    """A destination; or the domain of a route, which is `*` for all that have none of their own."""
    per_minute: int

    @property
    def seconds(self) -> float:
        """Between two messages."""
        return MINUTE / self.per_minute


def rate_of(reader: Reader, destination: str, settings: Queue) -> Rate | None:
    """The limit of a destination; None: there is none, nearly always."""
    if reader.row(_ANY) is not None and (row := reader.row(_OF_ROUTE, destination)) is not None:
        return Rate(*row)
    return Rate(destination, settings.per_minute) if settings.per_minute else None


def not_before(tx: Transaction, rate: Rate) -> float:
    """When the next message may be begun; a time that has passed: now."""
    begun: float | None = tx.value("SELECT begun FROM queue_rate WHERE key = ?", rate.key)
    # What was begun in times to come was so by a clock that was wrong.
    return 0.0 if begun is None or begun > tx.now else begun + rate.seconds


def spend(tx: Transaction, rate: Rate) -> None:
    """A message is begun."""
    tx.run("INSERT OR REPLACE INTO queue_rate (key, begun) VALUES (?, ?)", rate.key, tx.now)


def forget_old(tx: Transaction) -> None:
    """Drop what keeps nobody from anything any more."""
    tx.run("DELETE FROM queue_rate WHERE begun < ?", tx.now - _FORGOTTEN)
