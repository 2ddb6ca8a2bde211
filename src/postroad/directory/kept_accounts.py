"""Removed accounts that can still be restored, whole: mail, credentials, quota, aliases."""

from dataclasses import dataclass
from typing import Final

import msgspec

from postroad.db.transaction import Reader, Row, Transaction
from postroad.directory import changes
from postroad.directory.accounts import AccountInfo, account, parsed
from postroad.directory.domains import note_limit
from postroad.directory.errors import AlreadyThere, NoSuchAccount, NoSuchDomain
from postroad.directory.removal import KEPT_COLUMNS, drop_login
from postroad.directory.resolve import is_local_domain
from postroad.model.address import Address, parse_mailbox, unicode_domain
from postroad.store.accounts import erase, reopen

STEP: Final = 500
"""Messages erased in one transaction."""

_SELECT: Final = (
    "SELECT id, address, name, at, who, messages_used, bytes_used, aliases"
    " FROM kept_account WHERE erasing = 0"
)


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """An account that was removed."""

    id: int
    address: Address
    name: str
    at: float
    """When it was removed."""
    who: str
    messages: int
    octets: int
    aliases: tuple[str, ...]
    """Those that pointed at it."""


def kept_accounts(reader: Reader, domain: str | None = None) -> list[KeptAccount]:
    """All of them, or those of a (normal) domain, by domain and address, the latest first."""
    order = "ORDER BY domain, key, at DESC, id DESC"
    rows = (
        reader.rows(f"{_SELECT} {order}")
        if domain is None
        else reader.rows(f"{_SELECT} AND domain = ? {order}", domain)
    )
    return list(map(_kept, rows))


def kept_at(reader: Reader, address: str) -> list[KeptAccount]:
    """Those that had an address, the latest first.

    Raises:
        BadName
    """
    rows = reader.rows(f"{_SELECT} AND key = ? ORDER BY at DESC, id DESC", parsed(address).key)
    return list(map(_kept, rows))


def restore_account(
    tx: Transaction, kept: KeptAccount, *, who: str, address: str | None = None
) -> AccountInfo:
    """Bring a removed account back, perhaps at another address; its aliases are for the caller.

    Raises:
        AlreadyThere: the address belongs to another account or alias by now.
        NoSuchAccount: it is kept no more.
        NoSuchDomain, BadName
    """
    wanted = kept.address if address is None else parsed(address)
    domain = unicode_domain(wanted.domain)
    if not is_local_domain(tx, wanted.domain):
        raise NoSuchDomain(
            f"{domain} is not a domain of this server any more; add it first: postroad domain add {domain}"
        )
    for table, noun in (("account", "an account"), ("alias", "an alias")):
        if tx.value(f"SELECT 1 FROM {table} WHERE key = ?", wanted.key):  # noqa: S608 - names from the line above
            raise AlreadyThere(f"{wanted.unicode} is {noun} by now")
    tx.run(
        "UPDATE kept_account SET key = ?, address = ?, domain = ? WHERE id = ?",
        *(wanted.key, str(wanted), wanted.domain, kept.id),
    )
    tx.run(
        f"INSERT INTO account ({KEPT_COLUMNS}) SELECT {KEPT_COLUMNS} FROM kept_account"  # noqa: S608 - a constant
        " WHERE id = ? AND erasing = 0",
        kept.id,
    )
    if not tx.changes():
        raise NoSuchAccount(f"the removed account {kept.address.unicode} is kept no more")
    tx.run("DELETE FROM kept_account WHERE id = ?", kept.id)
    note_limit(tx, kept.id)
    reopen(tx, kept.id)
    new: changes.Facts = {"id": kept.id, "restored": True, "was": str(kept.address)}
    changes.record(tx, who=who, noun="account", name=str(wanted), new=new)
    return account(tx, str(wanted))


def erase_account(tx: Transaction, kept_id: int, *, who: str, at_once: bool = False) -> bool:
    """Erase a part of a removed account; whether that was the last. Call it until it is.

    From the first part on it cannot be restored. `at_once` is as in `store.kept.erase`.
    """
    row = tx.row("SELECT address, at FROM kept_account WHERE id = ?", kept_id)
    if row is None:
        return True
    tx.run("UPDATE kept_account SET erasing = 1 WHERE id = ?", kept_id)
    address, at = row
    if not erase(tx, kept_id, most=STEP, since=at if at_once else None):
        return False
    drop_login(tx, kept_id)
    tx.run("DELETE FROM kept_account WHERE id = ?", kept_id)
    changes.record(tx, who=who, noun="removed account", name=address, old={"id": kept_id, "removed": at})
    return True


def expired(reader: Reader, before: float) -> list[int]:
    """Accounts that were removed before a time, or are half erased; their ids."""
    rows = reader.rows("SELECT id FROM kept_account WHERE at < ? OR erasing = 1 ORDER BY at", int(before))
    return [kept_id for (kept_id,) in rows]


def _kept(row: Row) -> KeptAccount:
    kept_id, address, name, at, who, messages, octets, aliases = row
    found = msgspec.json.decode(aliases, type=tuple[str, ...])
    return KeptAccount(kept_id, parse_mailbox(address), name, at, who, messages, octets, found)
