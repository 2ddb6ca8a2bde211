"""Keys that authorize URLs of messages, one of each mailbox (RFC 4467 §2.2)."""

import secrets
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.store.entries import next_modseq

_OCTETS: Final = 32
_PUT: Final = "INSERT OR REPLACE INTO url_key (account_id, mailbox_id, key, modseq) VALUES (?, ?, ?, ?)"
_RESET: Final = "SELECT modseq FROM url_key WHERE account_id = ? AND mailbox_id = ?"


class UrlKeys:
    """The keys of one account's mailboxes; in the index alone: a rebuilt one knows no URL any more."""

    __slots__ = ("_account_id", "_database")

    def __init__(self, account_id: int, database: Database) -> None:
        self._account_id = account_id
        self._database = database

    def key(self, mailbox_id: int) -> bytes | None:
        """The key of a mailbox that has one."""
        sql = "SELECT key FROM url_key WHERE account_id = ? AND mailbox_id = ?"
        row = self._database.ask(lambda r: r.row(sql, self._account_id, mailbox_id))
        return None if row is None else bytes(row[0])

    async def made(self, mailbox_id: int) -> bytes:
        """The key of a mailbox, made where there is none (RFC 4467 §7 GENURLAUTH)."""
        key = self.key(mailbox_id)
        if key is None:
            fresh = secrets.token_bytes(_OCTETS)
            sql = "INSERT OR IGNORE INTO url_key (account_id, mailbox_id, key) VALUES (?, ?, ?)"
            await self._database.write(lambda tx: tx.run(sql, self._account_id, mailbox_id, fresh))
            key = self.key(mailbox_id) or fresh
        return key

    async def renew(self, mailbox_id: int) -> int:
        """Put another key in its place: URLs so far are worth nothing any more (§7 RESETKEY).

        That counts as a change of the mailbox, so that all its sessions hear of it; gives its modseq.
        """
        fresh = secrets.token_bytes(_OCTETS)

        def work(tx: Transaction) -> int:
            modseq = next_modseq(tx, self._account_id)
            place = (self._account_id, mailbox_id)
            tx.run("UPDATE mailbox SET modseq = ? WHERE account_id = ? AND id = ?", modseq, *place)
            tx.run(_PUT, *place, fresh, modseq)
            return modseq

        return await self._database.write(work)

    def reset_at(self, mailbox_id: int) -> int:
        """The modseq at which the key of a mailbox was last reset; 0: never."""
        row = self._database.row(_RESET, self._account_id, mailbox_id)
        return 0 if row is None else int(row[0])

    async def drop_all(self) -> None:
        """The same for all mailboxes."""
        sql = "DELETE FROM url_key WHERE account_id = ?"
        await self._database.write(lambda tx: tx.run(sql, self._account_id))
