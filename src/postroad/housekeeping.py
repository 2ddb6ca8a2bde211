"""What one worker does now and then for all: sweep freed octets, forget old trails."""

import asyncio
from pathlib import Path
from typing import Final

from postroad.model.clock import Clock
from postroad.obs.log import log
from postroad.store.store import PACKS, Store
from postroad.store.sweep import sweep_blobs
from postroad.trail.record import KEPT_DAYS, clean

EVERY_SECONDS: Final = 900.0
_DAY: Final = 86400.0


async def keep_house(store: Store, data: Path, clock: Clock) -> None:
    """Run until cancelled; a failure is logged and tried again next time."""
    while True:
        await clock.sleep(EVERY_SECONDS)
        try:
            swept = await sweep_blobs(store.database, data / PACKS, clock.now())
            forgotten = 0
            before = clock.now() - KEPT_DAYS * _DAY
            while cleaned := await store.database.write(lambda tx: clean(tx, before)):  # noqa: B023 - awaited here
                forgotten += cleaned
                await asyncio.sleep(0)
            if swept or forgotten:
                log.info("house.kept", blobs=swept, trails=forgotten)
        except Exception:
            log.exception("house.failed")
