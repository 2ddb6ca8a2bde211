"""Housekeeping: reading what nobody reads, so that damage is known while there still is a backup."""

from contextlib import closing
from pathlib import Path
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Reader
from postroad.obs.log import log
from postroad.obs.metrics import DAMAGED
from postroad.store.blobs.reader import PackReader
from postroad.store.check import look_at_bodies

OCTETS: Final = 256 * 1024 * 1024
"""Read in one round, of which there are four an hour: 24 GiB a day."""
_STEP: Final = 16 * 1024 * 1024


class Scrub:
    """Goes through all messages, again and again."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._last = 0

    async def some(self, octets: int = OCTETS) -> int:
        """Compare the next messages with their digests; give how many. Ends early at the last one."""
        count = 0
        while octets > 0:
            looked, read = await self._database.read_long(self._look)
            count += looked
            octets -= read
            if not looked:
                self._last = 0
                break
        return count

    def _look(self, reader: Reader) -> tuple[int, int]:
        with closing(PackReader(self._folder)) as packs:
            looked = look_at_bodies(reader, packs, self._last, _STEP)
        for self._last, _, problem in looked:
            if problem is not None:
                DAMAGED.inc()
                log.error("store.damaged", what=problem.what)
        return len(looked), sum(length for _, length, _ in looked)
