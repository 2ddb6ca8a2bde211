"""Accounts: a mailbox owner's address, name, quota, and whether it is in force."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from postroad.db.transaction import Reader, Row, Transaction
from postroad.directory import changes
from postroad.directory.domains import note_limit
from postroad.directory.errors import AlreadyThere, BadName, InUse, NoSuchAccount, NoSuchDomain
from postroad.directory.removal import aliases_to, and_others, drop_account, drop_aliases_to
from postroad.directory.resolve import is_local_domain
from postroad.model import switches
from postroad.model.address import Address, AddressError, parse_mailbox, unicode_domain
from postroad.store.accounts import create_mailboxes

_MAX_NAME = 200
_COLUMNS = (
    "id, address, name, suspended, quota_bytes, quota_messages, app_passwords_only, shared, switched_off"
)
_INFO = f"SELECT {_COLUMNS} FROM account"  # noqa: S608 - a constant
_ENTRY = (
    f"SELECT {_COLUMNS}, created, bytes_used, messages_used,"  # noqa: S608 - a constant
    " EXISTS (SELECT 1 FROM credential c WHERE c.account_id = account.id),"
    " (SELECT count(*) FROM app_password p WHERE p.account_id = account.id),"
    " EXISTS (SELECT 1 FROM scram_key k WHERE k.account_id = account.id AND k.label = '') FROM account"
)


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """What the services need to know of an account."""

    id: int
    address: Address
    name: str
    suspended: bool
    quota_bytes: int | None
    """None: no limit."""
    quota_messages: int | None
    app_passwords_only: bool = False
    """Its password opens nothing by SASL; the web asks for it."""
    shared: bool = False
    """It is nobody's: its mailboxes are shown under Shared/ to those with whom they are shared."""
    switched_off: tuple[str, ...] = ()
    """Capabilities that its clients are not offered (`model.switches`), in order."""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An account as it is listed for an operator."""

    info: AccountInfo
    created: float
    bytes_used: int
    messages_used: int
    has_password: bool
    app_passwords: int
    """How many, expired ones included."""
    scram: bool
    """Whether there are SCRAM keys of its password."""

    @property
    def can_log_in(self) -> bool:
        """Whether it has something to log in with (and is perhaps suspended all the same)."""
        return self.app_passwords > 0 or (self.has_password and not self.info.app_passwords_only)


def add_account(
    tx: Transaction,
    address: str,
    *,
    who: str,
    name: str = "",
    quota_bytes: int | None = None,
    quota_messages: int | None = None,
    shared: bool = False,
) -> AccountInfo:
    """Make an account with its first mailboxes; it cannot log in before it has a password.

    A `shared` one is nobody's, and is there for others to use (`store.sharing`).

    Raises:
        AlreadyThere, BadName, NoSuchDomain
    """
    wanted = parsed(address)
    if not is_local_domain(tx, wanted.domain):
        raise NoSuchDomain(f"{unicode_domain(wanted.domain)} is not a domain of this server: add it first")
    if tx.value("SELECT 1 FROM account WHERE key = ?", wanted.key):
        raise AlreadyThere(f"there is an account {wanted.unicode} already")
    if tx.value("SELECT 1 FROM alias WHERE key = ?", wanted.key):
        raise AlreadyThere(f"{wanted.unicode} is an alias already")
    check_name(name)
    account_id = int(
        tx.value(
            "UPDATE directory_state SET next_account_id = next_account_id + 1 RETURNING next_account_id - 1"
        )
    )
    # A new account's mailboxes get later UIDVALIDITYs than those of a lost one (RFC 3501 §2.3.1.1).
    tx.run(
        "INSERT INTO account (id, key, address, domain, name, created, quota_bytes, quota_messages,"
        " next_uidvalidity, shared) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(account_id, wanted.key, str(wanted), wanted.domain, name, tx.now),
        *(quota_bytes, quota_messages, max(1, int(tx.now)), int(shared)),
    )
    note_limit(tx, account_id)
    create_mailboxes(tx, account_id)
    new: changes.Facts = {
        "id": account_id,
        "name": name,
        "quota_bytes": quota_bytes,
        "quota_messages": quota_messages,
        "shared": shared,
    }
    changes.record(tx, who=who, noun="account", name=str(wanted), new=new)
    return AccountInfo(account_id, wanted, name, False, quota_bytes, quota_messages, shared=shared)


def remove_account(
    tx: Transaction, address: str, *, who: str, with_aliases: bool = False, keep: bool = True
) -> AccountInfo:
    """Remove an account and all its mail; gives what it was.

    `with_aliases` also takes it off the aliases that point at it. With `keep`
    all of it can be restored (`directory.kept_accounts`).

    Raises:
        NoSuchAccount
        InUse: aliases point at it and `with_aliases` was not said.
    """
    gone = account(tx, address)
    key = gone.address.key
    pointing = aliases_to(tx, key)
    if pointing and not with_aliases:
        raise InUse(f"mail to {and_others(pointing)} goes to {gone.address.unicode}")
    drop_aliases_to(tx, key, who=who)
    drop_account(tx, gone.id, str(gone.address), who=who, keep=keep, aliases=pointing)
    return gone


def suspend_account(tx: Transaction, address: str, on: bool, *, who: str) -> AccountInfo:
    """Put an account out of force (no log-in, mail refused) or back into it; its mail stays.

    Raises:
        NoSuchAccount
    """
    before = account(tx, address)
    if before.suspended != on:
        tx.run("UPDATE account SET suspended = ? WHERE id = ?", int(on), before.id)
        _record(tx, before, who, {"suspended": before.suspended}, {"suspended": on})
        tx.wake(f"account:{before.id}")
    return account(tx, address)


def set_quota(
    tx: Transaction, address: str, *, who: str, quota_bytes: int | None, quota_messages: int | None
) -> AccountInfo:
    """Bound what an account may hold; None is no bound. What it has already stays.

    Raises:
        NoSuchAccount
    """
    before = account(tx, address)
    tx.run(
        "UPDATE account SET quota_bytes = ?, quota_messages = ? WHERE id = ?",
        *(quota_bytes, quota_messages, before.id),
    )
    _record(
        tx,
        before,
        who,
        {"quota_bytes": before.quota_bytes, "quota_messages": before.quota_messages},
        {"quota_bytes": quota_bytes, "quota_messages": quota_messages},
    )
    return account(tx, address)


def take_app_passwords_only(tx: Transaction, address: str, on: bool, *, who: str) -> AccountInfo:
    """Let the password of an account open nothing any more where an app password can, or let it again.

    Raises:
        NoSuchAccount
    """
    before = account(tx, address)
    if before.app_passwords_only != on:
        tx.run("UPDATE account SET app_passwords_only = ? WHERE id = ?", int(on), before.id)
        _record(
            tx, before, who, {"app_passwords_only": before.app_passwords_only}, {"app_passwords_only": on}
        )
    return account(tx, address)


def switch_capabilities(
    tx: Transaction, address: str, names: Iterable[str], on: bool, *, who: str
) -> AccountInfo:
    """Offer capabilities to the clients of an account no more, or again; log-ins from now on see it.

    Raises:
        NoSuchAccount
        BadName: there is no such capability, or it cannot be switched off.
    """
    before = account(tx, address)
    try:
        wanted = {switches.canonical(name) for name in names}
    except switches.NoSuchSwitch as error:
        raise BadName(str(error)) from None
    had = set(before.switched_off)
    off = sorted(had - wanted if on else had | wanted)
    if off != list(before.switched_off):
        tx.run("UPDATE account SET switched_off = ? WHERE id = ?", " ".join(off), before.id)
        _record(tx, before, who, {"switched_off": list(before.switched_off)}, {"switched_off": off})
    return account(tx, address)


def set_name(tx: Transaction, address: str, name: str, *, who: str) -> AccountInfo:
    """Change the name of the person.

    Raises:
        NoSuchAccount, BadName
    """
    before = account(tx, address)
    check_name(name)
    tx.run("UPDATE account SET name = ? WHERE id = ?", name, before.id)
    _record(tx, before, who, {"name": before.name}, {"name": name})
    return account(tx, address)


def account(reader: Reader, address: str) -> AccountInfo:
    """The account at an address that an operator typed.

    Raises:
        NoSuchAccount, BadName
    """
    wanted = parsed(address)
    found = by_key(reader, wanted.key)
    if found is None:
        raise NoSuchAccount(f"there is no account {wanted.unicode}")
    return found


def by_key(reader: Reader, key: str) -> AccountInfo | None:
    """The account of an `Address.key`."""
    row = reader.row(f"{_INFO} WHERE key = ?", key)
    return _info(row) if row else None


def by_id(reader: Reader, account_id: int) -> AccountInfo | None:
    """The account of an id."""
    row = reader.row(f"{_INFO} WHERE id = ?", account_id)
    return _info(row) if row else None


def accounts(reader: Reader, domain: str | None = None) -> list[AccountEntry]:
    """All accounts, or those of a (normal) domain, by domain and address."""
    rows = (
        reader.rows(f"{_ENTRY} ORDER BY domain, key")
        if domain is None
        else reader.rows(f"{_ENTRY} WHERE domain = ? ORDER BY key", domain)
    )
    return [_entry(row) for row in rows]


def entry(reader: Reader, address: str) -> AccountEntry:
    """One account as it is listed.

    Raises:
        NoSuchAccount, BadName
    """
    row = reader.row(f"{_ENTRY} WHERE id = ?", account(reader, address).id)
    assert row is not None, "the account was read in this transaction"
    return _entry(row)


def parsed(address: str) -> Address:
    """The address that an operator typed."""
    try:
        return parse_mailbox(address.strip())
    except AddressError as error:
        raise BadName(f'"{address}" is not an address: {error}') from None


def check_name(name: str) -> None:
    """Refuse names that would break a header or a listing."""
    if len(name) > _MAX_NAME:
        raise BadName(f"the name is longer than {_MAX_NAME} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise BadName("the name has control characters")


def _record(tx: Transaction, which: AccountInfo, who: str, old: changes.Facts, new: changes.Facts) -> None:
    changes.record(tx, who=who, noun="account", name=str(which.address), old=old, new=new)


def _info(row: Row) -> AccountInfo:
    account_id, address, name, suspended, quota_bytes, quota_messages, app_passwords_only, shared, off = row
    return AccountInfo(
        *(account_id, parse_mailbox(address), name, bool(suspended), quota_bytes, quota_messages),
        bool(app_passwords_only),
        bool(shared),
        tuple(off.split()),
    )


def _entry(row: Row) -> AccountEntry:
    created, bytes_used, messages_used, has_password, app_passwords, scram = row[9:]
    return AccountEntry(
        *(_info(row[:9]), created, bytes_used, messages_used, bool(has_password), app_passwords, bool(scram))
    )
