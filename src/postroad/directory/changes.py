"""Who changed what: each change of the directory is kept with its time and the old value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from postroad.db.transaction import Asked, Reader, Transaction

TOPIC = "directory"
"""What workers hear on the bus after a change."""

Facts: TypeAlias = Mapping[str, str | int | float | bool | list[str] | None]


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `old` None means that it was added, `new` None that it was removed."""

    at: float
    who: str
    noun: str
    """domain, account or alias."""
    name: str
    old: dict[str, object] | None
    new: dict[str, object] | None


def record(
    tx: Transaction, *, who: str, noun: str, name: str, old: Facts | None = None, new: Facts | None = None
) -> int:
    """Note a change, count the directory's version up and tell the workers; gives the version."""
    tx.run(
        "INSERT INTO change (at, who, noun, name, old, new) VALUES (?, ?, ?, ?, ?, ?)",
        *(tx.now, who, noun, name, _json(old), _json(new)),
    )
    tx.run("UPDATE directory_state SET version = version + 1")
    tx.wake(TOPIC)
    return version(tx)


def version(asked: Asked) -> int:
    """A number that grows with each change; what was read at the same version still holds.

    The database itself answers it without a statement while nobody commits anything.
    """
    row = asked.row("SELECT version FROM directory_state")
    assert row is not None, "the schema has put it there"
    return int(row[0])


def history(reader: Reader, name: str | None = None, limit: int = 100) -> list[Change]:
    """The latest changes first; of one name, or of all."""
    columns = "SELECT at, who, noun, name, old, new FROM change"
    rows = (
        reader.rows(f"{columns} ORDER BY id DESC LIMIT ?", limit)
        if name is None
        else reader.rows(f"{columns} WHERE name = ? ORDER BY id DESC LIMIT ?", name, limit)
    )
    return [
        Change(at, who, noun, row_name, _facts(old), _facts(new))
        for at, who, noun, row_name, old, new in rows
    ]


def _json(facts: Facts | None) -> str | None:
    return None if facts is None else msgspec.json.encode(facts).decode()


def _facts(text: str | None) -> dict[str, object] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, object])
