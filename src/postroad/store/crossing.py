"""Copying and moving messages where others' mailboxes are concerned (RFC 4314 §4, RFC 6851 §4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from postroad.config.limits import Limits
from postroad.db.transaction import Transaction
from postroad.model.flags import SEEN
from postroad.model.rights import ALL_RIGHTS, Anyone, Rights, changeable
from postroad.store import seen
from postroad.store.blobs.record import line
from postroad.store.entries import (
    charge_for,
    enter,
    expunge,
    journal_expunge,
    next_modseq,
    select_entries,
    take_out,
)
from postroad.store.errors import NoSuchMessage
from postroad.store.message_annotations import EVERYBODY
from postroad.store.quota import check_quota
from postroad.store.sharing import need
from postroad.store.threads import find_threads
from postroad.store.types import CopyResult, Entry, Origin, Ranges

_WIDE: Final = (
    "size, sent, ?, msgid, prefix, subject, base_subject, sender, preview, envelope, body, bodystructure,"
    " tree, ancestors"
)
_ADOPT: Final = (
    "INSERT INTO message (account_id, id, blob_id, size, sent, thread_id, msgid, prefix, subject,"  # noqa: S608
    " base_subject, sender, preview, envelope, body, bodystructure, tree, ancestors)"
    f" SELECT ?, ?, blob_id, {_WIDE} FROM message WHERE account_id = ? AND id = ?"
)
_KNOWN: Final = (
    "SELECT m.msgid, m.ancestors, m.prefix, m.blob_id, b.pack, b.offset FROM message m"
    " JOIN blob b ON b.id = m.blob_id WHERE m.account_id = ? AND m.id = ?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox and who looks at it."""

    account_id: int
    mailbox_id: int
    user_id: int
    anyone: Anyone = "nobody"
    """For whom `anyone` stands."""

    @property
    def is_own(self) -> bool:
        """Whether the user is the owner."""
        return self.user_id == self.account_id


class _Named(NamedTuple):
    message_id: str
    references: tuple[str, ...]


def carry(
    tx: Transaction,
    source: Place,
    uids: Ranges,
    target: Place,
    count: int | None,
    limits: Limits,
    *,
    move: bool,
    keep: bool,
) -> CopyResult:
    """Copy or move messages, all or none, as far as the user may.

    Flags go along as far as they may, and so do everybody's annotations and
    the user's own. With `keep` the owner of the source can have back what was
    moved out of the account.

    Raises:
        NotAllowed, NoSuchMailbox, OverQuota
        LimitReached: there would be too much in annotations.
        NoSuchMessage: there are fewer than `count`.
    """
    need(tx, source.account_id, source.mailbox_id, source.user_id, "rte" if move else "r", source.anyone)
    rights = need(tx, target.account_id, target.mailbox_id, target.user_id, "i", target.anyone)
    found = _looked_at(tx, source, uids)
    if count is not None and len(found) < count:
        raise NoSuchMessage(f"{count - len(found)} of {count}")
    entries = [allowed(entry, rights) for entry in found]
    seen_here = [bool(entry.flags & SEEN) for entry in entries]
    if not target.is_own:
        entries = [entry._replace(flags=entry.flags & ~SEEN) for entry in entries]
    crosses = source.account_id != target.account_id
    if crosses:
        entries = _adopt(tx, source.account_id, entries, target.account_id)
    # RFC 5257 §4.6, §3.4: those that might be stored there.
    users = tuple([EVERYBODY] * ("n" in rights) + [target.user_id] * ("r" in rights))
    origin = Origin(source.account_id, source.mailbox_id, users, limits)
    result = enter(tx, target.account_id, entries, target.mailbox_id, origin)
    if not found:
        return result
    if crosses or not move:
        check_quota(tx, target.account_id, charge_for(tx, target.account_id, entries))
    if not target.is_own:
        uids_seen = [uid for uid, was in zip(result.target, seen_here, strict=True) if was]
        mark_seen(tx, target, uids_seen, on=True)
    if move:
        _leave(tx, source, found, crosses=crosses, keep=keep)
    return CopyResult(result.uidvalidity, [entry.uid for entry in found], result.target)


def allowed(entry: Entry, rights: Rights) -> Entry:
    """An entry with those of its flags that the user may set (RFC 4314 §4)."""
    if rights == ALL_RIGHTS:
        return entry
    return entry._replace(
        flags=entry.flags & changeable(rights), keywords=entry.keywords if "w" in rights else ""
    )


def mark_seen(tx: Transaction, place: Place, uids: Sequence[int], *, on: bool) -> int:
    """Set or clear \\Seen of ascending UIDs for one who is not the owner; give the modseq of that."""
    modseq = next_modseq(tx, place.account_id)
    tx.run(
        "UPDATE mailbox SET modseq = ? WHERE account_id = ? AND id = ?",
        *(modseq, place.account_id, place.mailbox_id),
    )
    seen.mark(tx, place.account_id, place.mailbox_id, place.user_id, uids, on, modseq)
    return modseq


def _looked_at(tx: Transaction, place: Place, uids: Ranges) -> list[Entry]:
    if place.is_own:
        return select_entries(tx, place.account_id, place.mailbox_id, uids)
    return seen.entries(tx, place.account_id, place.mailbox_id, place.user_id, uids)


def _leave(tx: Transaction, source: Place, entries: Sequence[Entry], *, crosses: bool, keep: bool) -> None:
    """Take out what has been moved: to another mailbox of the account, or out of it."""
    if crosses:
        uids = [(entry.uid, entry.uid) for entry in entries]
        expunge(tx, source.account_id, source.mailbox_id, uids, only_deleted=False, keep=keep)
        return
    modseq = take_out(tx, source.account_id, source.mailbox_id, entries)
    journal_expunge(tx, source.account_id, source.mailbox_id, modseq, entries)


def _adopt(tx: Transaction, source_id: int, entries: Sequence[Entry], target_id: int) -> list[Entry]:
    """Give an account the messages of another: the same octets, under numbers of its own."""
    messages = list(dict.fromkeys(entry.message_id for entry in entries))
    if not messages:
        return list(entries)
    first = tx.value(
        "UPDATE account SET next_message_id = next_message_id + ?1 WHERE id = ?2"
        " RETURNING next_message_id - ?1",
        *(len(messages), target_id),
    )
    known = [tx.row(_KNOWN, source_id, message_id) or () for message_id in messages]
    names = [_Named(row[0], tuple((row[1] or "").split())) for row in known]
    threads = find_threads(tx, target_id, first, names)
    modseq = next_modseq(tx, target_id)
    for at, (message_id, row) in enumerate(zip(messages, known, strict=True)):
        tx.run(_ADOPT, target_id, first + at, threads[at], source_id, message_id)
        _, _, prefix, blob_id, pack, offset = row
        tx.run("UPDATE blob SET refs = refs + 1 WHERE id = ?", blob_id)
        tx.packs.journal(
            line(
                "message",
                account=target_id,
                modseq=modseq,
                message=first + at,
                thread=threads[at],
                blob=f"{pack}:{offset}",
                prefix=prefix,
            )
        )
    numbers = {message_id: first + at for at, message_id in enumerate(messages)}
    return [entry._replace(message_id=numbers[entry.message_id]) for entry in entries]
