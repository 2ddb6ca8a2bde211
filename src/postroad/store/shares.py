"""The verbs of sharing an account's mailboxes (RFC 4314 §3); rights are decided in `store.sharing`."""

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.model.rights import Anyone, Rights
from postroad.store import mailboxes, sharing
from postroad.store.errors import NoSuchMailbox
from postroad.store.sharing import Grant


class Shares:
    """How the mailboxes of an account are shared, as one user may see and change it."""

    __slots__ = ("_account_id", "_anyone", "_database", "_user_id")

    def __init__(self, account_id: int, user_id: int, anyone: Anyone, database: Database) -> None:
        self._account_id = account_id
        self._user_id = user_id
        self._anyone = anyone
        self._database = database

    def owner(self) -> str:
        """The address of the account."""
        sql = "SELECT address FROM account WHERE id = ?"
        return self._database.ask(lambda r: r.value(sql, self._account_id)) or ""

    def user_named(self, identifier: str) -> int | None:
        """The user whom an identifier means, `sharing.ANYONE` for all; None where there is none."""
        return self._database.ask(lambda r: sharing.user_of(r, identifier))

    def grants(self, mailbox_id: int) -> list[Grant]:
        """The list of a mailbox, without its owner."""
        return self._database.ask(lambda r: sharing.grants(r, self._account_id, mailbox_id))

    async def change(
        self, mailbox_id: int, to_id: int, *, negative: bool, rights: Rights | None, mode: str
    ) -> None:
        """Change the list of a mailbox (`sharing.change`), with the right `a`.

        Raises:
            NoSuchMailbox, NotAllowed, LimitReached
        """

        def work(tx: Transaction) -> None:
            if mailboxes.by_id(tx, self._account_id, mailbox_id) is None:
                raise NoSuchMailbox(str(mailbox_id))
            sharing.need(tx, self._account_id, mailbox_id, self._user_id, "a", self._anyone)
            sharing.change(
                tx, self._account_id, mailbox_id, to_id, negative=negative, rights=rights, mode=mode
            )

        await self._database.write(work)
