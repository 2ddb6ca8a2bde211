"""The queue's tables in a temporary directory, at a time that the test says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from postroad.db.offline import OfflineDatabase, prepare_data
from postroad.db.transaction import Reader, Transaction
from postroad.store.offline import open_offline

T = TypeVar("T")


class Desk:
    """Runs plain functions over the queue."""

    def __init__(self, database: OfflineDatabase) -> None:
        self._database = database
        self.now = 1_000_000.0

    def do(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that begins at `now`."""

        def timed(tx: Transaction) -> T:
            tx.now = self.now
            return work(tx)

        return self._database.write(timed)

    def ask(self, question: Callable[[Reader], T]) -> T:
        """Read something."""
        return self._database.read(question)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty queue."""
    prepare_data(tmp_path / "data")
    with open_offline(tmp_path / "data") as database:
        yield Desk(database)
