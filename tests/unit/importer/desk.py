"""Two accounts in a data directory, and all that a client could see of one."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from postroad.config.limits import Limits
from postroad.db.offline import OfflineDatabase, prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.domains import add_domain
from postroad.importer.export import Exporter
from postroad.importer.formats import open_source
from postroad.importer.load import Loader
from postroad.importer.manifest import Format
from postroad.importer.values import Report
from postroad.store import mailboxes
from postroad.store.appending import append_prepared
from postroad.store.blobs.reader import PackReader
from postroad.store.crossing import Place
from postroad.store.entries import select_entries
from postroad.store.messages import open_message
from postroad.store.offline import open_offline
from postroad.store.prepare import prepare_now
from postroad.store.types import NewMessage

ADA, BOB = 1, 2


class Seen(NamedTuple):
    """A message as a client sees it, but for its UID."""

    body: bytes
    flags: int
    keywords: str
    internal_date: int


class Desk:
    """ada@demo.test and bob@demo.test."""

    def __init__(self, data: Path) -> None:
        """Make the data directory and both accounts."""
        self.data = data
        prepare_data(data)
        with self.open() as (database, _):
            database.write(lambda tx: add_domain(tx, "demo.test", who="test"))
            for name in ("ada", "bob"):
                database.write(lambda tx, name=name: add_account(tx, f"{name}@demo.test", who="test"))  # type: ignore[misc]

    @classmethod
    def over(cls, data: Path) -> "Desk":
        """Look at a data directory that has them already."""
        desk = cls.__new__(cls)
        desk.data = data
        return desk

    @contextmanager
    def open(self) -> Iterator[tuple[OfflineDatabase, PackReader]]:
        with open_offline(self.data) as database, closing(PackReader(self.data / "packs")) as packs:
            yield database, packs

    def put(self, mailbox: str, *messages: NewMessage, account: int = ADA) -> None:
        """File messages, in a mailbox that is made when it is missing."""

        def work(tx: Any) -> None:
            found = mailboxes.by_name(tx, account, mailbox) or mailboxes.create(tx, account, mailbox)
            append_prepared(
                tx,
                Place(account, found.id, account),
                [(m, prepare_now(m.body)) for m in messages],
                Limits(),
            )

        with self.open() as (database, _):
            database.write(work)

    def seen(self, account: int = ADA) -> dict[str, list[Seen]]:
        """Every mailbox with its messages, by UID."""
        found = {}
        with self.open() as (database, packs):
            for mailbox in database.read(lambda reader: mailboxes.all_mailboxes(reader, account)):

                def question(reader: Any, mailbox_id: int = mailbox.id) -> list[Seen]:
                    return [
                        Seen(
                            open_message(reader, packs, account, e.message_id).read(0, e.size),
                            e.flags,
                            e.keywords,
                            e.internal_date,
                        )
                        for e in select_entries(reader, account, mailbox_id, [(1, 2**32)])
                    ]

                found[mailbox.name] = database.read(question)
        return found

    def export(self, directory: Path, kind: Format, *names: str, account: int = ADA) -> Report:
        directory.mkdir()
        with self.open() as (database, packs):
            return Exporter(database, packs, account).run("ada@demo.test", directory, kind, names)

    def load(
        self, path: Path, *, kind: Format | None = None, into: str = "", limits: Limits | None = None
    ) -> Report:
        """Load into bob's account."""
        with self.open() as (database, packs):
            loader = Loader(database, packs, BOB, limits or Limits(), into)
            return loader.run(open_source(path, kind)[1])
