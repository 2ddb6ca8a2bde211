"""What one worker does now and then for all: sweep freed octets, forget what is too old."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from postroad.db.copies import prune_copies
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
        # One that fails must not keep the other from its work.
        for work in (
            partial(_sweep, store, data, clock),
            partial(_forget, store, clock),
            partial(_prune, data, clock),
        ):
            try:
                await work()
            except Exception:
                log.exception("house.failed")


async def _sweep(store: Store, data: Path, clock: Clock) -> None:
    if swept := await sweep_blobs(store.database, data / PACKS, clock.now()):
        log.info("house.swept", blobs=swept)


async def _forget(store: Store, clock: Clock) -> None:
    before = clock.now() - KEPT_DAYS * _DAY
    forgotten = 0
    while cleaned := await store.database.write(lambda tx: clean(tx, before)):
        forgotten += cleaned
        await asyncio.sleep(0)
    if forgotten:
        log.info("house.forgot", trails=forgotten)


async def _prune(data: Path, clock: Clock) -> None:
    for copy in prune_copies(data, clock.now()):
        log.info("house.pruned", copy=copy.name)
