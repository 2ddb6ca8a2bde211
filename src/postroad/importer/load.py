"""Files into an account."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from postroad.config.limits import Limits
from postroad.db.offline import OfflineDatabase
from postroad.db.transaction import Reader, Row, Transaction
from postroad.importer.names import INBOX, possible
from postroad.importer.values import Bad, Carried, Folder, Report, Source, fault
from postroad.message.header import HeaderBlock
from postroad.message.message_id import parse_message_id
from postroad.store.appending import append_prepared
from postroad.store.blobs.reader import PackReader
from postroad.store.crossing import Place
from postroad.store.errors import NoSuchMessage, OverQuota, StoreError
from postroad.store.mailboxes import SEPARATOR, by_name, create, subscribe
from postroad.store.messages import open_message
from postroad.store.prepare import prepare_now
from postroad.store.types import Mailbox, NewMessage

BATCH: Final = 100
BATCH_OCTETS: Final = 8 * 1024 * 1024
"""A transaction, with its two syncs, carries so many messages or so many octets."""


_TAKEN_ONCE: Final = Limits(annotation_entries=1 << 31, annotation_value=1 << 31, annotation_size=1 << 62)
"""Annotations come from a store of ours alone: they were within its limits once."""


class AccountFull(Exception):
    """The quota has no room for more; what the report counts is in."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


@dataclass(slots=True)
class _Present:
    """What a mailbox held before: a message that comes again is not filed again, each of them once."""

    by_id: dict[tuple[str, int], list[int]]

    @classmethod
    def of(cls, rows: list[Row]) -> "_Present":
        found: dict[tuple[str, int], list[int]] = {}
        for message_id, msgid, size in rows:
            found.setdefault((msgid, size), []).append(message_id)
        return cls(found)

    def take(self, body: bytes, same: Callable[[int], bool]) -> bool:
        msgid = parse_message_id(HeaderBlock.parse(body).first(b"message-id") or b"")
        candidates = self.by_id.get((msgid, len(body)), [])
        for message_id in candidates:
            if same(message_id):
                candidates.remove(message_id)
                return True
        return False


class Loader:
    """Files messages into an account, beside a running server or without one."""

    def __init__(
        self,
        database: OfflineDatabase,
        packs: PackReader,
        account_id: int,
        limits: Limits,
        into: str = "",
        *,
        trusted: bool = False,
    ) -> None:
        """With `into`, a mailbox name, everything comes to lie in that mailbox and below it.

        What comes from a store of ours is `trusted`: it was taken once, whatever it looks like.
        """
        self._database = database
        self._packs = packs
        self._account = account_id
        self._limits = limits
        self._into = into
        self._trusted = trusted
        self._report = Report()

    def run(self, source: Source, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Report:
        """File everything; what is damaged is named and skipped.

        `progress` is told octets done and octets in all.

        Raises:
            AccountFull: the quota is used up.
            Unavailable: the disk is full or failing.
        """
        done, total = 0, source.octets()
        for folder in source.folders():
            try:
                mailbox = self._mailbox(folder)
            except StoreError as error:
                self._report.bad.append(Bad(folder.name, f"cannot be a mailbox here: {error}"))
                continue
            present = self._present(mailbox)
            batch, octets = list[Carried](), 0
            for record in source.messages(folder):
                done += record.read
                if isinstance(record, Bad):
                    self._report.bad.append(record)
                elif self._wanted(record, present):
                    batch.append(record)
                    octets += len(record.body)
                if len(batch) >= BATCH or octets >= BATCH_OCTETS:
                    self._file(mailbox, batch)
                    batch, octets = [], 0
                progress(min(done, total), total)
            self._file(mailbox, batch)
        progress(total, total)
        return self._report

    def _wanted(self, message: Carried, present: _Present) -> bool:
        why = "" if self._trusted else fault(message.body, self._limits.message_size)
        if why:
            self._report.bad.append(Bad(message.where, why))
            return False
        if present.take(message.body, partial(self._same, message.body)):
            self._report.present += 1
            return False
        return True

    def _mailbox(self, folder: Folder) -> Mailbox:
        name = possible(folder.name)
        if self._into:
            name = self._into if name == INBOX else f"{self._into}{SEPARATOR}{name}"
        found = self._database.read(lambda reader: by_name(reader, self._account, name))
        return found or self._database.write(partial(self._create, folder=folder, name=name))

    def _create(self, tx: Transaction, *, folder: Folder, name: str) -> Mailbox:
        self._report.mailboxes += 1
        special_use = "" if self._into else folder.special_use
        made = create(tx, self._account, name, special_use, self._limits)
        if folder.subscribed:
            subscribe(tx, self._account, name, on=True)
        return made

    def _present(self, mailbox: Mailbox) -> _Present:
        sql = (
            "SELECT m.id, m.msgid, m.size FROM entry e"
            " JOIN message m ON m.account_id = e.account_id AND m.id = e.message_id"
            " WHERE e.account_id = ? AND e.mailbox_id = ?"
        )
        return _Present.of(self._database.read(lambda reader: reader.rows(sql, self._account, mailbox.id)))

    def _same(self, body: bytes, message_id: int) -> bool:
        def question(reader: Reader) -> bool:
            message = open_message(reader, self._packs, self._account, message_id)
            return message.read(0, message.size) == body

        try:
            return self._database.read(question)
        except NoSuchMessage:
            return False

    def _file(self, mailbox: Mailbox, batch: list[Carried]) -> None:
        if not batch:
            return
        messages = [
            (
                NewMessage(m.body, m.flags, m.keywords, m.internal_date, m.annotations),
                prepare_now(m.body),
            )
            for m in batch
        ]
        place = Place(self._account, mailbox.id, self._account)
        try:
            self._database.write(lambda tx: append_prepared(tx, place, messages, _TAKEN_ONCE))
        except OverQuota:
            if len(batch) == 1:
                raise AccountFull(self._report) from None
            for message in batch:  # as many as there is room for
                self._file(mailbox, [message])
            return
        self._report.messages += len(batch)
