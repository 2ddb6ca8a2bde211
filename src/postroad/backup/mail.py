"""Mail of one account out of a backup: all of it, one mailbox, or one message.

It is a source for `importer.load.Loader`, which files it into the running
server and leaves out what a mailbox has already.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from postroad.backup.errors import NotInBackup, Tampered
from postroad.backup.fetch import Fetcher
from postroad.backup.manifest import Manifest
from postroad.db.transaction import Reader, Row
from postroad.directory.accounts import by_key, parsed
from postroad.importer.values import Bad, Carried, Folder, Record
from postroad.model.annotation import Annotation
from postroad.model.flags import split_keywords
from postroad.store import message_annotations
from postroad.store.blobs.pack import pack_path
from postroad.store.mailboxes import by_name
from postroad.store.message_annotations import EVERYBODY
from postroad.store.store import PACKS

_ENTRIES: Final = (
    "SELECT e.uid, e.flags, e.keywords, e.internal_date, e.size, m.prefix,"
    " o.pack, o.offset, o.length, o.digest"
    " FROM entry e JOIN message m ON m.account_id = e.account_id AND m.id = e.message_id"
    " JOIN blob o ON o.id = m.blob_id"
    " WHERE e.account_id = ? AND e.mailbox_id = ? AND e.uid > ? {} ORDER BY e.uid LIMIT ?"
)
_STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come back of an account; nothing said is all of it."""

    mailbox: str = ""
    uid: int = 0
    message_id: str = ""
    """A Message-ID, without its angle brackets."""


class BackupSource:
    """Part of an account as it was when the backup was made."""

    def __init__(
        self, manifest: Manifest, fetcher: Fetcher, index: Reader, address: str, wanted: Wanted
    ) -> None:
        """`index` asks the index of the backup, which has the schema of this program.

        Raises:
            NotInBackup
        """
        self._fetcher = fetcher
        self._index = index
        self._packs = {file.path: file for file in manifest.files}
        account = by_key(index, parsed(address).key)
        if account is None:
            raise NotInBackup(f"backup {manifest.id} has no account {address}")
        self._account = account.id
        self._filter, self._bound = "", list[int | str]()
        if wanted.uid:
            self._filter += " AND e.uid = ?"
            self._bound.append(wanted.uid)
        if wanted.message_id:
            self._filter += " AND m.msgid = ?"
            self._bound.append(wanted.message_id)
        self._mailboxes = self._choose(manifest, wanted)

    def _choose(self, manifest: Manifest, wanted: Wanted) -> dict[str, int]:
        if wanted.mailbox:
            found = by_name(self._index, self._account, wanted.mailbox)
            if found is None:
                raise NotInBackup(f"backup {manifest.id} has no mailbox {wanted.mailbox} of that account")
            chosen = {found.name: found.id}
        else:
            rows = self._index.rows(
                "SELECT name, id FROM mailbox WHERE account_id = ? ORDER BY name", self._account
            )
            chosen = dict(rows)
        if not self._filter:
            return chosen
        holding = {name: mailbox for name, mailbox in chosen.items() if self._rows(mailbox, 0)}
        if not holding:
            what = f"UID {wanted.uid}" if wanted.uid else f"<{wanted.message_id}>"
            raise NotInBackup(f"backup {manifest.id} has no message {what} there")
        return holding

    def octets(self) -> int:
        """Octets of everything wanted, for the progress."""
        if self._filter:
            return sum(row[4] for mailbox in self._mailboxes.values() for row in self._rows(mailbox, 0))
        sizes = self._index.rows("SELECT id, size FROM mailbox WHERE account_id = ?", self._account)
        wanted = set(self._mailboxes.values())
        return sum(size for mailbox, size in sizes if mailbox in wanted)

    def folders(self) -> Iterator[Folder]:
        """The mailboxes that something comes back into."""
        for name, mailbox in self._mailboxes.items():
            special_use, subscribed = self._index.row(
                "SELECT m.special_use, s.name IS NOT NULL FROM mailbox m"
                " LEFT JOIN subscription s ON s.account_id = m.account_id AND s.name = m.name"
                " WHERE m.account_id = ? AND m.id = ?",
                *(self._account, mailbox),
            ) or ("", 1)
            yield Folder(name, special_use, bool(subscribed))

    def messages(self, folder: Folder) -> Iterator[Record]:
        """The messages of one of them; a damaged one is named instead."""
        last = 0
        mailbox = self._mailboxes[folder.name]
        sql = "SELECT annotated FROM mailbox WHERE account_id = ? AND id = ?"
        annotated = self._index.value(sql, self._account, mailbox)
        while rows := self._rows(mailbox, last):
            for uid, flags, keywords, date, size, prefix, *place in rows:
                last = uid
                where = f"{folder.name}, UID {uid}"
                try:
                    body = prefix + self._body(*place)
                except Tampered as error:
                    yield Bad(where, str(error), size)
                    continue
                words = frozenset(split_keywords(keywords))
                notes = self._notes(mailbox, uid) if annotated else ()
                yield Carried(body, flags, words, date, size, where, notes)

    def _rows(self, mailbox: int, after: int) -> list[Row]:
        return self._index.rows(
            _ENTRIES.format(self._filter), self._account, mailbox, after, *self._bound, _STEP
        )

    def _notes(self, mailbox: int, uid: int) -> tuple[Annotation, ...]:
        found = message_annotations.find(self._index, (self._account, mailbox), self._account, uid, uid)
        return tuple([Annotation(note.entry, note.user_id != EVERYBODY, note.value) for note in found])

    def _body(self, pack: int, offset: int, length: int, digest: bytes) -> bytes:
        file = self._packs.get(str(pack_path(Path(PACKS), pack)))
        if file is None:
            raise Tampered(f"pack {pack} is not in the backup")
        body = self._fetcher.read(file, offset, length)
        if sha256(body).digest() != digest:
            raise Tampered("its octets were damaged before the backup was made")
        return body
