"""DKIM keys in `directory.json`, their private halves sealed as in the database."""

import msgspec

from postroad.db.transaction import Reader, Transaction


class SavedDkimKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key in the file."""

    domain: str
    selector: str
    algorithm: str
    public: str
    private: bytes | None
    created: float
    seen: float | None
    active: float | None
    retired: float | None


def collect(reader: Reader) -> list[SavedDkimKey]:
    """Read them all."""
    rows = reader.rows(
        "SELECT domain, selector, algorithm, public, private, created, seen, active, retired FROM dkim_key"
        " ORDER BY domain, selector"
    )
    names = SavedDkimKey.__struct_fields__
    return [SavedDkimKey(**dict(zip(names, row, strict=True))) for row in rows]


def restore(tx: Transaction, keys: list[SavedDkimKey]) -> None:
    """Put them back."""
    tx.run_many(
        "INSERT INTO dkim_key (domain, selector, algorithm, public, private, created, seen, active, retired)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [msgspec.structs.astuple(key) for key in keys],
    )
