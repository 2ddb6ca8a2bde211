"""Who may do what in whose mailboxes (RFC 4314): the one place where rights are decided."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.address import AddressError, parse_mailbox
from postroad.model.rights import ALL_RIGHTS, NO_RIGHTS, Anyone, Rights, stored
from postroad.store.blobs.record import line
from postroad.store.entries import next_modseq
from postroad.store.errors import LimitReached, NoSuchMailbox, NotAllowed

ANYONE: Final = 0
"""Stands where others stand for one user, and for all whom the settings mean (`model.rights.Anyone`)."""
MOST: Final = 1000
"""Identifiers in the list of one mailbox."""

_STANDS_FOR: Final[Mapping[Anyone, str]] = {
    "server": "1",
    "domain": "(SELECT domain FROM account WHERE id = s.account_id)"
    " = (SELECT domain FROM account WHERE id = ?1)",
    "nobody": "0",
}


def _for_each(statement: str) -> Mapping[Anyone, str]:
    """A statement with [CONCERNED], for rows that say something of the user ?1: as `anyone` is meant.

    What `-anyone` takes away it takes from everybody, so that no setting gives more than a list does.
    """
    concerned = "s.user_id IN (?1, 0) AND (s.user_id <> 0 OR s.negative = 1 OR [MEANT])"
    whole = statement.replace("[CONCERNED]", concerned)
    return {anyone: whole.replace("[MEANT]", condition) for anyone, condition in _STANDS_FOR.items()}


_OF_USER: Final = _for_each(
    "SELECT s.negative, s.rights FROM share s WHERE s.account_id = ?2 AND s.mailbox_id = ?3"
    " AND [CONCERNED] AND EXISTS (SELECT 1 FROM account WHERE id = s.account_id)"
)
_VISIBLE: Final = _for_each(
    "SELECT s.account_id, s.mailbox_id, s.negative, s.rights FROM share s"
    " JOIN account a ON a.id = s.account_id WHERE [CONCERNED] AND s.account_id <> ?1"
    " ORDER BY s.account_id, s.mailbox_id"
)
_IN_ACCOUNT: Final = _for_each(
    "SELECT s.mailbox_id, s.negative, s.rights FROM share s WHERE s.account_id = ?2 AND [CONCERNED]"
    " ORDER BY s.mailbox_id"
)
_PUT: Final = (
    "INSERT OR REPLACE INTO share (account_id, mailbox_id, user_id, negative, rights) VALUES (?, ?, ?, ?, ?)"
)


class Grant(NamedTuple):
    """What one identifier is given in a mailbox, or has taken away."""

    mailbox_id: int
    user_id: int
    address: str
    """Of the user; empty for anyone."""
    negative: bool
    rights: Rights

    @property
    def identifier(self) -> str:
        """How RFC 4314 §2 writes it."""
        return ("-" if self.negative else "") + (self.address or "anyone")


def rights_of(reader: Reader, account_id: int, mailbox_id: int, user_id: int, anyone: Anyone) -> Rights:
    """What a user may do: all in an own mailbox, else what is given less what is taken away.

    Given and taken is what stands beside the user and what stands beside `anyone`.
    """
    if user_id == account_id:
        return ALL_RIGHTS
    return _sum(reader.rows(_OF_USER[anyone], user_id, account_id, mailbox_id))


def need(
    reader: Reader, account_id: int, mailbox_id: int, user_id: int, wanted: str, anyone: Anyone
) -> Rights:
    """See to it that a user has all these rights; give those that there are.

    Raises:
        NotAllowed
        NoSuchMailbox: and the user may not even know of the mailbox (RFC 4314 §6).
    """
    rights = rights_of(reader, account_id, mailbox_id, user_id, anyone)
    if not rights.issuperset(wanted):
        raise refusal(rights, mailbox_id)
    return rights


def refusal(rights: Rights, mailbox_id: int) -> Exception:
    """What to raise where rights do not suffice."""
    return NotAllowed(f"mailbox {mailbox_id}") if "l" in rights else NoSuchMailbox(str(mailbox_id))


def visible(reader: Reader, user_id: int, anyone: Anyone) -> dict[int, dict[int, Rights]]:
    """The mailboxes of others that a user may see (`l`), by account, and the rights there."""
    found: dict[int, dict[int, Rights]] = {}
    for (account_id, mailbox_id), rows in groupby(reader.rows(_VISIBLE[anyone], user_id), itemgetter(0, 1)):
        rights = _sum([row[2:] for row in rows])
        if "l" in rights:
            found.setdefault(account_id, {})[mailbox_id] = rights
    return found


def reads_any(reader: Reader, account_id: int, user_id: int, anyone: Anyone) -> bool:
    """Whether a user may read any mailbox of another's account."""
    rows = reader.rows(_IN_ACCOUNT[anyone], user_id, account_id)
    return any("r" in _sum([row[1:] for row in of_one]) for _, of_one in groupby(rows, itemgetter(0)))


