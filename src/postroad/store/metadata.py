"""What IMAP calls metadata: annotations, and what is shown as if it were one (RFC 5464, RFC 6154 §4)."""

from collections.abc import Iterable, Mapping
from typing import Final

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.store import annotations, mailboxes
from postroad.store.annotations import SERVER, Changed
from postroad.store.entries import next_modseq
from postroad.store.errors import AnnotationTooLarge, NoSuchMailbox, NoSuchUse
from postroad.store.special_use import the_use

ANY_DEPTH: Final = 1 << 30
SPECIAL_USE: Final = "/private/specialuse"
"""A column of the mailbox. It is for the owner alone: it says how the owner's mail is sorted."""
LONGEST: Final = 256 * 1024
"""Octets of a value, whatever the settings say: a line of the journal has to hold it, percent-encoded."""


class Metadata:
    """The verbs of one account's metadata, as one user sees it: the owner or another."""

    __slots__ = ("_account_id", "_database", "_limits", "_user_id")

    def __init__(self, account_id: int, user_id: int, database: Database, limits: Limits) -> None:
        self._account_id = account_id
        self._user_id = user_id
        self._database = database
        self._limits = limits

    def find(self, mailbox_id: int, names: Iterable[str], depth: int = 0) -> dict[str, bytes]:
        """Entries of these names and, up to `depth` levels, below them; those that have no value are missing.

        Names are in lower case; `annotations.SERVER` is the mailbox of entries about the server.
        """

        def look(reader: Reader) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for name in names:
                found |= annotations.find(reader, self._account_id, mailbox_id, self._user_id, name, depth)
                if self._has_use(mailbox_id) and (name == SPECIAL_USE or (name == "/private" and depth)):
                    mailbox = mailboxes.by_id(reader, self._account_id, mailbox_id)
                    if mailbox is not None and mailbox.special_use:
                        found[SPECIAL_USE] = mailbox.special_use.encode()
            return found

        return self._database.read(look)

    async def put(self, mailbox_id: int, values: Mapping[str, bytes | None]) -> int:
        """Set entries, or remove those whose value is None; all or none. Gives the modseq of the change.

        Raises:
            NoSuchMailbox, AnnotationTooLarge, TooManyAnnotations
            NoSuchUse: a special use that a mailbox cannot have.
            LimitReached: the account has no room for them.
        """
        return await self._database.write(lambda tx: self._put(tx, mailbox_id, values))

    def changed(self, since: int) -> list[Changed]:
        """What was set or removed after a modseq."""
        return self._database.ask(lambda r: annotations.changed(r, self._account_id, self._user_id, since))

    def modseq(self) -> int:
        """The latest change of the account."""
        sql = "SELECT modseq FROM account WHERE id = ?"
        return self._database.ask(lambda r: r.value(sql, self._account_id)) or 0

    def _has_use(self, mailbox_id: int) -> bool:
        return self._user_id == self._account_id and mailbox_id != SERVER

    def _put(self, tx: Transaction, mailbox_id: int, values: Mapping[str, bytes | None]) -> int:
        if mailbox_id != SERVER and mailboxes.by_id(tx, self._account_id, mailbox_id) is None:
            raise NoSuchMailbox(str(mailbox_id))
        most = min(self._limits.metadata_value, LONGEST)
        if any(value is not None and len(value) > most for value in values.values()):
            raise AnnotationTooLarge(most)
        stored = dict(values)
        uses = mailbox_id != SERVER and SPECIAL_USE in stored
        if uses:
            self._use(tx, mailbox_id, stored.pop(SPECIAL_USE))
        modseq = next_modseq(tx, self._account_id)
        if uses:
            annotations.note_change(tx, self._key(mailbox_id, SPECIAL_USE), modseq)
        changed = {
            key[2]
            for entry, value in stored.items()
            if annotations.put(tx, key := self._key(mailbox_id, entry), value, modseq)
        }
        for user_id in changed:
            annotations.bound(tx, self._account_id, mailbox_id, user_id, self._limits)
        return modseq

    def _use(self, tx: Transaction, mailbox_id: int, value: bytes | None) -> None:
        """Say what a mailbox is for; the one that was used for it changes under an earlier modseq."""
        if not self._has_use(mailbox_id):
            raise NoSuchUse("of somebody else's mailbox")
        use = the_use((value or b"").decode("utf-8", "replace").split())
        for changed_id in mailboxes.use_for(tx, self._account_id, mailbox_id, use):
            if changed_id != mailbox_id:
                modseq = next_modseq(tx, self._account_id)
                annotations.note_change(tx, self._key(changed_id, SPECIAL_USE), modseq)

    def _key(self, mailbox_id: int, entry: str) -> annotations.Key:
        return self._account_id, mailbox_id, annotations.whose_is(entry, self._user_id), entry
