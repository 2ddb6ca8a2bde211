"""A store in the middle of its life, and what of it has to be there whatever becomes of its files."""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from postroad.db.connect import connect
from postroad.db.offline import prepare_data
from postroad.db.transaction import Reader
from postroad.directory.snapshot import save
from postroad.mend import Mended, mend
from postroad.model.flags import Flag
from postroad.store.account import Account
from postroad.store.blobs.pack import ActivePack
from postroad.store.blobs.reader import PackReader
from postroad.store.check import check
from postroad.store.offline import open_offline
from tests.unit.store.conftest import Desk, message
from tests.unit.store.test_rebuild import everything

INBOX: Final = 1
Step = Callable[[Account], Awaitable[object]]
Seen = dict[str, Any]

STEPS: Final[list[Step]] = [
    lambda a: a.append(INBOX, [message(1), message(2), message(3)]),
    lambda a: a.store_flags(INBOX, [(1, 2)], "add", Flag.FLAGGED, frozenset({"work"})),
    lambda a: a.create("Plans"),
    lambda a: a.copy(INBOX, [(1, 1)], 7),
    lambda a: a.append(INBOX, [message(4)]),
    lambda a: a.move(INBOX, [(2, 2)], 2),
    lambda a: a.expunge(INBOX, [(3, 3)], only_deleted=False),
    lambda a: a.rename(7, "Old plans"),
    lambda a: a.append(INBOX, [message(5)]),
]
"""One group commit each."""


@dataclass(slots=True)
class Life:
    """A data directory after each step, as a crash would leave it."""

    folder: Path
    copies: list[Path] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    """What a client saw, before the first step and after each."""

    @classmethod
    def lived(cls, folder: Path) -> "Life":
        """Do all the steps."""
        desk, life = Desk(folder / "data"), cls(folder)

        async def steps(account: Account) -> None:
            life._remember(desk, account)
            for step in STEPS:
                await step(account)
                life._remember(desk, account)

        desk.run(steps)
        return life

    def _remember(self, desk: Desk, account: Account) -> None:
        copy = self.folder / f"after-{len(self.copies)}"
        copy_store(desk.data, copy)
        self.copies.append(copy)
        self.seen.append(everything(account))

    @property
    def now(self) -> Path:
        """The directory after the last step."""
        return self.copies[-1]


def copy_store(data: Path, to: Path) -> Path:
    """Take the files as they are, of a store that is open as well."""
    save_directory(data)
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("bus", "*-shm"))
    for pack in (to / "packs").glob("*.pack"):
        cut(pack, len(pack.read_bytes().rstrip(b"\0")))  # what is allocated ahead would only cost time
    return to


def save_directory(data: Path) -> None:
    """Write `directory.json`, as the server does at each change of it."""
    with closing(connect(data, writable=False)) as connection:
        save(Reader(connection), data)


def cut(path: Path, size: int) -> None:
    """Shorten a file."""
    with path.open("r+b") as file:
        file.truncate(size)


def start(data: Path, *, thorough: bool = True) -> Mended:
    """What a start of the server does with the store."""
    mended = mend(data, thorough=thorough, progress=lambda _done, _all: None)
    prepare_data(data)
    return mended


def shown(data: Path) -> Seen:
    """What a client sees."""
    desk = Desk.__new__(Desk)
    desk.data, desk.account_id = data, 1

    async def look(account: Account) -> Seen:
        return everything(account)

    return desk.run(look)


def problems(data: Path) -> list[str]:
    """What `store check` says."""
    with open_offline(data) as database, closing(PackReader(data / "packs")) as packs:
        return [problem.what for problem in database.read(lambda r: list(check(r, packs)))]


def at_each(moment: str, do: Callable[[], None]) -> Callable[[ActivePack], None]:
    """A method of the pack that also does something at the end of it."""
    real = getattr(ActivePack, moment)

    def both(self: ActivePack) -> None:
        real(self)
        do()

    return both
