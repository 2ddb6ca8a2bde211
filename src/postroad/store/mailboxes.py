"""Mailboxes: names, creation, renaming, removal; plain functions over a transaction."""

import unicodedata
from functools import lru_cache
from typing import Final

from postroad.config.limits import Limits
from postroad.db.transaction import Asked, Reader, Row, Transaction
from postroad.store import annotations, seen, sharing
from postroad.store.blobs.record import line
from postroad.store.entries import expunge, move, next_modseq
from postroad.store.errors import AlreadyExists, BadMailboxName, Conflict, LimitReached, NoSuchMailbox
from postroad.store.parts import PART
from postroad.store.types import Mailbox

SEPARATOR: Final = "/"
NAME_LENGTH: Final = 1000  # octets of UTF-8
# Up to so many characters a name is remembered in its one form.
_USUAL: Final = 100
_REMEMBERED: Final = 1024

DEFAULTS: Final = Limits()
"""For tools and for the first mailboxes of an account; sessions pass the settings' own."""

_COLUMNS: Final = (
    "m.id, m.name, m.uidvalidity, m.uidnext, m.modseq, m.messages, m.unseen, m.deleted, m.size,"
    " m.recent_from, m.special_use, s.name IS NOT NULL"
)
_SELECT: Final = (
    f"SELECT {_COLUMNS} FROM mailbox m"  # noqa: S608 - a constant
    " LEFT JOIN subscription s ON s.account_id = m.account_id AND s.name = m.name WHERE m.account_id = ?"
)
_BY_NAME: Final = f"{_SELECT} AND m.name = ?"
_BY_ID: Final = f"{_SELECT} AND m.id = ?"
OVERVIEW: Final = (
    "SELECT id, uidvalidity, uidnext, messages, unseen, modseq, name FROM mailbox"
    " WHERE account_id = ? ORDER BY id"
)
"""What a session watches of all mailboxes (`Account.overview`)."""


def normal_name(name: str) -> str:
    """Return the one form of a name: NFC, INBOX in capitals.

    Raises:
        BadMailboxName: empty levels, control characters, `.` and `..` as a level, too long.
    """
    return _usual_name(name) if len(name) <= _USUAL else _normal_name(name)


def _normal_name(name: str) -> str:
    if len(name) > 2 * NAME_LENGTH:  # of three characters NFC leaves two octets at least
        raise BadMailboxName(f"more than {NAME_LENGTH} octets")
    name = unicodedata.normalize("NFC", name)
    levels = name.split(SEPARATOR)
    if levels[0].lower() == "inbox":  # no letter beyond ASCII lowers to these
        levels[0] = "INBOX"
    if any(level in ("", ".", "..") for level in levels):
        raise BadMailboxName("a level of the name is empty or consists of dots")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        raise BadMailboxName("the name has characters that cannot be shown")
    if any(c in name for c in "%*"):
        raise BadMailboxName("% and * are wildcards")  # RFC 3501 §6.3.8: LIST could never name it
    if len(name.encode()) > NAME_LENGTH:
        raise BadMailboxName(f"more than {NAME_LENGTH} octets")
    return SEPARATOR.join(levels)


_usual_name: Final = lru_cache(_REMEMBERED)(_normal_name)


def all_mailboxes(reader: Reader, account_id: int) -> list[Mailbox]:
    """Every mailbox, INBOX first, then by name."""
    found = [_mailbox(row) for row in reader.rows(_SELECT, account_id)]
    return sorted(found, key=lambda m: (m.name != "INBOX", m.name.lower(), m.name))


def by_name(reader: Asked, account_id: int, name: str) -> Mailbox | None:
    """The mailbox of that name; a name that cannot be is one that is not there."""
    try:
        name = normal_name(name)
    except BadMailboxName:
        return None
    row = reader.row(_BY_NAME, account_id, name)
    return _mailbox(row) if row is not None else None


def by_id(reader: Asked, account_id: int, mailbox_id: int) -> Mailbox | None:
    """The mailbox of that id."""
    row = reader.row(_BY_ID, account_id, mailbox_id)
    return _mailbox(row) if row is not None else None


def create(
    tx: Transaction, account_id: int, name: str, special_use: str = "", limits: Limits = DEFAULTS
) -> Mailbox:
    """Make a mailbox and the missing ones above it (RFC 3501 §6.3.3)."""
    name = _new_name(name, limits)
    _check_count(tx, account_id, name, limits)
    if by_name(tx, account_id, name) is not None:
        raise AlreadyExists(name)
    if special_use and tx.value(
        "SELECT 1 FROM mailbox WHERE account_id = ? AND special_use = ?", account_id, special_use
    ):
        special_use = ""  # RFC 6154 §3: one mailbox for one use; the new one is made without it
    levels = name.split(SEPARATOR)
    for depth in range(1, len(levels)):
        parent = SEPARATOR.join(levels[:depth])
        if by_name(tx, account_id, parent) is None:
            _insert(tx, account_id, parent, "")
            _share_like_parent(tx, account_id, parent)
    _insert(tx, account_id, name, special_use)
    _share_like_parent(tx, account_id, name)
    made = by_name(tx, account_id, name)
    assert made is not None
    return made


