"""What one worker does now and then for all: sweep freed octets, forget what is too old, look for damage."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from postroad.db.copies import prune_copies
from postroad.delivery.forwarding import forget_senders
from postroad.directory import kept_accounts, snapshot
from postroad.model.clock import Clock
from postroad.obs.duties import repeat
from postroad.obs.log import log
from postroad.policy import greylist
from postroad.store.scrub import Scrub
from postroad.store.seen import forget_gone
from postroad.store.store import PACKS, Store
from postroad.store.sweep import sweep_blobs, sweep_kept
from postroad.store.tombstones import forget_tombstones
from postroad.trail.record import KEPT_DAYS, clean

EVERY_SECONDS: Final = 900.0
_DAY: Final = 86400.0


async def keep_house(store: Store, data: Path, clock: Clock) -> None:
    """Run until cancelled; a failure is logged and tried again next time."""
    duties = (
        partial(_erase, store, data, clock),
        partial(_sweep, store, data, clock),
        partial(_forget, store, clock),
        partial(_forget_expunged, store, clock),
        partial(store.database.write, forget_senders),
        partial(_forget_greylist, store),
        partial(_prune, data, clock),
        Scrub(store.database, data / PACKS).some,
    )
    await repeat(clock, EVERY_SECONDS, duties, failed="house.failed")


async def _erase(store: Store, data: Path, clock: Clock) -> None:
    """What was deleted can be restored for so long, and then no more."""
    before = clock.now() - store.retention.deleted
    database = store.database
    if messages := await sweep_kept(database, before):
        log.info("house.erased", messages=messages)
    for account_id in database.read(partial(kept_accounts.expired, before=before)):
        while not await database.write(
            partial(kept_accounts.erase_account, kept_id=account_id, who="retention")
        ):
            pass
        log.info("house.erased_account", account=account_id)
        await database.read_long(partial(snapshot.save, data=data))


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


async def _forget_greylist(store: Store) -> None:
    forgotten = 0
    while swept := await store.database.write(greylist.sweep):
        forgotten += swept
        await asyncio.sleep(0)
    if forgotten:
        log.info("house.forgot_greylisted", rows=forgotten)


async def _forget_expunged(store: Store, clock: Clock) -> None:
    seconds, most = max(store.retention.expunged, _DAY), store.limits.tombstones
    if forgotten := await forget_tombstones(store.database, clock.now(), seconds=seconds, most=most):
        log.info("house.forgot_expunged", messages=forgotten)
    if marks := await forget_gone(store.database):
        log.info("house.forgot_seen", marks=marks)


async def _prune(data: Path, clock: Clock) -> None:
    for copy in prune_copies(data, clock.now()):
        log.info("house.pruned", copy=copy.name)
