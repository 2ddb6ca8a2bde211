"""`directory.json`: the directory in a file that people can read, beside the database.

It is written anew after each change, whole and durable, so that `store rebuild`
can bring domains, accounts and aliases back when the database is lost. It
holds password hashes and is readable by its owner alone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes, saved_dkim_keys, saved_logins, saved_routes, saved_send_limits
from postroad.directory.domain_policy import DomainPolicy, policies, write_policy
from postroad.directory.domains import note_limit
from postroad.directory.saved_dkim_keys import SavedDkimKey
from postroad.directory.saved_logins import SavedAppPassword, SavedKeys, SavedLogins
from postroad.directory.saved_routes import SavedRoute
from postroad.directory.saved_send_limits import SavedSendLimits
from postroad.directory.scram import THE_PASSWORD
from postroad.model.address import parse_mailbox

FILE_NAME: Final = "directory.json"
KEPT_NAME: Final = "directory.json.before"
FORMAT: Final = 1

_UNTOUCHED: Final = 1
"""The version of a directory in which nothing was ever changed."""

_MAIN: Final = "SELECT version, next_account_id, salt_key FROM directory_state"
_DOMAINS: Final = "SELECT name, created, quota_bytes, quota_messages FROM domain ORDER BY id"
_ACCOUNTS: Final = (
    "SELECT a.id, a.address, a.name, a.created, a.suspended, a.quota_bytes, a.quota_messages,"
    " a.app_passwords_only, a.shared, a.switched_off, c.hash FROM account a"
    " LEFT JOIN credential c ON c.account_id = a.id AND c.kind = 'password' ORDER BY a.id"
)
_REMOVED: Final = (
    "SELECT a.id, a.address, a.name, a.created, a.suspended, a.quota_bytes, a.quota_messages,"
    " a.app_passwords_only, a.shared, a.switched_off, c.hash, a.at, a.who, a.aliases FROM kept_account a"
    " LEFT JOIN credential c ON c.account_id = a.id AND c.kind = 'password' WHERE erasing = 0 ORDER BY a.id"
)


class SavedDomain(msgspec.Struct, frozen=True, kw_only=True):
    """A domain in the file."""

    name: str
    created: float
    quota_bytes: int | None = None
    quota_messages: int | None = None
    policy: DomainPolicy = DomainPolicy()


class SavedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account in the file; its id is how the packs know it."""

    id: int
    address: str
    name: str
    created: float
    suspended: bool
    quota_bytes: int | None
    quota_messages: int | None
    password: str | None
    """argon2id hash."""
    scram: list[SavedKeys] = []
    app_passwords: list[SavedAppPassword] = []
    app_passwords_only: bool = False
    shared: bool = False
    switched_off: list[str] = []


class SavedRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """An account that was removed and can be restored."""

    account: SavedAccount
    at: int
    who: str
    aliases: list[str]


class SavedAlias(msgspec.Struct, frozen=True, kw_only=True):
    """An alias in the file."""

    source: str
    targets: list[str]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    postroad_directory: int = FORMAT
    version: int
    next_account_id: int
    domains: list[SavedDomain]
    accounts: list[SavedAccount]
    aliases: list[SavedAlias]
    removed: list[SavedRemoved] = []
    dkim_keys: list[SavedDkimKey] = []
    routes: list[SavedRoute] = []
    send_limits: list[SavedSendLimits] = []
    salt_key: bytes = b""
    """What SCRAM salts are made from; base64 in the file."""

    @property
    def account_ids(self) -> set[int]:
        """Of all accounts, the removed ones too: how the packs know them."""
        return {account.id for account in (*self.accounts, *(one.account for one in self.removed))}


class BadSnapshot(Exception):
    """The file is not one of ours, or of a later format; the message says which."""


