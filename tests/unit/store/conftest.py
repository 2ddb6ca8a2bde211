"""A store in a temporary directory, with one account, driven from plain functions."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.domains import add_domain
from postroad.net.clock import SystemClock
from postroad.store.account import Account
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage

T = TypeVar("T")


def message(number: int = 1, body: bytes = b"Hello.\r\n") -> NewMessage:
    """A small message with its own Message-ID."""
    head = b"From: ada@demo.test\r\nSubject: number %d\r\nMessage-ID: <m%d@demo.test>\r\n\r\n" % (
        number,
        number,
    )
    return NewMessage(head + body)


class Desk:
    """Runs coroutines over one or several stores on the same data."""

    def __init__(self, data: Path) -> None:
        self.data = data
        prepare_data(data)
        with open_offline(data) as database:
            database.write(lambda tx: add_domain(tx, "demo.test", who="test"))
            self.account_id = database.write(lambda tx: add_account(tx, "ada@demo.test", who="test")).id

    def run(self, work: Callable[[Account], Coroutine[Any, Any, T]]) -> T:
        """Run `work` on ada's account in a store that is opened and closed for it."""

        async def opened() -> T:
            store = Store(self.data, SystemClock(), name="w0")
            try:
                return await work(store.account(self.account_id))
            finally:
                await store.close()

        return asyncio.run(opened())

    def run_two(self, work: Callable[[Store, Store], Coroutine[Any, Any, T]]) -> T:
        """Run `work` with two workers' stores."""

        async def opened() -> T:
            first, second = (Store(self.data, SystemClock(), name=name) for name in ("w0", "w1"))
            try:
                return await work(first, second)
            finally:
                await first.close()
                await second.close()

        return asyncio.run(opened())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A data directory with the account ada@demo.test."""
    return Desk(tmp_path / "data")
