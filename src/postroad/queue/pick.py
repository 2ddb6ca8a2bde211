"""Which recipients in the queue an operator means: by message, domain, sender, age or what was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from postroad.db.transaction import Reader

MOST: Final = 100_000
"""Recipients in one go."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Everything that is said has to hold; nothing said is everybody."""

    ids: tuple[int, ...] = ()
    destination: str = ""
    """The domain, as the DNS has it."""
    sender: str | None = None
    """An address, `@` and a domain, or empty for notices."""
    recipient: str = ""
    older: float | None = None
    """Seconds since the message came."""
    said: str = ""
    """Part of what the last attempt came to, in any case."""


def pick(reader: Reader, wanted: Filter, now: float) -> dict[int, list[int]]:
    """The recipients that are meant: their numbers, by message, the oldest first."""
    where, params = _conditions(wanted, now)
    rows = reader.rows(
        "SELECT r.item_id, r.n FROM queue_recipient r JOIN queue_item i ON i.id = r.item_id"  # noqa: S608 - constants
        f" WHERE {' AND '.join(where) or '1'} ORDER BY r.item_id, r.n LIMIT ?",
        *(*params, MOST),
    )
    found: dict[int, list[int]] = {}
    for item_id, n in rows:
        found.setdefault(item_id, []).append(n)
    return found


def _conditions(wanted: Filter, now: float) -> tuple[list[str], Sequence[Any]]:
    where: list[str] = []
    params: list[Any] = []

    def also(condition: str, *values: Any) -> None:
        where.append(condition)
        params.extend(values)

    if wanted.ids:
        also(f"r.item_id IN ({', '.join('?' * len(wanted.ids))})", *wanted.ids)
    if wanted.destination:
        also("r.destination = ?", wanted.destination)
    if wanted.recipient:
        also("lower(r.address) = lower(?)", wanted.recipient)
    if wanted.sender == "":
        also("i.sender IS NULL")
    elif wanted.sender is not None and wanted.sender.startswith("@"):
        also("lower(substr(i.sender, -?)) = lower(?)", len(wanted.sender), wanted.sender)
    elif wanted.sender is not None:
        also("lower(i.sender) = lower(?)", wanted.sender)
    if wanted.older is not None:
        also("i.created <= ?", now - wanted.older)
    if wanted.said:
        also("instr(lower(r.last_words), lower(?)) > 0", wanted.said)
    return where, params
