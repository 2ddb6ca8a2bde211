"""The verbs of somebody else's account, for a user who has rights to some of its mailboxes (RFC 4314).

Whatever changes something looks at the rights in the transaction that makes
the change. Reads trust their caller to have looked.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from msgspec.structs import replace

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.flags import SEEN
from postroad.model.rights import Anyone, Rights, changeable
from postroad.store import entries, mailboxes, seen, sharing
from postroad.store.account import EVERYTHING, Account
from postroad.store.annotating import need_rights
from postroad.store.appending import append_prepared
from postroad.store.blobs.reader import PackReader
from postroad.store.crossing import mark_seen
from postroad.store.errors import NoSuchMailbox, NotAllowed
from postroad.store.guest_flags import store_flags
from postroad.store.listing import Listing
from postroad.store.listings import STATE, Listings, changes
from postroad.store.metadata import Metadata
from postroad.store.parts import Told, nobody
from postroad.store.prepare import Prepared, prepare
from postroad.store.types import Changes, CopyResult, Entry, FlagsResult, Mailbox, NewMessage, Ranges


class GuestAccount(Account):
    """Another's account; names of its mailboxes are given as the user knows them, with `prefix`."""

    __slots__ = ("_anyone", "_user_id", "prefix")

    def __init__(
        self,
        account_id: int,
        user_id: int,
        prefix: str,
        database: Database,
        packs: PackReader,
        listings: Listings,
        limits: Limits,
        *,
        keep: bool,
        anyone: Anyone,
    ) -> None:
        """`prefix` stands before its names (`store.namespaces`), `anyone` says for whom that word stands."""
        super().__init__(account_id, database, packs, listings, limits, keep=keep)
        self._user_id = user_id
        self._anyone = anyone
        self.prefix = prefix

    @property
    def user_id(self) -> int:
        """Who uses it."""
        return self._user_id

    @property
    def anyone(self) -> Anyone:
        """For whom `anyone` stands."""
        return self._anyone

    def rights(self, mailbox_id: int) -> Rights:
        """What the user may do with a mailbox now."""
        return self._database.ask(
            lambda r: sharing.rights_of(r, self.id, mailbox_id, self._user_id, self._anyone)
        )

    # -- mailboxes ---------------------------------------------------------

    def mailboxes(self) -> list[Mailbox]:
        """Those that the user may see."""

        def look(reader: Reader) -> list[Mailbox]:
            there = sharing.visible(reader, self._user_id, self._anyone).get(self.id, {})
            return [m for m in mailboxes.all_mailboxes(reader, self.id) if m.id in there] if there else []

        return [self._shown(mailbox) for mailbox in self._database.read(look)]

    def mailbox(self, name: str) -> Mailbox | None:
        """The mailbox that its owner calls so; None too where the user has no right to it at all."""
        found = super().mailbox(name)
        return None if found is None or not self.rights(found.id) else self._shown(found)

    def mailbox_by_id(self, mailbox_id: int) -> Mailbox | None:
        """The mailbox of that id."""
        found = super().mailbox_by_id(mailbox_id)
        return None if found is None else self._shown(found)

    def overview(self) -> tuple[int, list[Row], list[str]]:
        """The same of the mailboxes that the user may see and read (RFC 5465 §5); unseen is by the user."""

        def look(reader: Reader) -> tuple[int, list[Row], list[str]]:
            modseq = reader.value("SELECT modseq FROM account WHERE id = ?", self.id)
            there = sharing.visible(reader, self._user_id, self._anyone).get(self.id, {})
            rows: list[Row] = []
            for row in reader.rows(mailboxes.OVERVIEW, self.id):
                if "r" in there.get(row[0], ""):
                    unseen = row[3] - seen.count(reader, self.id, row[0], self._user_id)
                    rows.append((*row[:4], max(0, unseen), row[5], self.prefix + row[6]))
            return int(modseq or 0), rows, []

        return self._database.read(look)

    def is_withdrawn(self, name: str) -> bool:
        """Whether there is a mailbox of that name that the user must not know of."""
        found = super().mailbox(name.removeprefix(self.prefix))
        return found is not None and "l" not in self.rights(found.id)

    def _shown(self, mailbox: Mailbox) -> Mailbox:
        # What is recent, and for what a mailbox is used, is the owner's affair.
        return replace(mailbox, name=self.prefix + mailbox.name, recent_from=mailbox.uidnext, special_use="")

    def unseen(self, mailbox: Mailbox) -> int:
        """How many of its messages the user has not seen."""
        count = self._database.ask(lambda r: seen.count(r, self.id, mailbox.id, self._user_id))
        return max(0, mailbox.messages - count)

    async def create(self, name: str, special_use: str = "") -> Mailbox:
        """Make a mailbox below one where the user has the right `k`; it is shared like that one."""

        def work(tx: Transaction) -> Mailbox:
            self._need_parent(tx, name)
            return mailboxes.create(tx, self.id, name, "", self._limits)

        return self._shown(await self._database.write(work))

    async def delete(self, mailbox_id: int) -> None:
        """Remove a mailbox, with the right `x`."""

        def work(tx: Transaction) -> None:
            self._need(tx, mailbox_id, "x")
            mailboxes.delete(tx, self.id, mailbox_id, keep=self._keep)

        await self._database.write(work)

    async def rename(self, mailbox_id: int, new_name: str, told: Told = nobody) -> None:
        """Rename a mailbox, with the right `x`, to below one with the right `k`."""

        def work(tx: Transaction) -> None:
            self._need(tx, mailbox_id, "x")
            self._need_parent(tx, new_name)
            found = mailboxes.by_id(tx, self.id, mailbox_id)
            if found is not None and found.name == "INBOX":
                raise NotAllowed("INBOX is the owner's")
            mailboxes.rename(tx, self.id, mailbox_id, new_name, self._limits)

        await self._database.write(work)

    async def rename_level(self, old: str, new_name: str) -> None:
        """A level that is no mailbox has no rights."""
        raise NoSuchMailbox(old)

    async def subscribe(self, name: str, on: bool) -> None:
        """Subscriptions are the user's own, under the whole name."""
        raise AssertionError("subscribe by the user's own account")

    def metadata(self) -> Metadata:
        """What is noted about its mailboxes, as the user sees it."""
        return Metadata(self.id, self._user_id, self._database, self._limits)

    # -- what is in a mailbox ---------------------------------------------

    async def listing(self, mailbox_id: int) -> Listing:
        """The mailbox in packed columns, with the \\Seen of the user."""
        return await self._listings.get(self.id, mailbox_id, self._user_id)

    def listing_as_of(self, mailbox_id: int, modseq: int) -> Listing | None:
        """The same, for who knows that nothing has happened since."""
        return self._listings.as_of(modseq, (self.id, mailbox_id, self._user_id))

    def changes(self, mailbox_id: int, since: int) -> Changes:
        """What happened after modseq `since`, to the user's \\Seen too."""
        state = self._database.ask(lambda r: r.row(STATE, self.id, mailbox_id))
        if state is not None and state[0] == since:
            return Changes(since, state[1], [], [])
        return self._database.read(lambda r: changes(r, self.id, mailbox_id, since, self._user_id))

    def entries(self, mailbox_id: int, uids: Ranges) -> list[Entry]:
        """The narrow rows of `uids`, with the \\Seen of the user."""
        return self._database.read(lambda r: seen.entries(r, self.id, mailbox_id, self._user_id, uids))

    async def claim_recent(self, mailbox_id: int) -> range:
        """Nothing is recent but for the owner."""
        if self.mailbox_by_id(mailbox_id) is None:
            raise NoSuchMailbox(str(mailbox_id))
        return range(0)

    # -- changes ------------------------------------------------------------

    async def store_flags(
        self,
        mailbox_id: int,
        uids: Ranges,
        mode: Literal["set", "add", "remove"],
        flags: int,
        keywords: frozenset[str] = frozenset(),
        unchanged_since: int | None = None,
        told: Told = nobody,
    ) -> FlagsResult:
        """Change flags as far as the user may; `NotAllowed` where that is nothing."""
        work = partial(
            store_flags,
            place=self.place(mailbox_id),
            mode=mode,
            flags=flags,
            keywords=keywords,
            unchanged_since=unchanged_since,
        )
        return await self._part_by_part(mailbox_id, uids, work, told)

    async def append(self, mailbox_id: int, messages: Sequence[NewMessage]) -> tuple[int, list[int]]:
        """File messages, with the right `i`, and with those flags that the user may set."""
        prepared = [await prepare(message.body) for message in messages]
        return await self._database.write(
            lambda tx: self.file(tx, mailbox_id, list(zip(messages, prepared, strict=True)))
        )

    def file(
        self, tx: Transaction, mailbox_id: int, messages: Sequence[tuple[NewMessage, Prepared]]
    ) -> tuple[int, list[int]]:
        """File messages within a transaction, likewise; who may not annotate them may not file them so."""
        rights = self._need(tx, mailbox_id, "i")
        for new, _ in messages:
            need_rights(rights, mailbox_id, new.annotations)
        mask = changeable(rights)
        kept = [
            (
                replace(
                    new,
                    flags=new.flags & mask & ~SEEN,
                    keywords=new.keywords if "w" in rights else frozenset(),
                ),
                prepared,
            )
            for new, prepared in messages
        ]
        uidvalidity, uids = append_prepared(tx, self.place(mailbox_id), kept, self._limits)
        uids_seen = [uid for uid, (new, _) in zip(uids, messages, strict=True) if new.flags & mask & SEEN]
        if uids_seen:
            mark_seen(tx, self.place(mailbox_id), uids_seen, on=True)
        return uidvalidity, uids

    def remove(self, tx: Transaction, mailbox_id: int, uid: int) -> bool:
        """Remove one message within a transaction, with the rights `t` and `e` (RFC 8508 §4.1)."""
        self._need(tx, mailbox_id, "te")
        return super().remove(tx, mailbox_id, uid)

    async def copy(
        self, mailbox_id: int, uids: Ranges, target_id: int, count: int | None = None
    ) -> CopyResult:
        """Copy within the account, as far as the user may."""
        return await self.carry(mailbox_id, uids, self, target_id, count, move=False)

    async def move(
        self, mailbox_id: int, uids: Ranges, target_id: int, count: int | None = None
    ) -> CopyResult:
        """Move within the account, as far as the user may."""
        return await self.carry(mailbox_id, uids, self, target_id, count, move=True)

    async def expunge(
        self,
        mailbox_id: int,
        uids: Ranges | None = None,
        *,
        only_deleted: bool = True,
        told: Told = nobody,
    ) -> list[int]:
        """Remove messages with \\Deleted, with the right `e`."""
        assert only_deleted, "POP3 opens no mailbox of others"
        gone: list[int] = []
        for part in await self._parts(mailbox_id, EVERYTHING if uids is None else uids):

            def work(tx: Transaction, part: Ranges = part) -> list[int]:
                self._need(tx, mailbox_id, "e")
                return entries.expunge(tx, self.id, mailbox_id, part, True, keep=self._keep)

            gone += await self._database.write(work)
            told(len(gone))
        return gone

    # -- rights -------------------------------------------------------------

    def _need(self, tx: Transaction, mailbox_id: int, wanted: str) -> Rights:
        return sharing.need(tx, self.id, mailbox_id, self._user_id, wanted, self._anyone)

    def _need_parent(self, tx: Transaction, name: str) -> None:
        """RFC 4314 §4: `k` on the nearest mailbox above."""
        while "/" in name:
            name = name.rpartition("/")[0]
            parent = mailboxes.by_name(tx, self.id, name)
            if parent is None:
                continue
            if "k" in sharing.rights_of(tx, self.id, parent.id, self._user_id, self._anyone):
                return
            break
        # Whether there is one above it, and which, is not for everybody to know.
        raise NotAllowed(f"to make {name}")