def grants(reader: Reader, account_id: int, mailbox_id: int | None = None) -> list[Grant]:
    """What is given and taken in one mailbox, or in all of an account; of users that there are."""
    sql = (
        "SELECT s.mailbox_id, s.user_id, coalesce(a.address, ''), s.negative, s.rights FROM share s"
        " LEFT JOIN account a ON a.id = s.user_id"
        " WHERE s.account_id = ? AND (a.id IS NOT NULL OR s.user_id = 0)"
    )
    rows = (
        reader.rows(f"{sql} ORDER BY s.mailbox_id, s.user_id, s.negative", account_id)
        if mailbox_id is None
        else reader.rows(f"{sql} AND s.mailbox_id = ? ORDER BY s.user_id, s.negative", account_id, mailbox_id)
    )
    return [
        Grant(mailbox, user, address, bool(negative), frozenset(rights))
        for mailbox, user, address, negative, rights in rows
    ]


def user_of(reader: Reader, name: str) -> int | None:
    """The user whom an identifier names, ANYONE for `anyone`; None where there is nobody of that name."""
    if name.lower() == "anyone":
        return ANYONE
    try:
        address = parse_mailbox(name)
    except AddressError:
        return None
    found = reader.value("SELECT id FROM account WHERE key = ?", address.key)
    return None if found is None else int(found)


def change(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    user_id: int,
    *,
    negative: bool,
    rights: Rights | None,
    mode: str = "",
) -> None:
    """Give an identifier rights, `+` or `-` from those it has, or with None take it off the list.

    Raises:
        LimitReached: the list is full.
    """
    key = (account_id, mailbox_id, user_id, int(negative))
    if mode:
        where = "account_id = ? AND mailbox_id = ? AND user_id = ? AND negative = ?"
        had = frozenset(tx.value(f"SELECT rights FROM share WHERE {where}", *key) or "")  # noqa: S608 - a constant
        assert rights is not None
        rights = had | rights if mode == "+" else had - rights
    _put(tx, key, rights)
    sql = "SELECT count(*) FROM share WHERE account_id = ? AND mailbox_id = ?"
    if tx.value(sql, account_id, mailbox_id) > MOST:
        raise LimitReached(f"{MOST} identifiers")


def copy(tx: Transaction, account_id: int, mailbox_id: int, target_id: int) -> None:
    """Let a mailbox be shared as another is: one below it, or in whose place it stands."""
    sql = "SELECT user_id, negative, rights FROM share WHERE account_id = ? AND mailbox_id = ?"
    for user_id, negative, rights in tx.rows(sql, account_id, mailbox_id):
        _put(tx, (account_id, target_id, user_id, negative), frozenset(rights))


def forget(tx: Transaction, account_id: int, mailbox_id: int) -> None:
    """Drop the list of a mailbox that is gone for good."""
    tx.run("DELETE FROM share WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id)


def insert_found(tx: Transaction, rows: Iterable[Row]) -> None:
    """Put back what the packs tell of, as rows of the table (`store rebuild`)."""
    tx.run_many(_PUT, list(rows))


def _put(tx: Transaction, key: tuple[int, int, int, int], rights: Rights | None) -> None:
    """Write a row. A list that gives nothing says nothing, and is no row."""
    account_id, mailbox_id, user_id, negative = key
    if rights:
        tx.run(_PUT, *key, stored(rights))
    else:
        tx.run(
            "DELETE FROM share WHERE account_id = ? AND mailbox_id = ? AND user_id = ? AND negative = ?",
            *key,
        )
    modseq = next_modseq(tx, account_id)  # and wakes those who have the mailbox selected
    tx.packs.journal(
        line(
            "share",
            account=account_id,
            mailbox=mailbox_id,
            modseq=modseq,
            user=user_id,
            negative=negative,
            rights=stored(rights or NO_RIGHTS),
        )
    )
    tx.wake(f"account:{user_id}")


def _sum(rows: Iterable[Row]) -> Rights:
    given: set[str] = set()
    taken: set[str] = set()
    for negative, rights in rows:
        (taken if negative else given).update(rights)
    return frozenset(given - taken)
