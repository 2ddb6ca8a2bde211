"""A data directory, a key, a target, and everything that is done with them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from postroad.backup import keys
from postroad.backup import manifest as manifests
from postroad.backup.create import Made, create
from postroad.backup.fetch import Fetcher, file_of
from postroad.backup.holds import one_backup
from postroad.backup.mail import BackupSource, Wanted
from postroad.backup.manifest import Manifest
from postroad.backup.restore import Restored, restore_everything
from postroad.backup.seal import Opener, Sealer
from postroad.backup.snapshot import INDEX
from postroad.backup.targets.directory import DirectoryTarget
from postroad.backup.targets.target import Target
from postroad.backup.verify import verify_by_restoring, verify_chunks
from postroad.config.limits import Limits
from postroad.db.offline import prepare_data
from postroad.db.snapshot import read_snapshot
from postroad.importer.load import Loader
from postroad.importer.values import Report
from postroad.store.blobs.reader import PackReader
from postroad.store.check import check
from postroad.store.types import NewMessage
from tests.unit.importer.desk import ADA, Desk

ALL: Final = Wanted()


def letter(number: int, size: int = 300) -> NewMessage:
    """A message with flags, a keyword and a date of its own."""
    head = f"From: eve@elsewhere.test\r\nSubject: number {number}\r\nMessage-ID: <m{number}@e.test>\r\n\r\n"
    line = f"{number} and nothing else.\r\n"
    body = head.encode() + line.encode() * max(1, size // len(line))
    return NewMessage(body, number % 8, frozenset({f"$K{number % 3}"}), 1_700_000_000 + number)


class Vault:
    """ada@ and bob@demo.test, backed up into a directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.desk = Desk(folder / "data")
        self.key = keys.make()
        self.target: Target = DirectoryTarget(_made(folder / "target"))

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.desk.data

    @property
    def sealer(self) -> Sealer:
        """What the server has."""
        return Sealer(self.key.server)

    @property
    def fetcher(self) -> Fetcher:
        """What the operator has."""
        return Fetcher(self.target, Opener(self.key))

    def create(self, **options: Any) -> Made:
        """Make a backup."""
        with one_backup(self.data):
            return create(
                self.data, self.target, self.sealer, scratch_place=self.folder / "scratch", **options
            )

    def newest(self) -> Manifest:
        """The newest backup."""
        return manifests.read(self.target, self.sealer, manifests.choose(manifests.backup_ids(self.target)))

    def restore(self, name: str = "restored", manifest: Manifest | None = None, **options: Any) -> "Back":
        """Restore everything into a new data directory."""
        data = self.folder / name
        return Back(data, restore_everything(data, manifest or self.newest(), self.fetcher, **options))

    def pick(
        self,
        wanted: Wanted = ALL,
        *,
        into: str = "",
        address: str = "ada@demo.test",
        manifest: Manifest | None = None,
        limits: Limits | None = None,
    ) -> Report:
        """Restore mail of one account where it was, or into a mailbox of ada's."""
        manifest = manifest or self.newest()
        folder = _made(self.folder / f"index-{manifest.id}")
        self.fetcher.write(file_of(manifest, INDEX), folder / INDEX)
        prepare_data(folder)
        with self.desk.open() as (database, packs), read_snapshot(folder / INDEX) as index:
            source = BackupSource(manifest, self.fetcher, index, address, wanted)
            return Loader(database, packs, ADA, limits or Limits(), into, trusted=True).run(source)

    def verify(self) -> list[str]:
        """Restore the newest backup on trial; gives the problems."""
        folder = self.folder / "trial"
        return list(verify_by_restoring(folder, self.newest(), self.fetcher, _nobody))

    def look(self) -> list[str]:
        """Look at the chunks of the newest backup; gives the problems."""
        return list(verify_chunks(self.target, self.sealer, self.newest(), _nobody))

    def chunks(self) -> Iterator[Path]:
        """The files of all chunks, by name."""
        return iter(sorted((self.folder / "target" / "chunks").glob("*/*")))


class Back:
    """A data directory that was restored."""

    def __init__(self, data: Path, restored: Restored) -> None:
        self.data = data
        self.restored = restored

    def row(self, sql: str, *params: Any) -> Any:
        """Ask its index."""
        with Desk.over(self.data).open() as (database, _):
            return database.read(lambda reader: reader.row(sql, *params))

    def seen(self, account: int = ADA) -> Any:
        """All that a client sees."""
        return Desk.over(self.data).seen(account)

    def problems(self) -> list[str]:
        """What `store check` says."""
        with Desk.over(self.data).open() as (database, _), closing(PackReader(self.data / "packs")) as packs:
            return database.read(lambda reader: [one.what for one in check(reader, packs)])


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _nobody(_done: int, _all: int) -> None:
    """Progress that nobody watches."""
