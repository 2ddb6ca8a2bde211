"""A directory in a real database, on a clock that stands still until told."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.offline import prepare_data
from postroad.db.transaction import Reader, Transaction
from postroad.directory.accounts import add_account
from postroad.directory.aliases import add_alias
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.directory import Directory
from postroad.directory.domains import add_domain
from postroad.directory.resolve import AccountTarget, Local, RemoteTarget
from postroad.model.address import parse_mailbox
from postroad.store.blobs.pack import ActivePack
from postroad.store.offline import open_offline

T = TypeVar("T")
WHO = "test"


class HeldClock:
    """Time that moves when somebody sleeps or a test says so; remembers the sleeps."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time - 1_600_000_000.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Book:
    """The directory's tables as the command line changes them."""

    def __init__(self, data: Path) -> None:
        self.data = data
        prepare_data(data)

    def write(self, work: Callable[[Transaction], T]) -> T:
        with open_offline(self.data) as database:
            return database.write(work)

    def read(self, work: Callable[[Reader], T]) -> T:
        with open_offline(self.data) as database:
            return database.read(work)

    def domain(self, name: str) -> None:
        self.write(lambda tx: add_domain(tx, name, who=WHO))

    def account(self, address: str, password: str = "") -> int:
        info = self.write(lambda tx: add_account(tx, address, who=WHO))
        if password:
            hashed = Hasher(LEAST_COST).hash(password, allow_weak=True)
            self.write(lambda tx: set_password(tx, address, hashed, who=WHO))
        return info.id

    def alias(self, source: str, *targets: str, shadow: bool = False) -> None:
        self.write(lambda tx: add_alias(tx, source, targets, who=WHO, shadow=shadow))


def run_with_database(
    data: Path,
    test: Callable[[Database, HeldClock], Coroutine[Any, Any, T]],
    *,
    clock: HeldClock | None = None,
    packs: ActivePack | None = None,
) -> T:
    """Run one test in a loop with a worker's database."""

    async def run() -> T:
        time = clock or HeldClock()
        active = packs or ActivePack(data / "packs")
        database = Database(data, time, active, lambda _: None)
        try:
            return await test(database, time)
        finally:
            await database.close()
            active.close()

    return asyncio.run(run())


def run_with_directory(
    data: Path,
    test: Callable[[Directory, HeldClock], Coroutine[Any, Any, T]],
    *,
    hostname: str = "",
    limits: Limits | None = None,
    clock: HeldClock | None = None,
    packs: ActivePack | None = None,
) -> T:
    """Run one test in a loop with a worker's directory over the data directory."""

    async def run(database: Database, time: HeldClock) -> T:
        directory = Directory(database, time, data, hostname=hostname, limits=limits, hash_cost=LEAST_COST)
        try:
            return await test(directory, time)
        finally:
            await directory.close()

    return run_with_database(data, run, clock=clock, packs=packs)


def reached(directory: Directory, address: str) -> list[str]:
    """The addresses that mail to `address` goes to, in order; a name for anything else."""
    found = directory.resolve(parse_mailbox(address))
    return names(found.targets) if isinstance(found, Local) else [type(found).__name__]


def names(targets: tuple[AccountTarget | RemoteTarget, ...]) -> list[str]:
    return [str(target.address) for target in targets]
