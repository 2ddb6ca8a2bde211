"""Passwords: what may be one, and how it is kept (argon2id, RFC 9106)."""

import unicodedata
from base64 import b64encode
from dataclasses import dataclass
from secrets import token_bytes
from typing import Final, NamedTuple, NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.directory.accounts import account
from postroad.directory.errors import BadPassword
from postroad.directory.scram import THE_PASSWORD, KeySet, keep_keys
from postroad.model.refusal import Unavailable

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 1024
"""Characters; beyond it is an attack on our time, not a password."""

PasswordHash = NewType("PasswordHash", str)
"""`$argon2id$…`, made by `Hasher.hash`."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs, us and the guesser."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1


FULL_COST: Final = Cost()
LEAST_COST: Final = Cost(memory_kib=8, passes=1)
"""For tests, which guard nothing."""


class Credential(NamedTuple):
    """The stored half of a log-in."""

    version: int
    """Another number after each change."""
    hash: PasswordHash


class Hasher:
    """Hashing at one cost. Slow on purpose: keep it off the event loop and out of transactions."""

    def __init__(self, cost: Cost = FULL_COST) -> None:
        self._argon2 = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self.dummy: Final = _of_no_password(cost)
        """What an unknown user's password is compared with, so that it takes as long."""

    def hash(self, password: str, *, allow_weak: bool = False) -> PasswordHash:
        """Return what may be stored of a password that was typed.

        Raises:
            BadPassword
        """
        return PasswordHash(self._argon2.hash(acceptable(password, allow_weak=allow_weak)))

    def verify(self, stored: PasswordHash, password: str) -> bool:
        """Whether a prepared password (`prepared`) is the one that was hashed.

        Raises:
            Unavailable: there is no memory to find out.
        """
        try:
            return self._argon2.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
        except VerificationError as error:
            raise Unavailable(f"argon2: {error}") from error


def _of_no_password(cost: Cost) -> PasswordHash:
    """A hash by chance, which is not computed: that would take a log-in's time in each worker that starts."""
    salt, digest = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return PasswordHash(f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${digest}")


def prepared(password: str) -> str:
    """Return a password as it is compared: OpaqueString (RFC 8265 §4.2).

    The rule about unassigned code points is left out: it would make a
    password depend on the Unicode version of the machine.

    Raises:
        BadPassword
    """
    if not password or len(password) > MAX_LENGTH:
        raise BadPassword(f"a password has from 1 to {MAX_LENGTH} characters")
    if password.isascii() and password.isprintable():
        return password
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in spaced):
        raise BadPassword("the password has control characters")
    return unicodedata.normalize("NFC", spaced)


def acceptable(password: str, *, allow_weak: bool = False) -> str:
    """Return a new password as it is compared, or say why it cannot be one.

    Raises:
        BadPassword
    """
    ready = prepared(password)
    if len(ready) < MIN_LENGTH and not allow_weak:
        raise BadPassword(f"the password has fewer than {MIN_LENGTH} characters")
    return ready


def set_password(
    tx: Transaction, address: str, hashed: PasswordHash, *, who: str, keys: KeySet | None = None
) -> None:
    """Let an account log in with another password from now on; sessions that are open stay.

    `keys` are the SCRAM keys of the same password, where such are kept.

    Raises:
        NoSuchAccount
    """
    info = account(tx, address)
    version = changes.record(
        tx, who=who, noun="account", name=str(info.address), old={"password": "***"}, new={"password": "***"}
    )
    tx.run(
        "INSERT OR REPLACE INTO credential (account_id, kind, version, hash, created)"
        " VALUES (?, 'password', ?, ?, ?)",
        *(info.id, version, hashed, tx.now),
    )
    keep_keys(tx, info.id, THE_PASSWORD, keys or {})


def credential(reader: Reader, account_id: int) -> Credential | None:
    """The password of an account; None when it has none and cannot log in."""
    row = reader.row(
        "SELECT version, hash FROM credential WHERE account_id = ? AND kind = 'password'", account_id
    )
    return Credential._make(row) if row else None
