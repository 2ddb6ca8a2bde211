"""What can be asked of one account's mail: short looks, run where they are called."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Row
from postroad.model.flags import Flag
from postroad.model.rights import ALL_RIGHTS, Anyone, Rights
from postroad.store import entries, mailboxes
from postroad.store.annotating import MessageAnnotations
from postroad.store.blobs.reader import PackReader
from postroad.store.crossing import Place
from postroad.store.errors import Damaged, NoSuchMailbox
from postroad.store.listing import Listing
from postroad.store.listings import OWNER, STATE, Listings, changes
from postroad.store.messages import (
    PLACE,
    Column,
    StoredMessage,
    open_message,
    open_messages,
    open_run,
    wide_columns,
)
from postroad.store.metadata import Metadata
from postroad.store.neighbours import Neighbours, side_by_side
from postroad.store.quota import quota_of
from postroad.store.saved import saved_dates
from postroad.store.shares import Shares
from postroad.store.tombstones import vanished
from postroad.store.types import (
    Changes,
    Entry,
    Mailbox,
    Quota,
    Ranges,
)

_MANY: Final = 2000
"""Tombstones that are not read on the loop: 1 ms."""


class AccountReading:
    """Everything that a session may look at; what it may change is in `store.account`."""

    __slots__ = ("_database", "_keep", "_limits", "_listings", "_packs", "id")

    def __init__(
        self,
        account_id: int,
        database: Database,
        packs: PackReader,
        listings: Listings,
        limits: Limits,
        *,
        keep: bool,
    ) -> None:
        """With `keep` what is deleted can be restored for a while (`store.kept`)."""
        self.id = account_id
        self._keep = keep
        self._limits = limits
        self._database = database
        self._packs = packs
        self._listings = listings

    @property
    def user_id(self) -> int:
        """Who uses it: its owner (but see `store.guest`)."""
        return self.id

    @property
    def anyone(self) -> Anyone:
        """For whom `anyone` stands; to the owner it makes no difference (but see `store.guest`)."""
        return "nobody"

    def rights(self, mailbox_id: int) -> Rights:
        """What the user may do with a mailbox: with an own one everything."""
        return ALL_RIGHTS

    def place(self, mailbox_id: int) -> Place:
        """One of its mailboxes, and who looks at it."""
        return Place(self.id, mailbox_id, self.user_id, self.anyone)

    def mailboxes(self) -> list[Mailbox]:
        """All mailboxes, INBOX first, then by name."""
        return self._database.ask(lambda r: mailboxes.all_mailboxes(r, self.id))

    def mailbox(self, name: str) -> Mailbox | None:
        """The mailbox of that name; INBOX in any case."""
        return mailboxes.by_name(self._database, self.id, name)

    def mailbox_by_id(self, mailbox_id: int) -> Mailbox | None:
        """The mailbox of that id."""
        return mailboxes.by_id(self._database, self.id, mailbox_id)

    def latest(self) -> int:
        """The account's one counter: while it stays, so does everything in it; 0 when it is gone."""
        row = self._database.row("SELECT modseq FROM account WHERE id = ?", self.id)
        return 0 if row is None else row[0]

    def overview(self) -> tuple[int, list[Row], list[str]]:
        """The counter, every mailbox and the subscribed names, as of one moment.

        A row is id, UIDVALIDITY, UIDNEXT, messages, unseen, modseq and name.
        """

        def look(reader: Reader) -> tuple[int, list[Row], list[str]]:
            modseq = reader.value("SELECT modseq FROM account WHERE id = ?", self.id)
            rows = reader.rows(mailboxes.OVERVIEW, self.id)
            names = reader.rows("SELECT name FROM subscription WHERE account_id = ? ORDER BY name", self.id)
            return int(modseq or 0), list(rows), [name for (name,) in names]

        return self._database.read(look)

    def is_withdrawn(self, name: str) -> bool:
        """Whether there is a mailbox of that name that the user must not know of."""
        return False

    def subscriptions(self) -> list[str]:
        """Subscribed names, of mailboxes that are gone too (RFC 3501 §6.3.6)."""
        rows = self._database.ask(
            lambda r: r.rows("SELECT name FROM subscription WHERE account_id = ? ORDER BY name", self.id)
        )
        return [name for (name,) in rows]

    def metadata(self) -> Metadata:
        """What is noted about its mailboxes, and about the server, as its owner sees it (RFC 5464)."""
        return Metadata(self.id, self.id, self._database, self._limits)

    def message_annotations(self) -> MessageAnnotations:
        """What is noted about its messages, as the user sees it (RFC 5257)."""
        return MessageAnnotations(self.id, self.user_id, self._database)

    def shares(self) -> Shares:
        """With whom its mailboxes are shared (RFC 4314)."""
        return Shares(self.id, self.user_id, self.anyone, self._database)

    async def listing(self, mailbox_id: int) -> Listing:
        """The mailbox in packed columns as of now; all sessions share it, so keep nothing of it.

        Raises:
            NoSuchMailbox
        """
        return await self._listings.get(self.id, mailbox_id)

    def listing_as_of(self, mailbox_id: int, modseq: int) -> Listing | None:
        """The same, for who knows that nothing has happened since; None where `listing` is to be asked."""
        return self._listings.as_of(modseq, (self.id, mailbox_id, OWNER))

    def changes(self, mailbox_id: int, since: int) -> Changes:
        """What happened after modseq `since`."""
        return self._database.read(lambda r: changes(r, self.id, mailbox_id, since))

    async def vanished(self, mailbox_id: int, since: int) -> list[int] | None:
        """The UIDs expunged after modseq `since`, ascending; None where not all are known any more."""
        gone = self._database.read(lambda r: vanished(r, self.id, mailbox_id, since, _MANY))
        if gone is None or len(gone) < _MANY:
            return gone
        return await self._database.read_long(lambda r: vanished(r, self.id, mailbox_id, since))

    def entries(self, mailbox_id: int, uids: Ranges) -> list[Entry]:
        """The narrow rows of `uids`, by UID; ask for bounded ranges."""
        return self._database.read(lambda r: entries.select_entries(r, self.id, mailbox_id, uids))

    def unseen(self, mailbox: Mailbox) -> int:
        """How many of its messages the user has not seen."""
        return mailbox.unseen

    def count_from(self, mailbox_id: int, uid: int) -> int:
        """How many messages have this UID or a later one."""
        sql = "SELECT count(*) FROM entry WHERE account_id = ? AND mailbox_id = ? AND uid >= ?"
        return int(self._database.ask(lambda r: r.value(sql, self.id, mailbox_id, uid)))

    def size_of_deleted(self, mailbox_id: int) -> int:
        """Octets of the messages with \\Deleted."""
        sql = "SELECT total(size) FROM entry WHERE account_id = ? AND mailbox_id = ? AND flags & ?"
        return int(self._database.ask(lambda r: r.value(sql, self.id, mailbox_id, int(Flag.DELETED))))

    def rendered(self, message_ids: Sequence[int], columns: Sequence[str]) -> tuple[list[int], list[Column]]:
        """Columns of the wide rows (`envelope` …), and whose they are: what is gone is missing, each once."""
        return self._database.ask(lambda r: wide_columns(r, self.id, message_ids, columns))

    def saved_dates(self, mailbox_id: int, uids: Sequence[int]) -> dict[int, int]:
        """When ascending UIDs came into a mailbox, in seconds since the epoch; what is gone is missing."""
        if not uids:
            return {}
        return self._database.ask(lambda r: saved_dates(r, self.id, mailbox_id, uids[0], uids[-1]))

    def open(self, message_id: int) -> StoredMessage:
        """A message by its key.

        Raises:
            NoSuchMessage
        """
        return self._database.ask(lambda r: open_message(r, self._packs, self.id, message_id))

    def has(self, message_id: int) -> bool:
        """Whether a message is in any mailbox; one that is only kept to be restored is not."""
        sql = "SELECT 1 FROM entry WHERE account_id = ? AND message_id = ?"
        return self._database.ask(lambda r: r.row(sql, self.id, message_id)) is not None

    def side_by_side(self, messages: Iterable[StoredMessage]) -> Iterator[Neighbours]:
        """Read small messages many at a time; what cannot be read, or is large, is left out."""
        for group in side_by_side(messages):
            with suppress(Damaged):
                yield Neighbours(group, self._packs)

    def open_all(self, message_ids: Sequence[int]) -> dict[int, StoredMessage]:
        """Those of the messages that are still there, by key."""
        if len(message_ids) == 1:
            # Clients ask for one message, and again for each of its parts.
            row = self._database.row(PLACE, self.id, message_ids[0])
            return {} if row is None else {message_ids[0]: StoredMessage(self._packs, *row)}
        return self._database.ask(lambda r: open_messages(r, self._packs, self.id, message_ids))

    def modseq(self, mailbox_id: int) -> int:
        """The latest change of a mailbox: while it stays, so does all that is in it; 0 when it is gone."""
        state = self._database.row(STATE, self.id, mailbox_id)
        return 0 if state is None else state[0]

    def open_run(self, mailbox_id: int, first: int, last: int) -> tuple[int, dict[int, StoredMessage]]:
        """The messages of a mailbox from one UID to another, by UID, and its modseq at that moment."""

        def look(reader: Reader) -> tuple[int, dict[int, StoredMessage]]:
            state = reader.row(STATE, self.id, mailbox_id)
            if state is None:
                return 0, {}
            return state[0], open_run(reader, self._packs, self.id, mailbox_id, (first, last))

        return self._database.read(look)

    def quota(self) -> Quota:
        """Use and limits.

        Raises:
            NoSuchMailbox: the account is gone.
        """
        quota = self._database.ask(lambda r: quota_of(r, self.id))
        if quota is None:
            raise NoSuchMailbox(f"account {self.id} is gone")
        return quota
