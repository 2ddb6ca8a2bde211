"""Where work waits: a lane for each priority (RFC 6710), of which most destinations have one.

Within a lane the longest due goes first; a lane is looked at when nothing is due in those above it.
"""

from collections.abc import Iterator
from typing import Final

from postroad.db.transaction import Reader, Row, Transaction

_WAITING: Final = "FROM queue_recipient WHERE destination = ? AND lease_id IS NULL AND held = 0"
# Each has an index of its own, which SQLite finds by these very words.
_NORMAL: Final = f"{_WAITING} AND priority = 0"
_OTHER: Final = f"{_WAITING} AND priority != 0 AND priority = ?"
_NEXT_BELOW: Final = f"SELECT max(priority) {_WAITING} AND priority != 0 AND priority < ?"
_ABOVE_ALL: Final = 10


def first_due(tx: Transaction, destination: str) -> Row | None:
    """Item and cancellation of the recipient whose turn it is."""
    for priority in _priorities(tx, destination):
        lane, params = _lane(destination, priority)
        found = tx.row(
            f"SELECT item_id, cancelled {lane} AND due <= ? ORDER BY due LIMIT 1",
            *(*params, tx.now),
        )
        if found is not None:
            return found
    return None


def next_due(tx: Transaction, destination: str) -> tuple[float, int] | None:
    """When the next recipient is due, and the highest priority of those that are by then."""
    ahead = []
    for priority in _priorities(tx, destination):
        lane, params = _lane(destination, priority)
        due = tx.value(f"SELECT min(due) {lane}", *params)
        if due is not None:
            ahead.append((due, priority))
    if not ahead:
        return None
    first = min(due for due, _ in ahead)
    return first, max(priority for due, priority in ahead if due <= max(first, tx.now))


def destinations_due(reader: Reader, now: float, limit: int) -> list[str]:
    """Destinations that something is due for: those with the highest priorities first."""
    found: list[str] = []
    for which in ("priority > 0 AND priority != 0", "priority = 0", "priority < 0 AND priority != 0"):
        order = "due" if which == "priority = 0" else "priority DESC, due"
        if len(found) < limit:
            found += [
                name
                for (name,) in reader.rows(
                    f"SELECT destination FROM queue_destination WHERE due <= ? AND {which}"  # noqa: S608 - constants
                    f" ORDER BY {order} LIMIT ?",
                    *(now, limit - len(found)),
                )
            ]
    return found


def _priorities(reader: Reader, destination: str) -> Iterator[int]:
    """The lanes of a destination from above; the normal one is always among them."""
    below = _ABOVE_ALL
    while (priority := reader.value(_NEXT_BELOW, destination, below)) is not None:
        if priority < 0 < below:
            yield 0
        yield priority
        below = priority
    if below > 0:
        yield 0


def _lane(destination: str, priority: int) -> tuple[str, tuple[str | int, ...]]:
    return (_OTHER, (destination, priority)) if priority else (_NORMAL, (destination,))