def _share_like_parent(tx: Transaction, account_id: int, name: str) -> None:
    """A new mailbox is shared as the one above it (RFC 4314 §4)."""
    parent = by_name(tx, account_id, name.rpartition(SEPARATOR)[0]) if SEPARATOR in name else None
    made = by_name(tx, account_id, name)
    if parent is not None and made is not None:
        sharing.copy(tx, account_id, parent.id, made.id)


def delete(tx: Transaction, account_id: int, mailbox_id: int, *, keep: bool) -> None:
    """Remove a mailbox and its messages; mailboxes below it stay (RFC 3501 §6.3.4).

    With `keep` all of it can be restored (`store.kept`).
    """
    found = by_id(tx, account_id, mailbox_id)
    if found is None:
        raise NoSuchMailbox(str(mailbox_id))
    if found.name == "INBOX":
        raise Conflict("INBOX cannot be deleted")
    expunge(tx, account_id, mailbox_id, None, only_deleted=False, keep=keep)
    modseq = next_modseq(tx, account_id)
    tx.run("DELETE FROM mailbox WHERE account_id = ? AND id = ?", account_id, mailbox_id)
    tx.run("DELETE FROM tombstone WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id)
    tx.run("DELETE FROM listing WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id)
    tx.run("DELETE FROM url_key WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id)
    tx.run(
        "INSERT INTO mailbox_tombstone (account_id, modseq, id) VALUES (?, ?, ?)",
        *(account_id, modseq, mailbox_id),
    )
    if keep:
        tx.run(
            "INSERT INTO kept_mailbox (account_id, id, name, special_use, at) VALUES (?, ?, ?, ?, ?)",
            *(account_id, mailbox_id, found.name, found.special_use, int(tx.now)),
        )
    else:
        annotations.forget(tx, account_id, mailbox_id)
        sharing.forget(tx, account_id, mailbox_id)
    seen.forget(tx, account_id, mailbox_id)
    when = {"time": int(tx.now)} if keep else {}
    tx.packs.journal(line("unmailbox", account=account_id, mailbox=mailbox_id, modseq=modseq, **when))


def rename(
    tx: Transaction, account_id: int, mailbox_id: int, new_name: str, limits: Limits = DEFAULTS
) -> int | None:
    """Rename a mailbox and those below it; INBOX is emptied instead (RFC 3501 §6.3.5).

    Gives the mailbox that the messages of INBOX have to go to, where they are too many for one transaction.
    """
    new_name = _new_name(new_name, limits)
    found = by_id(tx, account_id, mailbox_id)
    if found is None:
        raise NoSuchMailbox(str(mailbox_id))
    if found.name == "INBOX":
        target = create(tx, account_id, new_name, limits=limits)
        annotations.copy(tx, account_id, mailbox_id, target.id)  # RFC 5464 §4.1: both have them
        if found.messages > PART:
            return target.id
        move(tx, account_id, mailbox_id, [(1, 2**32)], target.id)
        return None
    rename_tree(tx, account_id, found.name, new_name, limits)
    return None


def rename_tree(tx: Transaction, account_id: int, old: str, new_name: str, limits: Limits = DEFAULTS) -> None:
    """Rename `old` and all below it; `old` itself may be a level without a mailbox."""
    new_name = _new_name(new_name, limits)
    if by_name(tx, account_id, new_name) is not None:
        raise AlreadyExists(new_name)
    if new_name.startswith(old + SEPARATOR):
        raise Conflict("a mailbox cannot be moved below itself")
    levels = new_name.split(SEPARATOR)
    parents = [SEPARATOR.join(levels[:depth]) for depth in range(1, len(levels))]
    missing = [parent for parent in parents if by_name(tx, account_id, parent) is None]
    if missing:
        _check_count(tx, account_id, new_name, limits)
    for parent in missing:
        _insert(tx, account_id, parent, "")
    modseq = next_modseq(tx, account_id)
    moved = 0
    for mailbox in all_mailboxes(tx, account_id):
        if mailbox.name != old and not mailbox.name.startswith(old + SEPARATOR):
            continue
        name = _new_name(new_name + mailbox.name[len(old) :], limits)
        if by_name(tx, account_id, name) is not None:
            raise AlreadyExists(name)
        tx.run(
            "UPDATE mailbox SET name = ?, modseq = ? WHERE account_id = ? AND id = ?",
            *(name, modseq, account_id, mailbox.id),
        )
        _journal(tx, account_id, mailbox.id, name, mailbox.uidvalidity, mailbox.special_use, modseq)
        moved += 1
    if not moved:
        raise NoSuchMailbox(old)


def use_for(tx: Transaction, account_id: int, mailbox_id: int, special_use: str) -> list[int]:
    """Say what a mailbox is for, and no other any more (RFC 6154 §5.4); give those that have changed."""
    changed: list[int] = []
    for mailbox in all_mailboxes(tx, account_id):
        if mailbox.id == mailbox_id:
            wanted = special_use
        else:
            wanted = "" if mailbox.special_use == special_use else mailbox.special_use
        if wanted == mailbox.special_use:
            continue
        modseq = next_modseq(tx, account_id)
        tx.run(
            "UPDATE mailbox SET special_use = ?, modseq = ? WHERE account_id = ? AND id = ?",
            *(wanted, modseq, account_id, mailbox.id),
        )
        _journal(tx, account_id, mailbox.id, mailbox.name, mailbox.uidvalidity, wanted, modseq)
        changed.append(mailbox.id)
    return changed


def subscribe(tx: Transaction, account_id: int, name: str, on: bool, limits: Limits = DEFAULTS) -> None:
    """Remember a name as subscribed, or forget it; whoever watches the account hears of it."""
    if note_subscription(tx, account_id, name, on, limits):
        next_modseq(tx, account_id)


def note_subscription(
    tx: Transaction, account_id: int, name: str, on: bool, limits: Limits = DEFAULTS
) -> bool:
    """The same, and nobody hears of it; the mailbox need not exist. Tell whether it is news."""
    name = normal_name(name)
    if on:
        # As many as mailboxes: without end, names that need not exist would fill disk and memory.
        count = tx.value("SELECT count(*) FROM subscription WHERE account_id = ?", account_id)
        if count >= limits.mailboxes:
            raise LimitReached(f"{limits.mailboxes} subscriptions")
        tx.run("INSERT OR IGNORE INTO subscription (account_id, name) VALUES (?, ?)", account_id, name)
    else:
        tx.run("DELETE FROM subscription WHERE account_id = ? AND name = ?", account_id, name)
    if not tx.changes():
        return False
    tx.packs.journal(line("subscribe", account=account_id, on=int(on), name=name))
    return True


def claim_recent(tx: Transaction, account_id: int, mailbox_id: int) -> range:
    """Make what nobody has claimed yet recent for the caller alone; give its UIDs."""
    row = tx.row(
        "SELECT recent_from, uidnext FROM mailbox WHERE account_id = ? AND id = ?", account_id, mailbox_id
    )
    if row is None:
        raise NoSuchMailbox(str(mailbox_id))
    first, uidnext = row
    tx.run(
        "UPDATE mailbox SET recent_from = ? WHERE account_id = ? AND id = ?", uidnext, account_id, mailbox_id
    )
    return range(first, uidnext)


def _new_name(name: str, limits: Limits) -> str:
    name = normal_name(name)
    if name.count(SEPARATOR) >= limits.mailbox_depth:
        raise LimitReached(f"more than {limits.mailbox_depth} levels")
    return name


def _check_count(tx: Transaction, account_id: int, name: str, limits: Limits) -> None:
    count = tx.value("SELECT count(*) FROM mailbox WHERE account_id = ?", account_id)
    if count + name.count(SEPARATOR) >= limits.mailboxes:  # its missing parents are counted as well
        raise LimitReached(f"{limits.mailboxes} mailboxes")


def _insert(tx: Transaction, account_id: int, name: str, special_use: str) -> None:
    modseq = next_modseq(tx, account_id)
    row = tx.row(
        # A validity is never used twice, so that a mailbox made again under an old name is known
        # to be another (RFC 3501 §2.3.1.1). The clock keeps it growing after a lost index.
        "UPDATE account SET next_mailbox_id = next_mailbox_id + 1,"
        " next_uidvalidity = max(next_uidvalidity, ?) + 1 WHERE id = ?"
        " RETURNING next_mailbox_id - 1, next_uidvalidity",
        *(int(tx.now) & 0xFFFFFFFF, account_id),
    )
    assert row is not None
    mailbox_id, uidvalidity = row
    tx.run(
        "INSERT INTO mailbox (account_id, id, name, uidvalidity, created_modseq, modseq, special_use)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(account_id, mailbox_id, name, uidvalidity, modseq, modseq, special_use),
    )
    _journal(tx, account_id, mailbox_id, name, uidvalidity, special_use, modseq)


def insert_found(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    *,
    name: str,
    uidvalidity: int,
    special_use: str,
    uidnext: int,
    modseq: int,
) -> None:
    """Put a mailbox back that the packs tell of (`store rebuild`); of what was expunged it knows nothing."""
    tx.run(
        "INSERT INTO mailbox (account_id, id, name, uidvalidity, uidnext, created_modseq, modseq,"
        " forgotten, special_use, recent_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(account_id, mailbox_id, name, uidvalidity, uidnext, modseq, modseq, modseq, special_use, uidnext),
    )


def _journal(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    name: str,
    uidvalidity: int,
    special_use: str,
    modseq: int,
) -> None:
    tx.packs.journal(
        line(
            "mailbox",
            account=account_id,
            mailbox=mailbox_id,
            modseq=modseq,
            uidvalidity=uidvalidity,
            special=special_use,
            name=name,
        )
    )


def _mailbox(row: Row) -> Mailbox:
    return Mailbox(*(*row[:-1], bool(row[-1])))
