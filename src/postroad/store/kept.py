"""What was deleted and can still be restored: finding it, putting it back, erasing it.

An expunged entry becomes a row of `kept`, a deleted mailbox one of
`kept_mailbox`; the messages themselves stay where they are. Nothing of it is
in a mailbox, so no client sees it and no quota counts it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.flags import Flag
from postroad.store import annotations, message_annotations, sharing
from postroad.store.blobs.record import line
from postroad.store.entries import charge_for, enter, release_messages
from postroad.store.mailboxes import SEPARATOR, by_id, by_name, create, normal_name
from postroad.store.quota import check_quota
from postroad.store.runs import runs_of, uid_text
from postroad.store.types import Entry, Origin

NAMELESS: Final = "Restored"
"""Where messages go whose mailbox left no name behind: it was deleted when nothing was kept."""
STEP: Final = 500
"""Messages restored or erased in one transaction, so that nobody waits long for the lock."""

_FIND: Final = (
    "SELECT k.account_id, k.mailbox_id, k.uid, k.at, k.flags, k.keywords, k.size, k.internal_date,"
    " k.message_id, coalesce(b.name, d.name, ?), m.msgid, m.sender, m.subject"
    " FROM kept k JOIN message m ON m.account_id = k.account_id AND m.id = k.message_id"
    " LEFT JOIN mailbox b ON b.account_id = k.account_id AND b.id = k.mailbox_id"
    " LEFT JOIN kept_mailbox d ON d.account_id = k.account_id AND d.id = k.mailbox_id"
    " WHERE k.account_id = ? AND k.at BETWEEN ? AND ? ORDER BY k.at DESC, k.mailbox_id, k.uid DESC"
)
_KEY: Final = "account_id = ? AND mailbox_id = ? AND uid = ?"


class Kept(NamedTuple):
    """A message that was expunged from a mailbox."""

    account_id: int
    mailbox_id: int
    uid: int
    at: int
    """When it was expunged."""
    flags: int
    keywords: str
    size: int
    internal_date: int
    message_id: int
    mailbox: str
    """The name of the mailbox now or, deleted as well, when it was deleted."""
    msgid: str
    sender: str
    subject: str


class KeptMailbox(NamedTuple):
    """A mailbox that was deleted and has not been restored."""

    id: int
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Which:
    """What to look for; all of it has to hold."""

    mailbox: str | None = None
    """This one and those below it."""
    since: float = 0
    """Deleted at this time or later."""
    until: float = 2**62
    msgid: str | None = None
    """The Message-ID, with or without its brackets."""
    subject: str | None = None
    """Part of the subject, in any case."""

    @property
    def of_messages(self) -> bool:
        """Whether single messages are meant, and not whole mailboxes."""
        return self.msgid is not None or self.subject is not None

    def has_mailbox(self, name: str) -> bool:
        """Whether it is this mailbox, or below it."""
        if self.mailbox is None:
            return True
        wanted = normal_name(self.mailbox)
        return name == wanted or name.startswith(wanted + SEPARATOR)

    def has(self, kept: Kept) -> bool:
        """Whether a message is meant (its time is not looked at)."""
        return (
            self.has_mailbox(kept.mailbox)
            and (self.msgid is None or kept.msgid.strip("<>") == self.msgid.strip("<> "))
            and (self.subject is None or self.subject.casefold() in kept.subject.casefold())
        )


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much of an account is kept."""

    messages: int
    octets: int


def find(reader: Reader, account_id: int, which: Which) -> list[Kept]:
    """The messages that are meant, the latest deleted first.

    Raises:
        BadMailboxName
    """
    rows = reader.rows(_FIND, NAMELESS, account_id, int(which.since), int(which.until))
    return [kept for kept in map(Kept._make, rows) if which.has(kept)]


def find_mailboxes(reader: Reader, account_id: int, which: Which) -> list[KeptMailbox]:
    """The deleted mailboxes that are meant, the latest first; none when single messages are."""
    if which.of_messages:
        return []
    rows = reader.rows(
        "SELECT id, name, at FROM kept_mailbox WHERE account_id = ? AND restored_as IS NULL"
        " AND at BETWEEN ? AND ? ORDER BY at DESC, id",
        *(account_id, int(which.since), int(which.until)),
    )
    return [mailbox for mailbox in map(KeptMailbox._make, rows) if which.has_mailbox(mailbox.name)]


def holdings(reader: Reader, account_id: int) -> Holdings:
    """How much is kept of what was expunged."""
    row = reader.row("SELECT count(*), coalesce(sum(size), 0) FROM kept WHERE account_id = ?", account_id)
    return Holdings(*(row or (0, 0)))