def collect(reader: Reader) -> Snapshot:
    """Read the whole directory."""
    row = reader.row(_MAIN)
    assert row is not None, "the schema puts the row there"
    aliases: dict[str, list[str]] = {}
    for source, target in reader.rows("SELECT address, target FROM alias ORDER BY key, position"):
        aliases.setdefault(source, []).append(target)
    logins, wishes = saved_logins.collect(reader), policies(reader)
    return Snapshot(
        version=row[0],
        next_account_id=row[1],
        salt_key=row[2],
        domains=[
            SavedDomain(
                name=name,
                created=created,
                quota_bytes=octets,
                quota_messages=messages,
                policy=wishes.get(name, DomainPolicy()),
            )
            for name, created, octets, messages in reader.rows(_DOMAINS)
        ],
        accounts=[_account(logins, *row) for row in reader.rows(_ACCOUNTS)],
        aliases=[SavedAlias(source=source, targets=targets) for source, targets in aliases.items()],
        removed=[_removed(logins, *row) for row in reader.rows(_REMOVED)],
        dkim_keys=saved_dkim_keys.collect(reader),
        routes=saved_routes.collect(reader),
        send_limits=saved_send_limits.collect(reader),
    )


def save(reader: Reader, data: Path) -> bool:
    """Bring the file below `data` up to date; durable when this returns. Whether it had to be written.

    Blocks for two syncs. The directory is read with the lock in hand, so of
    several processes the last to write has also read last. A file of another,
    longer history (the database was lost and begun anew) is kept beside it.
    """
    path = data / FILE_NAME
    with _one_at_a_time(data) as directory:
        current = collect(reader)
        saved = _saved_version(path)
        if saved == current.version or current.version == _UNTOUCHED:
            return False
        if saved > current.version:
            path.replace(data / KEPT_NAME)
        new = data / (FILE_NAME + ".new")
        # Never open to others, not even before a chmod.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(msgspec.json.format(msgspec.json.encode(current), indent=2) + b"\n")
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
        os.fsync(directory)
    return True


def load(data: Path) -> Snapshot:
    """Read the file below `data`.

    Raises:
        FileNotFoundError, BadSnapshot
    """
    return parse((data / FILE_NAME).read_bytes())


def parse(text: bytes) -> Snapshot:
    """Read the text of the file.

    Raises:
        BadSnapshot
    """
    try:
        snapshot = msgspec.json.decode(text, type=Snapshot)
    except msgspec.DecodeError as error:
        raise BadSnapshot(f"{FILE_NAME} cannot be read: {error}") from None
    if snapshot.postroad_directory != FORMAT:
        raise BadSnapshot(
            f"{FILE_NAME} has format {snapshot.postroad_directory}, this postroad knows {FORMAT}"
        )
    return snapshot


def restore(tx: Transaction, snapshot: Snapshot, *, who: str = "rebuild") -> None:
    """Fill an empty directory from a snapshot; mailboxes are for the caller to make."""
    assert not tx.value("SELECT 1 FROM account LIMIT 1"), "restoring over accounts would mix two directories"
    for domain in snapshot.domains:
        tx.run(
            "INSERT INTO domain (name, created, quota_bytes, quota_messages) VALUES (?, ?, ?, ?)",
            *(domain.name, domain.created, domain.quota_bytes, domain.quota_messages),
        )
        write_policy(tx, domain.name, domain.policy)
    for account in snapshot.accounts:
        _restore_account(tx, account, snapshot.version)
    for alias in snapshot.aliases:
        _restore_alias(tx, alias)
    saved_routes.restore(tx, snapshot.routes)
    saved_send_limits.restore(tx, snapshot.send_limits)
    for removed in snapshot.removed:
        _restore_removed(tx, removed, snapshot.version)
    saved_dkim_keys.restore(tx, snapshot.dkim_keys)
    next_id = max([snapshot.next_account_id, *(number + 1 for number in snapshot.account_ids)])
    tx.run("UPDATE directory_state SET version = ?, next_account_id = ?", snapshot.version, next_id)
    if snapshot.salt_key:
        tx.run("UPDATE directory_state SET salt_key = ?", snapshot.salt_key)
    changes.record(tx, who=who, noun="directory", name=FILE_NAME, new={"version": snapshot.version})


