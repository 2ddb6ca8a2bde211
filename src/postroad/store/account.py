"""The verbs of one account's mail. One await is one transaction is one durable change.

A change of very many messages is cut into several, where that may be: other sessions and
workers have their turn in between.
"""

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Literal

from postroad.db.transaction import Transaction
from postroad.model.annotation import Annotation
from postroad.model.refusal import Unavailable
from postroad.store import entries, flagging, mailboxes
from postroad.store.annotating import annotate
from postroad.store.appending import append_prepared
from postroad.store.crossing import carry
from postroad.store.errors import NoSuchMailbox, NoSuchMessage, OverQuota
from postroad.store.messages import keep_ancestors
from postroad.store.parts import PART, Told, nobody, parts
from postroad.store.prepare import INLINE, Prepared, prepare
from postroad.store.reading import AccountReading
from postroad.store.types import (
    CopyResult,
    FlagsResult,
    Mailbox,
    NewMessage,
    Ranges,
)

EVERYTHING: Final = ((1, 2**32 - 1),)
_WRITTEN: Final = 4 * 1024 * 1024
"""Octets of annotations written in one transaction."""


class Account(AccountReading):
    """Everything a session may do with one account's mail.

    Reads are short and run where they are called; writes are awaited and
    durable when they return. It holds no state: make one whenever needed.
    """

    __slots__ = ()

    # -- mailboxes ---------------------------------------------------------

    async def create(self, name: str, special_use: str = "") -> Mailbox:
        """Make a mailbox and the missing ones above it.

        Raises:
            AlreadyExists, BadMailboxName, LimitReached
        """
        return await self._database.write(
            lambda tx: mailboxes.create(tx, self.id, name, special_use, self._limits)
        )

    async def delete(self, mailbox_id: int) -> None:
        """Remove a mailbox and what is in it: all or, where that fails, nothing.

        Raises:
            NoSuchMailbox, Conflict: it is INBOX.
        """
        await self._database.write(lambda tx: mailboxes.delete(tx, self.id, mailbox_id, keep=self._keep))

    async def rename(self, mailbox_id: int, new_name: str, told: Told = nobody) -> None:
        """Rename a mailbox and those below it; the messages of INBOX are moved instead, as `moving` does.

        Raises:
            NoSuchMailbox, AlreadyExists, BadMailboxName, Conflict
        """
        target_id = await self._database.write(
            lambda tx: mailboxes.rename(tx, self.id, mailbox_id, new_name, self._limits)
        )
        if target_id is not None:
            done = 0
            async for part in self.moving(mailbox_id, EVERYTHING, self, target_id, None):
                done += len(part.source)
                told(done)

    async def rename_level(self, old: str, new_name: str) -> None:
        """Rename a level of the hierarchy that is no mailbox itself (RFC 3501 §6.3.5)."""
        await self._database.write(lambda tx: mailboxes.rename_tree(tx, self.id, old, new_name, self._limits))

    async def subscribe(self, name: str, on: bool) -> None:
        """Subscribe to a name, or no longer."""
        await self._database.write(lambda tx: mailboxes.subscribe(tx, self.id, name, on, self._limits))

    # -- messages ----------------------------------------------------------

    async def keep_ancestors(self, ancestors: Mapping[int, str]) -> None:
        """Keep whom messages answer, which an earlier schema did not know, beside their other columns."""
        await self._database.write(lambda tx: keep_ancestors(tx, self.id, ancestors))

    async def claim_recent(self, mailbox_id: int) -> range:
        """UIDs that are \\Recent for the caller and for nobody else (RFC 3501 §2.3.2)."""
        mailbox = self.mailbox_by_id(mailbox_id)
        if mailbox is None:
            raise NoSuchMailbox(str(mailbox_id))
        if mailbox.recent_from == mailbox.uidnext:
            return range(0)
        try:
            return await self._database.write(lambda tx: mailboxes.claim_recent(tx, self.id, mailbox_id))
        except Unavailable:
            # A full disk: people must be able to read, and a later session will see what is new.
            return range(0)

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
        """Change flags of all `uids` that exist; of very many in several transactions.

        Raises:
            LimitReached: too many or too long keywords.
        """
        work = partial(
            flagging.store_flags,
            account_id=self.id,
            mailbox_id=mailbox_id,
            mode=mode,
            flags=flags,
            keywords=keywords,
            unchanged_since=unchanged_since,
        )
        return await self._part_by_part(mailbox_id, uids, work, told)

    async def annotate(
        self,
        mailbox_id: int,
        uids: Ranges,
        annotations: Sequence[Annotation],
        unchanged_since: int | None = None,
        told: Told = nobody,
    ) -> FlagsResult:
        """Set and remove annotations of all `uids` that exist; of very many in several transactions.

        Raises:
            NotAllowed, NoteTooLarge, TooManyNotes, NoSuchPart
            LimitReached: the account has no room for them.
        """
        work = partial(
            annotate,
            place=self.place(mailbox_id),
            annotations=annotations,
            unchanged_since=unchanged_since,
            limits=self._limits,
        )
        octets = sum(len(annotation.value or b"") for annotation in annotations)
        size = max(1, min(PART, _WRITTEN // (octets + 1)))
        return await self._part_by_part(mailbox_id, uids, work, told, size)

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
        return append_prepared(tx, self.place(mailbox_id), messages, self._limits)

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
            lambda tx: entries.copy(tx, self.id, mailbox_id, uids, target_id, count, self._limits)
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
            lambda tx: carry(tx, source, uids, to, count, self._limits, move=move, keep=self._keep)
        )

    async def moving(
        self, mailbox_id: int, uids: Ranges, target: "Account", target_id: int, count: int | None
    ) -> AsyncIterator[CopyResult]:
        """Move messages, of very many in several transactions; yield what each has moved once it has.

        Each message is moved or is not (RFC 6851 §3.3). What an error leaves
        behind stays where it is; where `count` messages are not there to
        begin with, nothing is moved.

        Raises:
            as `carry` does.
        """
        cut = list(await self._parts(mailbox_id, uids)) or [()]
        if count is not None and len(cut) > 1:
            there = (await self.listing(mailbox_id)).uids
            if sum(bisect_right(there, high) - bisect_left(there, low) for low, high in uids) < count:
                raise NoSuchMessage(f"not {count} any more")
            count = None
        for part in cut:
            yield await self.carry(mailbox_id, part, target, target_id, count, move=True)

    async def expunge(
        self,
        mailbox_id: int,
        uids: Ranges | None = None,
        *,
        only_deleted: bool = True,
        told: Told = nobody,
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
            told(len(gone))
        return gone

    async def _part_by_part(
        self,
        mailbox_id: int,
        uids: Ranges,
        work: Callable[..., FlagsResult],
        told: Told,
        size: int = PART,
    ) -> FlagsResult:
        done: FlagsResult | None = None
        for part in await self._parts(mailbox_id, uids, size):
            result = await self._database.write(partial(work, uids=part))
            done = result if done is None else done.followed_by(result)
            told(len(done.entries))
        return done or FlagsResult(0, 0, [], [])

    async def _parts(self, mailbox_id: int, uids: Ranges, size: int = PART) -> Iterable[Ranges]:
        """Cut `uids` into what may go in one transaction each; for few nobody has to look what is there."""
        if sum(high - low + 1 for low, high in uids) <= size:
            return [uids] if uids else []
        return parts((await self.listing(mailbox_id)).uids, uids, size)
