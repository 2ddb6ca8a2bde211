"""SCRAM keys and app passwords in `directory.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from postroad.db.transaction import Reader, Transaction
from postroad.directory.scram import THE_PASSWORD, keep_keys
from postroad.sasl.scram_keys import ScramKeys


class SavedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """SCRAM keys in the file."""

    hash: str
    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes


class SavedAppPassword(msgspec.Struct, frozen=True, kw_only=True):
    """An app password in the file; its last use is not kept."""

    label: str
    protocols: str
    salt: bytes
    hash: bytes
    created: float
    expires: float | None
    scram: list[SavedKeys] = []


@dataclass(frozen=True, slots=True)
class SavedLogins:
    """Those of all accounts, removed ones included."""

    keys: Mapping[tuple[int, str], list[SavedKeys]]
    """By account and label."""
    app_passwords: Mapping[int, list[SavedAppPassword]]

    def keys_of(self, account_id: int, label: str) -> list[SavedKeys]:
        """The SCRAM keys of one password."""
        return self.keys.get((account_id, label), [])


def collect(reader: Reader) -> SavedLogins:
    """Read them all."""
    keys: dict[tuple[int, str], list[SavedKeys]] = {}
    for account_id, label, *rest in reader.rows(
        "SELECT account_id, label, hash, iterations, salt, stored_key, server_key FROM scram_key"
        " ORDER BY account_id, label, hash"
    ):
        names = ("hash", "iterations", "salt", "stored_key", "server_key")
        keys.setdefault((account_id, label), []).append(SavedKeys(**dict(zip(names, rest, strict=True))))
    passwords: dict[int, list[SavedAppPassword]] = {}
    for account_id, label, *rest in reader.rows(
        "SELECT account_id, label, protocols, salt, hash, created, expires FROM app_password"
        " ORDER BY account_id, label"
    ):
        protocols, salt, hashed, created, expires = rest
        passwords.setdefault(account_id, []).append(
            SavedAppPassword(
                label=label,
                protocols=protocols,
                salt=salt,
                hash=hashed,
                created=created,
                expires=expires,
                scram=keys.get((account_id, label), []),
            )
        )
    return SavedLogins(keys, passwords)


def restore(
    tx: Transaction, account_id: int, scram: Sequence[SavedKeys], app_passwords: Sequence[SavedAppPassword]
) -> None:
    """Give an account back what it had."""
    _restore_keys(tx, account_id, THE_PASSWORD, scram)
    for one in app_passwords:
        tx.run(
            "INSERT INTO app_password (account_id, label, protocols, salt, hash, created, expires)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(account_id, one.label, one.protocols, one.salt, one.hash, one.created, one.expires),
        )
        _restore_keys(tx, account_id, one.label, one.scram)


def _restore_keys(tx: Transaction, account_id: int, label: str, saved: Sequence[SavedKeys]) -> None:
    keys = {one.hash: ScramKeys(one.iterations, one.salt, one.stored_key, one.server_key) for one in saved}
    keep_keys(tx, account_id, label, keys)