def _restore_account(tx: Transaction, account: SavedAccount, version: int) -> None:
    address = parse_mailbox(account.address)
    tx.run(
        "INSERT INTO account (id, key, address, domain, name, created, suspended, quota_bytes,"
        " quota_messages, next_uidvalidity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(account.id, address.key, str(address), address.domain, account.name, account.created),
        *(int(account.suspended), account.quota_bytes, account.quota_messages, max(1, int(tx.now))),
    )
    tx.run(
        "UPDATE account SET app_passwords_only = ?, shared = ?, switched_off = ? WHERE id = ?",
        *(int(account.app_passwords_only), int(account.shared), " ".join(account.switched_off), account.id),
    )
    note_limit(tx, account.id)
    _restore_login(tx, account, version)


def _restore_removed(tx: Transaction, removed: SavedRemoved, version: int) -> None:
    """The store's counters are for `store rebuild` to find out."""
    account = removed.account
    address = parse_mailbox(account.address)
    tx.run(
        "INSERT INTO kept_account (id, key, address, domain, name, created, suspended, quota_bytes,"
        " quota_messages, modseq, bytes_used, messages_used, next_mailbox_id, next_message_id,"
        " next_uidvalidity, at, who, aliases) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0, 1, 1, ?, ?, ?, ?)",
        *(account.id, address.key, str(address), address.domain, account.name, account.created),
        *(int(account.suspended), account.quota_bytes, account.quota_messages, max(1, int(tx.now))),
        *(removed.at, removed.who, msgspec.json.encode(removed.aliases).decode()),
    )
    tx.run(
        "UPDATE kept_account SET app_passwords_only = ?, shared = ?, switched_off = ? WHERE id = ?",
        *(int(account.app_passwords_only), int(account.shared), " ".join(account.switched_off), account.id),
    )
    _restore_login(tx, account, version)


def _restore_login(tx: Transaction, account: SavedAccount, version: int) -> None:
    if account.password is not None:
        tx.run(
            "INSERT INTO credential (account_id, kind, version, hash, created)"
            " VALUES (?, 'password', ?, ?, ?)",
            *(account.id, version, account.password, tx.now),
        )
    saved_logins.restore(tx, account.id, account.scram, account.app_passwords)


def _restore_alias(tx: Transaction, alias: SavedAlias) -> None:
    if alias.source.startswith("@"):
        key = text = alias.source
    else:
        source = parse_mailbox(alias.source)
        key, text = source.key, str(source)
    for position, target in enumerate(map(parse_mailbox, alias.targets), 1):
        tx.run(
            "INSERT INTO alias (key, position, address, domain, target_key, target)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(key, position, text, key.rpartition("@")[2], target.key, str(target)),
        )


def _account(
    logins: SavedLogins,
    account_id: int,
    address: str,
    name: str,
    created: float,
    suspended: int,
    quota_bytes: int | None,
    quota_messages: int | None,
    app_passwords_only: int,
    shared: int,
    switched_off: str,
    password: str | None,
) -> SavedAccount:
    return SavedAccount(
        id=account_id,
        address=address,
        name=name,
        created=created,
        suspended=bool(suspended),
        quota_bytes=quota_bytes,
        quota_messages=quota_messages,
        password=password,
        scram=logins.keys_of(account_id, THE_PASSWORD),
        app_passwords=logins.app_passwords.get(account_id, []),
        app_passwords_only=bool(app_passwords_only),
        shared=bool(shared),
        switched_off=switched_off.split(),
    )


def _removed(logins: SavedLogins, *row: Any) -> SavedRemoved:
    *account, at, who, aliases = row
    names = msgspec.json.decode(aliases, type=list[str])
    return SavedRemoved(account=_account(logins, *account), at=at, who=who, aliases=names)


def _saved_version(path: Path) -> int:
    try:
        return parse(path.read_bytes()).version
    except (FileNotFoundError, BadSnapshot):
        return 0


@contextmanager
def _one_at_a_time(data: Path) -> Iterator[int]:
    directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield directory
    finally:
        os.close(directory)
