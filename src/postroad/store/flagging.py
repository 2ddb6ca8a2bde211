"""Changing flags and keywords of entries; plain functions over a transaction (RFC 3501 §6.4.6)."""

from collections.abc import Sequence
from typing import Final

from postroad.db.transaction import Transaction
from postroad.model.flags import DELETED, SEEN, join_keywords, split_keywords
from postroad.store.blobs.record import MAGIC, encode
from postroad.store.entries import count_up, select_entries
from postroad.store.errors import LimitReached, NoSuchMailbox
from postroad.store.runs import uid_text
from postroad.store.types import Entry, FlagsResult, Ranges

KEYWORDS_PER_MESSAGE: Final = 100
KEYWORD_LENGTH: Final = 100
_MODSEQS: Final = (
    "SELECT m.modseq, a.modseq FROM mailbox m JOIN account a ON a.id = m.account_id"
    " WHERE m.account_id = ? AND m.id = ?"
)
_CHANGE: Final = (
    "UPDATE entry SET flags = ?, keywords = ?, modseq = ? WHERE account_id = ? AND mailbox_id = ? AND uid = ?"
)
_FLAGS_LINE: Final = MAGIC + b"flags account=%d mailbox=%d modseq=%d uids=%b flags=%d keywords=%b\n"


def check_keywords(keywords: frozenset[str]) -> None:
    """Raise LimitReached for more or longer keywords than a message may have."""
    if any(len(word) > KEYWORD_LENGTH for word in keywords) or len(keywords) > KEYWORDS_PER_MESSAGE:
        raise LimitReached("keywords")


def store_flags(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    uids: Ranges,
    mode: str,
    flags: int,
    keywords: frozenset[str],
    unchanged_since: int | None,
) -> FlagsResult:
    """Set, add or remove flags (RFC 3501 §6.4.6), unless changed meanwhile (RFC 7162 §3.1.3).

    Raises:
        NoSuchMailbox, LimitReached
    """
    check_keywords(keywords)
    flags = int(flags)
    since, last = tx.row(_MODSEQS, account_id, mailbox_id) or (0, 0)
    if not last:
        raise NoSuchMailbox(str(mailbox_id))
    before = select_entries(tx, account_id, mailbox_id, uids)
    conflicts = conflicting(before, mode, flags, keywords, unchanged_since)
    refused = set(conflicts)
    changed: list[tuple[Entry, int, str]] = []
    for entry in before:
        if entry.uid in refused:
            continue
        mask, words = combine(entry, mode, flags, keywords)
        if mask != entry.flags or words != entry.keywords:
            changed.append((entry, mask, words))
    if not changed:
        return FlagsResult(since, since, before, conflicts)
    modseq = count_up(tx, account_id, last)
    tx.run_many(
        _CHANGE,
        [(mask, words, modseq, account_id, mailbox_id, entry.uid) for entry, mask, words in changed],
    )
    unseen = sum(bool(e.flags & SEEN) - bool(mask & SEEN) for e, mask, _ in changed)
    deleted = sum(bool(mask & DELETED) - bool(e.flags & DELETED) for e, mask, _ in changed)
    tx.run(
        "UPDATE mailbox SET modseq = ?, unseen = unseen + ?, deleted = deleted + ?"
        " WHERE account_id = ? AND id = ?",
        *(modseq, unseen, deleted, account_id, mailbox_id),
    )
    journal_flags(tx, account_id, mailbox_id, modseq, changed)
    now = {
        entry.uid: entry._replace(modseq=modseq, flags=mask, keywords=words) for entry, mask, words in changed
    }
    return FlagsResult(since, modseq, [now.get(e.uid, e) for e in before], conflicts)


def conflicting(
    entries: Sequence[Entry], mode: str, flags: int, keywords: frozenset[str], unchanged_since: int | None
) -> list[int]:
    """The UIDs of those that have changed too late to be changed again; none where nobody asks."""
    if unchanged_since is None:
        return []
    return [e.uid for e in entries if _is_conflict(e, mode, flags, keywords, unchanged_since)]


def _is_conflict(entry: Entry, mode: str, flags: int, keywords: frozenset[str], unchanged_since: int) -> bool:
    """Whether an entry has changed too late to be changed again.

    Since 0 asks for something else: whether any of what is to be changed
    exists. System flags always do, keywords where they are set (RFC 7162 §3.1.3).
    """
    if unchanged_since or mode == "set" or flags:
        return entry.modseq > unchanged_since
    have = entry.keywords.lower().split(" ")
    return any(word.lower() in have for word in keywords)


def combine(entry: Entry, mode: str, flags: int, keywords: frozenset[str]) -> tuple[int, str]:
    if mode == "set":
        return flags, join_keywords(keywords)
    if not keywords:
        mask = entry.flags | flags if mode == "add" else entry.flags & ~flags
        return mask, entry.keywords
    # Keywords are compared without case and keep the case of the first use (RFC 3501 §2.3.2 leaves it open).
    have = {word.lower(): word for word in split_keywords(entry.keywords)}
    if mode == "add":
        for word in keywords:
            have.setdefault(word.lower(), word)
        if len(have) > KEYWORDS_PER_MESSAGE:
            raise LimitReached("keywords")
        return entry.flags | flags, join_keywords(set(have.values()))
    for word in keywords:
        have.pop(word.lower(), None)
    return entry.flags & ~flags, join_keywords(set(have.values()))


def journal_flags(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    modseq: int,
    changed: Sequence[tuple[Entry, int, str]],
) -> None:
    same: dict[tuple[int, str], list[int]] = {}
    for entry, mask, words in changed:
        same.setdefault((mask, words), []).append(entry.uid)
    for (mask, words), uids in same.items():
        values = (account_id, mailbox_id, modseq, uid_text(uids).encode(), mask, encode(words))
        tx.packs.journal(_FLAGS_LINE % values)
