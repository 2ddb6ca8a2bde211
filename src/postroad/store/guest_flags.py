"""STORE in somebody else's mailbox: \\Seen is one's own, other flags are everybody's (RFC 4314 §4)."""

from postroad.db.transaction import Transaction
from postroad.model.flags import DELETED, SEEN
from postroad.model.rights import Rights, changeable
from postroad.store import seen
from postroad.store.crossing import Place
from postroad.store.entries import modseq_of, next_modseq, select_entries
from postroad.store.flagging import check_keywords, combine, conflicting, journal_flags
from postroad.store.sharing import refusal, rights_of
from postroad.store.types import Entry, FlagsResult, Ranges


def store_flags(
    tx: Transaction,
    place: Place,
    uids: Ranges,
    mode: str,
    flags: int,
    keywords: frozenset[str],
    unchanged_since: int | None,
) -> FlagsResult:
    """Set, add or remove those of the flags that the user may change; the others stay as they are.

    Raises:
        NotAllowed: that is none of them.
        NoSuchMailbox, LimitReached
    """
    check_keywords(keywords)
    flags = int(flags)
    account_id, mailbox_id = place.account_id, place.mailbox_id
    since = modseq_of(tx, account_id, mailbox_id)
    rights = rights_of(tx, account_id, mailbox_id, place.user_id, place.anyone)
    if not _may(rights, mode, flags, keywords):
        raise refusal(rights, mailbox_id)
    before = seen.entries(tx, account_id, mailbox_id, place.user_id, uids)
    conflicts = conflicting(before, mode, flags, keywords, unchanged_since)
    refused = set(conflicts)
    wanted = [
        (entry, *_allowed(rights, entry, *combine(entry, mode, flags, keywords)))
        for entry in before
        if entry.uid not in refused
    ]
    changed = [one for one in wanted if one[1:] != (one[0].flags, one[0].keywords)]
    if not changed:
        return FlagsResult(since, since, before, conflicts)
    modseq = next_modseq(tx, account_id)
    deleted = sum(bool(mask & DELETED) - bool(entry.flags & DELETED) for entry, mask, _ in changed)
    tx.run(
        "UPDATE mailbox SET modseq = ?, deleted = deleted + ? WHERE account_id = ? AND id = ?",
        *(modseq, deleted, account_id, mailbox_id),
    )
    _change_shared(tx, place, modseq, changed)
    for on in (True, False):
        marked = [
            entry.uid for entry, mask, _ in changed if (mask ^ entry.flags) & SEEN and bool(mask & SEEN) is on
        ]
        seen.mark(tx, account_id, mailbox_id, place.user_id, marked, on, modseq)
    now = {
        entry.uid: entry._replace(modseq=modseq, flags=mask, keywords=words) for entry, mask, words in changed
    }
    return FlagsResult(since, modseq, [now.get(e.uid, e) for e in before], conflicts)


def _may(rights: Rights, mode: str, flags: int, keywords: frozenset[str]) -> bool:
    """Whether any of the flags that are meant may be changed: all there are, where they are replaced."""
    if mode == "set":
        return bool(rights & frozenset("swt"))
    if not flags and not keywords:
        return True  # nothing is asked for
    return bool(flags & changeable(rights)) or (bool(keywords) and "w" in rights)


def _allowed(rights: Rights, entry: Entry, mask: int, words: str) -> tuple[int, str]:
    may = changeable(rights)
    return (entry.flags & ~may) | (mask & may), words if "w" in rights else entry.keywords


def _change_shared(tx: Transaction, place: Place, modseq: int, changed: list[tuple[Entry, int, str]]) -> None:
    """Change what everybody sees; the owner's \\Seen stays what it is."""
    shared = [one for one in changed if (one[1] ^ one[0].flags) & ~SEEN or one[2] != one[0].keywords]
    key = (place.account_id, place.mailbox_id)
    tx.run_many(
        f"UPDATE entry SET flags = (flags & {SEEN}) | ?, keywords = ?, modseq = ?"  # noqa: S608 - a constant
        " WHERE account_id = ? AND mailbox_id = ? AND uid = ?",
        [(mask & ~SEEN, words, modseq, *key, entry.uid) for entry, mask, words in shared],
    )
    uids = [(entry.uid, entry.uid) for entry, _, _ in shared]
    now = select_entries(tx, *key, uids)
    journal_flags(tx, *key, modseq, [(entry, entry.flags, entry.keywords) for entry in now])
