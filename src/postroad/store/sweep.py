"""Housekeeping: octets that nobody uses any more, trails that are too old."""

from pathlib import Path
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.store.blobs.hold import may_punch
from postroad.store.blobs.punch import punch

SAFE_SECONDS: Final = 3600
"""How long freed octets stay, for sessions that are still sending them."""
_STEP: Final = 200


async def sweep_blobs(database: Database, folder: Path, now: float) -> int:
    """Free the octets of messages that were expunged a while ago; give how many.

    The hole comes first: should we die in between, the row is found again.
    While a backup holds the packs nothing is freed; the next time will do.
    """
    with may_punch(folder) as free:
        return await _sweep(database, folder, now) if free else 0


async def _sweep(database: Database, folder: Path, now: float) -> int:
    swept = 0
    while rows := database.read(
        lambda r: r.rows(
            "SELECT id, pack, offset, length FROM blob WHERE freed_at < ? ORDER BY freed_at LIMIT ?",
            *(int(now) - SAFE_SECONDS, _STEP),
        )
    ):
        for _, pack, offset, length in rows:
            punch(folder, pack, offset, length)
        ids = [(row[0],) for row in rows]
        await database.write(lambda tx, ids=ids: _forget(tx, ids))  # type: ignore[misc]  # the default binds the loop's value
        swept += len(rows)
    return swept


def _forget(tx: Transaction, ids: list[tuple[int]]) -> None:
    tx.run_many("DELETE FROM blob WHERE id = ? AND refs = 0", list(ids))
