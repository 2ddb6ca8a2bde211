"""Housekeeping: what was deleted long enough ago, and octets that nobody uses any more."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from postroad.db.database import Database
from postroad.db.offline import OfflineDatabase
from postroad.db.transaction import Reader, Transaction
from postroad.store import kept
from postroad.store.blobs.hold import may_punch
from postroad.store.blobs.punch import punch

SAFE_SECONDS: Final = 3600
"""How long freed octets stay, for sessions that are still sending them."""
_STEP: Final = 200


class _Freed(NamedTuple):
    id: int
    pack: int
    offset: int
    length: int


async def sweep_kept(database: Database, before: float) -> int:
    """Erase what was expunged or deleted before a time; give how many messages that was.

    Their octets are then swept like those of any other message.
    """
    erased = 0
    while found := database.read(partial(kept.expired, before=before)):
        await database.write(partial(kept.erase, wanted=found))
        erased += len(found)
    # Not before their messages: those are told apart by the names.
    mailboxes = database.read(
        lambda r: r.rows("SELECT account_id, id FROM kept_mailbox WHERE at < ?", int(before))
    )
    if mailboxes:
        await database.write(lambda tx: kept.erase_mailboxes(tx, mailboxes))
    return erased


async def sweep_blobs(database: Database, folder: Path, now: float) -> int:
    """Free the octets of messages that were erased a while ago; give how many.

    The hole comes first: should we die in between, the row is found again.
    While a backup holds the packs nothing is freed; the next time will do.
    """
    swept = 0
    with may_punch(folder) as free:
        while free and (found := database.read(partial(_freed, now=now))):
            _punch(folder, found)
            await database.write(partial(_forget, freed=found))
            swept += len(found)
    return swept


def sweep_blobs_now(database: OfflineDatabase, folder: Path, now: float) -> int:
    """The same for tools."""
    swept = 0
    with may_punch(folder) as free:
        while free and (found := database.read(partial(_freed, now=now))):
            _punch(folder, found)
            database.write(partial(_forget, freed=found))
            swept += len(found)
    return swept


def _freed(reader: Reader, now: float) -> list[_Freed]:
    rows = reader.rows(
        "SELECT id, pack, offset, length FROM blob WHERE freed_at < ? ORDER BY freed_at LIMIT ?",
        *(int(now) - SAFE_SECONDS, _STEP),
    )
    return list(map(_Freed._make, rows))


def _punch(folder: Path, freed: Sequence[_Freed]) -> None:
    for _, pack, offset, length in freed:
        punch(folder, pack, offset, length)


def _forget(tx: Transaction, freed: Sequence[_Freed]) -> None:
    tx.run_many("DELETE FROM blob WHERE id = ? AND refs = 0", [(blob.id,) for blob in freed])
