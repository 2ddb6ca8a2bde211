"""Whatever fails in between: what is told to stand is there, and what is told not to is not."""

import asyncio
import random
from pathlib import Path

import pytest

from postroad.db.database import Database
from postroad.db.haste import QUICK
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.model.refusal import Unavailable
from postroad.net.clock import SystemClock
from postroad.store.blobs.pack import ActivePack

WRITERS = 5
EACH = 10


class _Trouble:
    """A disk and verbs that fail by chance, and a world in which each write has a number."""

    def __init__(self, data: Path, seed: int) -> None:
        chance = self.chance = random.Random(seed)
        self.now = True

        def fails() -> bool:
            return self.now and chance.random() < 0.1

        class Packs(ActivePack):
            def tails(self, tx: Transaction) -> None:
                if fails():
                    raise OSError(28, "No space left on device")
                super().tails(tx)

            def sync(self) -> None:
                if fails():
                    raise OSError(5, "Input/output error")
                super().sync()

            def committed(self) -> None:
                super().committed()
                if fails():
                    raise OSError(5, "Input/output error")

        self.packs = Packs(data / "packs")
        self.database = Database(data, SystemClock(), self.packs, lambda _: None)
        self.database._writer.set_commit_hook(fails)  # a COMMIT that is refused is taken back
        self.kept: set[int] = set()
        self.refused: set[int] = set()
        self.followed: list[int] = []

    def stands(self, number: int) -> bool:
        found = self.database.row("SELECT 1 FROM known_network WHERE account_id = ?", number)
        return found is not None

    async def write(self, number: int) -> None:
        chance = self.chance
        # The loop commits, or the thread.
        self.database._group._haste._mean = chance.choice((0.0, 2 * QUICK))
        writing = asyncio.ensure_future(self.database.write(lambda tx: self._work(tx, number)))
        if chance.random() < 0.2:
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(0)
            writing.cancel()
        try:
            await writing
        except asyncio.CancelledError:
            return  # it may stand, or not
        except (Unavailable, ValueError):
            assert not self.stands(number)
            self.refused.add(number)
        else:
            assert self.stands(number)
            self.kept.add(number)

    def _work(self, tx: Transaction, number: int) -> None:
        tx.run("INSERT INTO known_network VALUES (?, 'x', 0)", number)
        tx.then(lambda: self.followed.append(number))
        if self.chance.random() < 0.3:
            tx.packs.blob(b"m" * 1000, b"d" * 32, 0)
        if self.chance.random() < 0.1:
            raise ValueError("no")


@pytest.mark.parametrize("seed", range(2))
def test_what_is_told_is_so(tmp_path: Path, seed: int) -> None:
    async def scene() -> None:
        trouble = _Trouble(tmp_path, seed)

        async def writer(first: int) -> None:
            for number in range(first, first + EACH):
                await trouble.write(number)

        async with asyncio.timeout(60):
            await asyncio.gather(*(writer(n * EACH) for n in range(WRITERS)))
            trouble.now = False
            await trouble.database.write(lambda _: None)
        standing = {number for number in range(WRITERS * EACH) if trouble.stands(number)}
        await trouble.database.close()
        trouble.packs.close()
        assert trouble.kept
        assert trouble.refused
        assert trouble.kept <= standing
        assert not trouble.refused & standing
        assert sorted(trouble.followed) == sorted(standing)

    prepare_data(tmp_path)
    asyncio.run(scene())
