"""App passwords: one for each device, for some protocols, taken back without troubling the others.

They are drawn here, 100 bits each, so nobody can guess one and none can be
the user's password elsewhere. That is why a fast hash is right for them: what
argon2id buys for passwords that people think of, twenty drawn letters have
of themselves, and a phone that polls each minute costs microseconds.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from secrets import choice, token_bytes
from typing import Final

from postroad.db.transaction import Reader, Row, Transaction
from postroad.directory import changes
from postroad.directory.accounts import account, check_name
from postroad.directory.errors import AlreadyThere, BadName, NoSuchAppPassword, TooMany
from postroad.directory.scram import KeySet, drop_keys, keep_keys

PROTOCOLS: Final = ("imap", "pop3", "smtp", "jmap", "sieve", "dav")
"""What an app password may be good for; smtp is sending mail."""

_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: they are misread
_GROUPS: Final = 4
_GROUP: Final = 5
_SHAPE: Final = re.compile(rf"[{_ALPHABET}]{{{_GROUPS * _GROUP}}}")
_USE_NOTED: Final = 3600
"""Seconds for which a use is not noted again: clients poll, and each note is a write."""
_MAX_LABEL: Final = 60

_SELECT: Final = (
    "SELECT label, protocols, created, expires, used, used_from, used_for"
    " FROM app_password WHERE account_id = ?"
)


@dataclass(frozen=True, slots=True)
class AppPassword:
    """One of them; the secret itself is nowhere."""

    label: str
    protocols: tuple[str, ...]
    created: float
    expires: float | None
    """None: never."""
    used: float | None
    """To the hour; None: not yet."""
    used_from: str
    used_for: str

    def opens(self, protocol: str, now: float) -> bool:
        """Whether it is good for a protocol (of `PROTOCOLS`), now."""
        return protocol in self.protocols and (self.expires is None or now < self.expires)


def draw() -> str:
    """Draw a new secret, as the user is to type it."""
    groups = ("".join(choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def add_app_password(
    tx: Transaction,
    address: str,
    secret: str,
    *,
    who: str,
    label: str,
    protocols: Sequence[str] = PROTOCOLS,
    expires: float | None = None,
    most: int,
    keys: KeySet,
) -> AppPassword:
    """Let `secret`, of `draw`, open an account; `keys` are its SCRAM keys, if such are kept.

    Raises:
        NoSuchAccount
        BadName: of the label or of a protocol.
        AlreadyThere: the account has one of that label.
        TooMany: it has `most` of them.
    """
    info = account(tx, address)
    check_name(label)
    if not label.strip() or len(label) > _MAX_LABEL:
        raise BadName(f"a label has from 1 to {_MAX_LABEL} characters")
    if not protocols or any(word not in PROTOCOLS for word in protocols):
        raise BadName(f"an app password is for one or more of {', '.join(PROTOCOLS)}")
    if get(tx, info.id, label) is not None:
        raise AlreadyThere(f'{info.address.unicode} has an app password "{label}" already')
    if len(app_passwords(tx, info.id)) >= most:
        raise TooMany(f"{info.address.unicode} has {most} app passwords already (limits.app_passwords)")
    salt = token_bytes(16)
    tx.run(
        "INSERT INTO app_password (account_id, label, protocols, salt, hash, created, expires)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(info.id, label, " ".join(protocols), salt, _hash(secret.replace("-", ""), salt), tx.now, expires),
    )
    keep_keys(tx, info.id, label, keys)
    new: changes.Facts = {"app_password": label, "protocols": list(protocols), "expires": expires}
    changes.record(tx, who=who, noun="account", name=str(info.address), new=new)
    made = get(tx, info.id, label)
    assert made is not None, "it was written in this transaction"
    return made


def remove_app_password(tx: Transaction, address: str, label: str, *, who: str) -> AppPassword:
    """Take one back; sessions that it has opened stay.

    Raises:
        NoSuchAccount, NoSuchAppPassword
    """
    info = account(tx, address)
    gone = get(tx, info.id, label)
    if gone is None:
        raise NoSuchAppPassword(f'{info.address.unicode} has no app password "{label}"')
    tx.run("DELETE FROM app_password WHERE account_id = ? AND label = ?", info.id, label)
    drop_keys(tx, info.id, label)
    old: changes.Facts = {"app_password": label, "protocols": list(gone.protocols), "expires": gone.expires}
    changes.record(tx, who=who, noun="account", name=str(info.address), old=old)
    return gone


def app_passwords(reader: Reader, account_id: int) -> list[AppPassword]:
    """All of an account, the oldest first."""
    return [_made(row) for row in reader.rows(f"{_SELECT} ORDER BY created, label", account_id)]


def get(reader: Reader, account_id: int, label: str) -> AppPassword | None:
    """The one of a label."""
    row = reader.row(f"{_SELECT} AND label = ?", account_id, label)
    return _made(row) if row else None


def matching(reader: Reader, account_id: int, password: str) -> AppPassword | None:
    """The one whose secret was typed, with or without hyphens, spaces and capitals; expired ones too."""
    plain = password.replace("-", "").replace(" ", "").lower()
    if _SHAPE.fullmatch(plain) is None:
        return None
    rows = reader.rows("SELECT label, salt, hash FROM app_password WHERE account_id = ?", account_id)
    for label, salt, hashed in rows:
        if hmac.compare_digest(_hash(plain, salt), hashed):
            return get(reader, account_id, label)
    return None


def use_is_noted(used: AppPassword, now: float) -> bool:
    """Whether a use of late has been noted already."""
    return used.used is not None and used.used <= now < used.used + _USE_NOTED


def note_use(tx: Transaction, account_id: int, label: str, peer_address: str, protocol: str) -> None:
    """Remember when, from where and for what one was used last."""
    tx.run(
        "UPDATE app_password SET used = ?, used_from = ?, used_for = ? WHERE account_id = ? AND label = ?",
        *(tx.now, peer_address, protocol, account_id, label),
    )


def _hash(plain: str, salt: bytes) -> bytes:
    return blake2b(plain.encode(), key=salt, digest_size=32).digest()


def _made(row: Row) -> AppPassword:
    label, protocols, *rest = row
    return AppPassword(label, tuple(protocols.split()), *rest)
