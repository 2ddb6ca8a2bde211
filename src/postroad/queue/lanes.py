"""Where work waits: a lane for each priority (RFC 6710), of which most destinations have one.

Within a lane the longest due goes first; a lane is looked at when nothing is due in those above it.
"""

from collections.abc import Iterator
from typing import Final

from postroad.db.transaction import Reader, Row, Transaction

_WAITING: Final = "FROM queue_recipient WHERE destination = ?1 AND lease_id IS NULL AND held = 0"
# Each has an index of its own, which SQLite finds by these very words.
_NORMAL: Final = f"{_WAITING} AND priority = 0"
_OTHERS: Final = f"{_WAITING} AND priority != 0"
# Most destinations have no other lane, and nothing more is asked then.
_HAS_OTHERS: Final = f"EXISTS (SELECT 1 {_OTHERS})"
_FIRST_NORMAL: Final = (
    f"SELECT item_id, cancelled, {_HAS_OTHERS} {_NORMAL} AND due <= ?2 ORDER BY due LIMIT 1"
)
_FIRST_OTHER: Final = (
    f"SELECT item_id, cancelled {_OTHERS} AND priority = ?3 AND due <= ?2 ORDER BY due LIMIT 1"
)
_NEXT_NORMAL: Final = f"SELECT min(due), {_HAS_OTHERS} {_NORMAL}"
_NEXT_OTHER: Final = f"SELECT min(due) {_OTHERS} AND priority = ?2"
_NEXT_BELOW: Final = f"SELECT max(priority) {_OTHERS} AND priority < ?2"
_ABOVE_ALL: Final = 10


def first_due(tx: Transaction, destination: str) -> Row | None:
    """Item and cancellation of the recipient whose turn it is."""
    normal = tx.row(_FIRST_NORMAL, destination, tx.now)
    if normal is not None and not normal[2]:
        return normal[:2]
    for priority in _others(tx, destination):
        if normal is not None and priority < 0:
            break
        found = tx.row(_FIRST_OTHER, destination, tx.now, priority)
        if found is not None:
            return found
    return None if normal is None else normal[:2]


def next_due(tx: Transaction, destination: str) -> tuple[float, int] | None:
    """When the next recipient is due, and the highest priority of those that are by then."""
    normal = tx.row(_NEXT_NORMAL, destination)
    assert normal is not None, "an aggregate has a row"
    due, has_others = normal
    if not has_others:
        return None if due is None else (due, 0)
    ahead = [] if due is None else [(due, 0)]
    for priority in _others(tx, destination):
        ahead.append((tx.value(_NEXT_OTHER, destination, priority), priority))
    first = min(at for at, _ in ahead)
    return first, max(priority for at, priority in ahead if at <= max(first, tx.now))


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


def _others(reader: Reader, destination: str) -> Iterator[int]:
    """The priorities other than the normal one that something waits with, from above."""
    priority = _ABOVE_ALL
    while (priority := reader.value(_NEXT_BELOW, destination, priority)) is not None:
        yield priority