def restore(
    tx: Transaction, account_id: int, wanted: Sequence[Kept], *, to: str | None, over_quota: bool
) -> dict[str, int]:
    """Put messages back, under new UIDs and without \\Deleted; give how many went into which mailbox.

    They go where they were, or into `to`; a mailbox that is not there any
    more is made again. Those that are not kept any more are left out.

    Raises:
        OverQuota: and `over_quota` does not allow it.
        BadMailboxName, LimitReached
    """
    counts: dict[str, int] = {}
    for mailbox_id, group in groupby(
        sorted(wanted, key=attrgetter("mailbox_id", "uid")), attrgetter("mailbox_id")
    ):
        there = [kept for kept in group if tx.value(f"SELECT 1 FROM kept WHERE {_KEY}", *kept[:3])]  # noqa: S608 - a constant
        if not there:
            continue
        target = _home(tx, account_id, mailbox_id) if to is None else _named(tx, account_id, to)
        entries = [
            Entry(k.uid, 0, k.flags & ~Flag.DELETED, k.keywords, k.size, k.internal_date, k.message_id)
            for k in there
        ]
        # All of all users, as they were: nobody takes them anywhere else.
        enter(tx, account_id, entries, target, Origin(account_id, mailbox_id, None, expunged=True))
        use = charge_for(tx, account_id, entries)
        if not over_quota:
            check_quota(tx, account_id, use)
        _drop(tx, there)
        found = by_id(tx, account_id, target)
        assert found is not None, "messages have just been put there"
        counts[found.name] = counts.get(found.name, 0) + len(there)
    return counts


def restore_mailbox(tx: Transaction, account_id: int, mailbox_id: int) -> None:
    """Make a deleted mailbox again, unless that is done already; its messages are for `restore`."""
    _home(tx, account_id, mailbox_id)


def erase(tx: Transaction, wanted: Sequence[Kept], *, at_once: bool = False) -> None:
    """Erase messages for good: nobody can restore them any more.

    Their octets are swept an hour later, or with `at_once` an hour after they
    were deleted: nobody can have begun to read them after that.
    """
    _drop(tx, wanted)
    for account_id, group in groupby(sorted(wanted), attrgetter("account_id")):
        gone = list(group)
        since = max(k.at for k in gone) if at_once else None
        release_messages(tx, account_id, {k.message_id for k in gone}, since=since)


def erase_mailboxes(tx: Transaction, mailboxes: Sequence[Row]) -> None:
    """Forget deleted mailboxes, as (account, mailbox)."""
    tx.run_many("DELETE FROM kept_mailbox WHERE account_id = ? AND id = ?", list(mailboxes))
    for account_id, mailbox_id in mailboxes:
        annotations.forget(tx, account_id, mailbox_id)
        sharing.forget(tx, account_id, mailbox_id)
        tx.packs.journal(line("forget", account=account_id, mailbox=mailbox_id))


def erase_names(tx: Transaction, account_id: int) -> None:
    """Forget all deleted mailboxes of an account, those too that have been restored."""
    erase_mailboxes(tx, tx.rows("SELECT account_id, id FROM kept_mailbox WHERE account_id = ?", account_id))


def overwrite(reader: Reader) -> None:
    """Have rows that this connection deletes from now on overwritten with zeros."""
    reader.value("PRAGMA secure_delete = ON")


def expired(reader: Reader, before: float, most: int = STEP) -> list[Kept]:
    """The first messages that were expunged before a time; names are left empty."""
    rows = reader.rows(
        "SELECT account_id, mailbox_id, uid, at, flags, keywords, size, internal_date, message_id,"
        " '', '', '', '' FROM kept WHERE at < ? ORDER BY at LIMIT ?",
        *(int(before), most),
    )
    return list(map(Kept._make, rows))


def steps(wanted: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    """Parts of a long list that are not too long for one transaction."""
    for start in range(0, len(wanted), STEP):
        yield wanted[start : start + STEP]


def _drop(tx: Transaction, gone: Sequence[Kept]) -> None:
    """They are kept no more; the journal knows, lest `store rebuild` brings them back."""
    tx.run_many(f"DELETE FROM kept WHERE {_KEY}", [kept[:3] for kept in gone])  # noqa: S608 - a constant
    for (account_id, mailbox_id), group in groupby(sorted(gone), attrgetter("account_id", "mailbox_id")):
        uids = [kept.uid for kept in group]
        message_annotations.drop(tx, (account_id, mailbox_id), runs_of(uids))
        tx.packs.journal(line("forget", account=account_id, mailbox=mailbox_id, uids=uid_text(uids)))


def _home(tx: Transaction, account_id: int, mailbox_id: int) -> int:
    """The mailbox that messages of `mailbox_id` belong into: itself, or the one in its place."""
    while by_id(tx, account_id, mailbox_id) is None:
        row = tx.row(
            "SELECT name, special_use, restored_as FROM kept_mailbox WHERE account_id = ? AND id = ?",
            *(account_id, mailbox_id),
        )
        if row is None:
            return _named(tx, account_id, NAMELESS)
        name, special_use, restored_as = row
        if restored_as is None:
            there = by_name(tx, account_id, name)
            restored_as = there.id if there else create(tx, account_id, name, special_use).id
            if there is None:
                annotations.copy(tx, account_id, mailbox_id, restored_as)
                sharing.copy(tx, account_id, mailbox_id, restored_as)
            tx.run(
                "UPDATE kept_mailbox SET restored_as = ? WHERE account_id = ? AND id = ?",
                *(restored_as, account_id, mailbox_id),
            )
        mailbox_id = restored_as
    return mailbox_id


def _named(tx: Transaction, account_id: int, name: str) -> int:
    found = by_name(tx, account_id, name) or create(tx, account_id, name)
    return found.id
