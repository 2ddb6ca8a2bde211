"""An account into files."""

from collections.abc import Callable, Iterator
from pathlib import Path

from postroad.db.offline import OfflineDatabase
from postroad.importer import manifest
from postroad.importer.formats import FORMATS
from postroad.importer.manifest import Format, Manifest
from postroad.importer.values import Bad, Carried, Folder, Report
from postroad.model.flags import split_keywords
from postroad.store.blobs.reader import PackReader
from postroad.store.entries import SELECT_RANGE, keywords_in_use
from postroad.store.errors import Damaged, NoSuchMailbox, NoSuchMessage
from postroad.store.mailboxes import all_mailboxes
from postroad.store.messages import open_message
from postroad.store.types import Entry, Mailbox

_STEP = 500


class Exporter:
    """Reads an account, beside a running server or without one, and writes it as files.

    Every read is short, so that a long export holds nobody up. What is
    expunged while it runs may be in it or not.
    """

    def __init__(self, database: OfflineDatabase, packs: PackReader, account_id: int) -> None:
        self._database = database
        self._packs = packs
        self._account = account_id

    def run(
        self,
        address: str,
        directory: Path,
        kind: Format,
        names: tuple[str, ...] = (),
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> Report:
        """Write the mailboxes of these names, or all; `directory` is there and empty.

        `progress` is told octets done and octets in all.

        Raises:
            NoSuchMailbox: a name is none of the account's.
            OSError: the files cannot be written.
        """
        chosen = self._mailboxes(names)
        target = FORMATS[kind].target(directory)
        report, done, total = Report(), 0, sum(mailbox.size for mailbox in chosen)
        folders = []
        for mailbox in chosen:
            folder = self._folder(mailbox, target.place(mailbox.name))
            folders.append(folder)
            target.begin(folder)
            report.mailboxes += 1
            for entry in self._entries(mailbox):
                message = self._message(mailbox, entry)
                if isinstance(message, Carried):
                    target.add(entry.uid, message)
                    report.messages += 1
                elif message is not None:
                    report.bad.append(message)
                done += entry.size
                progress(min(done, total), total)
        report.bad += target.finish()
        manifest.save(directory, Manifest(format=kind, address=address, folders=folders))
        return report

    def _mailboxes(self, names: tuple[str, ...]) -> list[Mailbox]:
        found = self._database.read(lambda reader: all_mailboxes(reader, self._account))
        known = {mailbox.name for mailbox in found}
        for name in names:
            if name not in known:
                raise NoSuchMailbox(f"there is no mailbox {name}")
        return [mailbox for mailbox in found if not names or mailbox.name in names]

    def _folder(self, mailbox: Mailbox, place: str) -> Folder:
        return Folder(
            name=mailbox.name,
            special_use=mailbox.special_use,
            subscribed=mailbox.subscribed,
            place=place,
            uidvalidity=mailbox.uidvalidity,
            uidnext=mailbox.uidnext,
            keywords=tuple(
                self._database.read(lambda reader: keywords_in_use(reader, self._account, mailbox.id))
            ),
        )

    def _entries(self, mailbox: Mailbox) -> Iterator[Entry]:
        low = 1
        while True:
            place = (self._account, mailbox.id, low, mailbox.uidnext - 1, _STEP)
            rows = self._database.read(lambda reader, p=place: reader.rows(SELECT_RANGE + " LIMIT ?", *p))  # type: ignore[misc]  # the default binds the loop's value
            yield from map(Entry._make, rows)
            if len(rows) < _STEP:
                return
            low = rows[-1][0] + 1

    def _message(self, mailbox: Mailbox, entry: Entry) -> Carried | Bad | None:
        """The message of an entry; None when it was expunged meanwhile."""
        try:
            message = self._database.read(
                lambda reader: open_message(reader, self._packs, self._account, entry.message_id)
            )
        except NoSuchMessage:
            return None
        where = f"{mailbox.name}, UID {entry.uid}"
        try:
            if not message.intact():
                return Bad(where, "its octets do not match their digest")
            body = message.read(0, message.size)
        except (Damaged, OSError) as error:
            return Bad(where, str(error))
        keywords = split_keywords(entry.keywords)
        return Carried(body, entry.flags, keywords, entry.internal_date, entry.size)
