"""The verbs of one account's mail. One await is one transaction is one durable change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Literal

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.flags import Flag
from postroad.model.refusal import Unavailable
from postroad.model.rights import ALL_RIGHTS, Rights
from postroad.store import entries, mailboxes
from postroad.store.appending import append_prepared
from postroad.store.blobs.reader import PackReader
from postroad.store.crossing import Place, carry
from postroad.store.errors import Damaged, NoSuchMailbox, NoSuchMessage, OverQuota
from postroad.store.listing import Listing
from postroad.store.listings import STATE, Listings, changes
from postroad.store.messages import (
    Column,
    StoredMessage,
    keep_ancestors,
    open_message,
    open_messages,
    open_run,
    wide_columns,
)
from postroad.store.metadata import Metadata
from postroad.store.neighbours import Neighbours, side_by_side
from postroad.store.parts import PART, parts
from postroad.store.prepare import INLINE, Prepared, prepare
from postroad.store.quota import quota_of
from postroad.store.saved import saved_dates
from postroad.store.shares import Shares
from postroad.store.tombstones import vanished
from postroad.store.types import (
    Changes,
    CopyResult,
    Entry,
    FlagsResult,
    Mailbox,
    NewMessage,
    Quota,
    Ranges,
)

EVERYTHING: Final = ((1, 2**32 - 1),)
_MANY: Final = 2000
"""Tombstones that are not read on the loop: 1 ms."""


class Account:
    """Everything a session may do with one account's mail.

    Reads are short and run where they are called; writes are awaited and
    durable when they return. It holds no state: make one whenever needed.
    """

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

    def rights(self, mailbox_id: int) -> Rights:
        """What the user may do with a mailbox: with an own one everything."""
        return ALL_RIGHTS

    def place(self, mailbox_id: int) -> Place:
        """One of its mailboxes, and who looks at it."""
        return Place(self.id, mailbox_id, self.user_id)

    # -- mailboxes ---------------------------------------------------------

    def mailboxes(self) -> list[Mailbox]:
        """All mailboxes, INBOX first, then by name."""
        return self._database.ask(lambda r: mailboxes.all_mailboxes(r, self.id))

    def mailbox(self, name: str) -> Mailbox | None:
        """The mailbox of that name; INBOX in any case."""
        return self._database.ask(lambda r: mailboxes.by_name(r, self.id, name))

    def mailbox_by_id(self, mailbox_id: int) -> Mailbox | None:
        """The mailbox of that id."""
        return self._database.ask(lambda r: mailboxes.by_id(r, self.id, mailbox_id))

    def latest(self) -> int:
        """The account's one counter: while it stays, so does everything in it; 0 when it is gone."""
        value = self._database.ask(lambda r: r.value("SELECT modseq FROM account WHERE id = ?", self.id))
        return int(value or 0)

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

    def subscriptions(self) -> list[str]:
        """Subscribed names, of mailboxes that are gone too (RFC 3501 §6.3.6)."""
        rows = self._database.ask(
            lambda r: r.rows("SELECT name FROM subscription WHERE account_id = ? ORDER BY name", self.id)
        )
        return [name for (name,) in rows]

    async def create(self, name: str, special_use: str = "") -> Mailbox:
        """Make a mailbox and the missing ones above it.

        Raises:
            AlreadyExists, BadMailboxName, LimitReached
        """
        return await self._database.write(
            lambda tx: mailboxes.create(tx, self.id, name, special_use, self._limits)
        )

    async def delete(self, mailbox_id: int) -> None:
        """Remove a mailbox and what is in it.

        Raises:
            NoSuchMailbox, Conflict: it is INBOX.
        """
        await self._database.write(lambda tx: mailboxes.delete(tx, self.id, mailbox_id, keep=self._keep))

    async def rename(self, mailbox_id: int, new_name: str) -> None:
        """Rename a mailbox and those below it; the messages of INBOX are moved instead.

        Raises:
            NoSuchMailbox, AlreadyExists, BadMailboxName, Conflict
        """
        await self._database.write(
            lambda tx: mailboxes.rename(tx, self.id, mailbox_id, new_name, self._limits)
        )

    async def rename_level(self, old: str, new_name: str) -> None:
        """Rename a level of the hierarchy that is no mailbox itself (RFC 3501 §6.3.5)."""
        await self._database.write(lambda tx: mailboxes.rename_tree(tx, self.id, old, new_name, self._limits))

    async def subscribe(self, name: str, on: bool) -> None:
        """Subscribe to a name, or no longer."""
        await self._database.write(lambda tx: mailboxes.subscribe(tx, self.id, name, on, self._limits))

    def metadata(self) -> Metadata:
        """What is noted about its mailboxes, and about the server, as its owner sees it (RFC 5464)."""
        return Metadata(self.id, self.id, self._database, self._limits)

    def shares(self) -> Shares:
        """With whom its mailboxes are shared (RFC 4314)."""
        return Shares(self.id, self.user_id, self._database)

    # -- what is in a mailbox ---------------------------------------------

    async def listing(self, mailbox_id: int) -> Listing:
        """The mailbox in packed columns as of now; all sessions share it, so keep nothing of it.

        Raises:
            NoSuchMailbox
        """
        return await self._listings.get(self.id, mailbox_id)

    def changes(self, mailbox_id: int, since: int) -> Changes:
        """What happened after modseq `since`."""
        state = self._database.ask(lambda r: r.row(STATE, self.id, mailbox_id))
        if state is not None and state[0] == since:
            return Changes(since, state[1], [], [])
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

    async def keep_ancestors(self, ancestors: Mapping[int, str]) -> None:
        """Keep whom messages answer, which an earlier schema did not know, beside their other columns."""
        await self._database.write(lambda tx: keep_ancestors(tx, self.id, ancestors))

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
        return self._database.ask(lambda r: open_messages(r, self._packs, self.id, message_ids))

    def modseq(self, mailbox_id: int) -> int:
        """The latest change of a mailbox: while it stays, so does all that is in it; 0 when it is gone."""
        state = self._database.ask(lambda r: r.row(STATE, self.id, mailbox_id))
        return 0 if state is None else int(state[0])

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

    # -- changes ------------------------------------------------------------

    async def claim_recent(self, mailbox_id: int) -> int:
        """The first UID that is \\Recent for the caller, and for nobody after it (RFC 3501 §2.3.2)."""
        mailbox = self.mailbox_by_id(mailbox_id)
        if mailbox is None:
            raise NoSuchMailbox(str(mailbox_id))
        if mailbox.recent_from == mailbox.uidnext:
            return mailbox.uidnext
        try:
            return await self._database.write(lambda tx: mailboxes.claim_recent(tx, self.id, mailbox_id))
        except Unavailable:
            # A full disk: people must be able to read, and a later session will see what is new.
            return mailbox.uidnext

    async def store_flags(
        self,
        mailbox_id: int,
        uids: Ranges,
        mode: Literal["set", "add", "remove"],
        flags: int,
        keywords: frozenset[str] = frozenset(),
        unchanged_since: int | None = None,
    ) -> FlagsResult:
        """Change flags of all `uids` that exist; of very many in several transactions.

        Raises:
            LimitReached: too many or too long keywords.
        """
        done: FlagsResult | None = None
        for part in await self._parts(mailbox_id, uids):
            result = await self._database.write(
                partial(
                    entries.store_flags,
                    account_id=self.id,
                    mailbox_id=mailbox_id,
                    uids=part,
                    mode=mode,
                    flags=flags,
                    keywords=keywords,
                    unchanged_since=unchanged_since,
                )
            )
            done = result if done is None else done.followed_by(result)
        return done or FlagsResult(0, 0, [], [])

    async def append(self, mailbox_id: int, messages: Sequence[NewMessage]) -> tuple[int, list[int]]:
        """File messages, all or none; give the mailbox's UIDVALIDITY and the new UIDs.

        Raises:
            OverQuota, NoSuchMailbox, LimitReached
        """
        octets = sum(len(message.body) for message in messages)
        if octets > INLINE:  # early, before megabytes are rendered
            room = self.quota().room
            if room is not None and octets > room:
                raise OverQuota(f"{room} octets are left")
        prepared = [await prepare(message.body) for message in messages]
        return await self._database.write(
            lambda tx: self.file(tx, mailbox_id, list(zip(messages, prepared, strict=True)))
        )

    async def replace(
        self, mailbox_id: int, uid: int, target: "Account", target_id: int, message: NewMessage
    ) -> tuple[int, int]:
        """Remove a message and file another, both or neither; give UIDVALIDITY and UID of the new one.

        The old one goes first, so that quota is judged by what there is in the
        end (RFC 8508 §3.4). It can be restored like any that was expunged.

        Raises:
            OverQuota, NoSuchMailbox, LimitReached, NotAllowed
            NoSuchMessage: the old one is gone already.
        """
        prepared = await prepare(message.body)

        def work(tx: Transaction) -> tuple[int, int]:
            if not self.remove(tx, mailbox_id, uid):
                raise NoSuchMessage(str(uid))
            uidvalidity, [new_uid] = target.file(tx, target_id, [(message, prepared)])
            return uidvalidity, new_uid

        return await self._database.write(work)

    def file(
        self, tx: Transaction, mailbox_id: int, messages: Sequence[tuple[NewMessage, Prepared]]
    ) -> tuple[int, list[int]]:
        """File messages within a transaction, as `append` does."""
        return append_prepared(tx, self.id, mailbox_id, messages)

    def remove(self, tx: Transaction, mailbox_id: int, uid: int) -> bool:
        """Remove one message within a transaction; whether it was there."""
        return bool(entries.expunge(tx, self.id, mailbox_id, ((uid, uid),), False, keep=self._keep))

    async def copy(
        self, mailbox_id: int, uids: Ranges, target_id: int, count: int | None = None
    ) -> CopyResult:
        """Copy messages, all or none.

        Raises:
            OverQuota, NoSuchMailbox
            NoSuchMessage: there are fewer than `count`.
        """
        return await self._database.write(
            lambda tx: entries.copy(tx, self.id, mailbox_id, uids, target_id, count)
        )

    async def move(
        self, mailbox_id: int, uids: Ranges, target_id: int, count: int | None = None
    ) -> CopyResult:
        """Move messages in one transaction.

        Raises:
            NoSuchMailbox
            NoSuchMessage: there are fewer than `count`.
        """
        return await self._database.write(
            lambda tx: entries.move(tx, self.id, mailbox_id, uids, target_id, count)
        )

    async def carry(
        self,
        mailbox_id: int,
        uids: Ranges,
        target: "Account",
        target_id: int,
        count: int | None,
        *,
        move: bool,
    ) -> CopyResult:
        """Copy or move messages to a mailbox of whatever account, as far as the user may.

        Raises:
            as `copy` does, and NotAllowed.
        """
        if self.id == self.user_id == target.id:
            work = self.move if move else self.copy
            return await work(mailbox_id, uids, target_id, count)
        source, to = self.place(mailbox_id), target.place(target_id)
        return await self._database.write(
            lambda tx: carry(tx, source, uids, to, count, move=move, keep=self._keep)
        )

    async def expunge(
        self, mailbox_id: int, uids: Ranges | None = None, *, only_deleted: bool = True
    ) -> list[int]:
        """Remove messages; give the UIDs that vanished. Only an operator can bring them back.

        Very many go in several transactions, but with `only_deleted=False`
        (POP3's UPDATE) all or none.
        """
        if not only_deleted:
            return await self._database.write(
                lambda tx: entries.expunge(tx, self.id, mailbox_id, uids, only_deleted, keep=self._keep)
            )
        gone: list[int] = []
        wanted = EVERYTHING if uids is None else uids
        for part in await self._parts(mailbox_id, wanted):
            gone += await self._database.write(
                partial(
                    entries.expunge,
                    account_id=self.id,
                    mailbox_id=mailbox_id,
                    uids=part,
                    only_deleted=only_deleted,
                    keep=self._keep,
                )
            )
        return gone

    async def _parts(self, mailbox_id: int, uids: Ranges) -> Iterable[Ranges]:
        """Cut `uids` into what may go in one transaction each; for few nobody has to look what is there."""
        if sum(high - low + 1 for low, high in uids) <= PART:
            return [uids] if uids else []
        return parts((await self.listing(mailbox_id)).uids, uids)
