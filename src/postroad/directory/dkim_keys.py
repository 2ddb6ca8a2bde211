"""The keys that a domain signs its mail with: made, waiting for the DNS, signing, retired (RFC 6376 §3.6).

A key signs once the DNS has shown its other half, never before: a signature
that nobody can verify is worth less than none. The one that it replaces stays
published until the last signature by it has expired.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from string import ascii_lowercase
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.directory.errors import NoSuchKey
from postroad.directory.seal import Seal
from postroad.mailauth.dkim.names import key_name
from postroad.mailauth.dkim.sign import LIFETIME, PrivateKey, SigningKey

ALGORITHMS: Final = ("rsa", "ed25519")
RSA_BITS: Final = 2048
"""RFC 8301 §3.2: at least 2,048 from signers; more does not fit everybody's DNS."""
KEPT_SECONDS: Final = LIFETIME + 86400
"""How long a retired key stays published."""

_SELECT: Final = "SELECT domain, selector, algorithm, public, created, seen, active, retired FROM dkim_key"


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key of a domain, without its private half. Times are seconds since the epoch."""

    domain: str
    selector: str
    algorithm: str
    """`rsa` or `ed25519`."""
    public: str
    created: float
    seen: float | None
    """When the DNS last showed it."""
    active: float | None
    """Since when it signs; None: it waits."""
    retired: float | None

    @property
    def state(self) -> str:
        """`waiting`, `signing` or `retired`."""
        if self.retired is not None:
            return "retired"
        return "waiting" if self.active is None else "signing"

    @property
    def name(self) -> str:
        """Where the DNS has to show it."""
        return key_name(self.selector, self.domain)

    @property
    def record(self) -> str:
        """The TXT record that publishes it."""
        kind = "" if self.algorithm == "rsa" else f"k={self.algorithm}; "
        return f"v=DKIM1; {kind}p={self.public}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A pair that was drawn and is kept nowhere yet."""

    algorithm: str
    private: PrivateKey

    @property
    def public(self) -> str:
        """`p=` of its record (RFC 6376 §3.6.1, RFC 8463 §4.2)."""
        key = self.private.public_key()
        if isinstance(self.private, Ed25519PrivateKey):
            return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()


def draw(algorithm: str) -> NewKey:
    """Draw a pair; for RSA that takes a few tenths of a second of CPU, which belong in a thread."""
    if algorithm == "ed25519":
        return NewKey(algorithm, Ed25519PrivateKey.generate())
    return NewKey(algorithm, generate_private_key(65537, RSA_BITS))


def draw_all() -> list[NewKey]:
    """Draw one pair of each algorithm."""
    return [draw(algorithm) for algorithm in ALGORITHMS]


def add_keys(tx: Transaction, domain: str, new: list[NewKey], seal: Seal, *, who: str) -> list[DkimKey]:
    """Keep new keys of a domain; they wait for the DNS to show them.

    None are kept for a domain that was removed while they were drawn.
    """
    if not tx.value("SELECT 1 FROM domain WHERE name = ?", domain):
        return []
    added = []
    for one in new:
        selector = _free_selector(tx, domain, one.algorithm)
        der = one.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        tx.run(
            "INSERT INTO dkim_key (domain, selector, algorithm, public, private, created)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(domain, selector, one.algorithm, one.public, seal.close(der, _about(domain, selector)), tx.now),
        )
        added.append(key(tx, domain, selector))
        _record(tx, who, added[-1], None, "waiting")
    return added


def key(reader: Reader, domain: str, selector: str) -> DkimKey:
    """One key.

    Raises:
        NoSuchKey
    """
    row = reader.row(f"{_SELECT} WHERE domain = ? AND selector = ?", domain, selector)
    if row is None:
        raise NoSuchKey(f"{domain} has no key with the selector {selector}")
    return DkimKey(*row)


def keys(reader: Reader, domain: str | None = None) -> list[DkimKey]:
    """The keys of a domain, or of all, in the order in which they were made."""
    where, values = ("", ()) if domain is None else (" WHERE domain = ?", (domain,))
    rows = reader.rows(f"{_SELECT}{where} ORDER BY domain, created, selector", *values)
    return [DkimKey(*row) for row in rows]


def signing_keys(reader: Reader, domain: str, seal: Seal) -> list[SigningKey]:
    """What a domain signs with, RSA first: some verifiers look at the first signature alone.

    Raises:
        CannotOpen: the seal is not the one that the keys were sealed with.
    """
    found = []
    for selector, sealed in reader.rows(
        "SELECT selector, private FROM dkim_key"
        " WHERE domain = ? AND active IS NOT NULL AND private IS NOT NULL ORDER BY algorithm DESC",
        domain,
    ):
        private = load_der_private_key(
            seal.open(sealed, _about(domain, selector)),
            None,
            unsafe_skip_rsa_key_validation=True,  # we drew it ourselves
        )
        assert isinstance(private, RSAPrivateKey | Ed25519PrivateKey)
        found.append(SigningKey(domain, selector, private))
    return found


def note_shown(tx: Transaction, shown: DkimKey, *, who: str) -> bool:
    """Note that the DNS shows a key; one that waited signs from now on. Whether it had waited."""
    tx.run(
        "UPDATE dkim_key SET seen = ? WHERE domain = ? AND selector = ?", tx.now, shown.domain, shown.selector
    )
    if not tx.changes():
        return False  # it was removed while the DNS was asked
    now = key(tx, shown.domain, shown.selector)
    if now.state != "waiting":
        return False
    for other in keys(tx, now.domain):
        if other.algorithm == now.algorithm and other.state == "signing":
            retire(tx, other, who=who)
    tx.run(
        "UPDATE dkim_key SET active = ? WHERE domain = ? AND selector = ?", tx.now, now.domain, now.selector
    )
    _record(tx, who, now, "waiting", "signing")
    return True


def retire(tx: Transaction, old: DkimKey, *, who: str) -> None:
    """Sign with a key no more; its private half is erased at once."""
    tx.run(
        "UPDATE dkim_key SET private = NULL, retired = ? WHERE domain = ? AND selector = ?",
        *(tx.now, old.domain, old.selector),
    )
    _record(tx, who, old, old.state, "retired")


def drop_keys(tx: Transaction, domain: str, *, who: str) -> None:
    """Erase the keys of a domain that is removed."""
    for one in keys(tx, domain):
        _drop(tx, one, who)


def drop_expired(tx: Transaction, *, who: str) -> int:
    """Forget retired keys by which no signature holds any more; gives how many."""
    gone = [one for one in keys(tx) if one.retired is not None and one.retired < tx.now - KEPT_SECONDS]
    for one in gone:
        _drop(tx, one, who)
    return len(gone)


def without_keys(reader: Reader) -> list[tuple[str, str]]:
    """Domains and algorithms for which no key signs or waits."""
    having = {(one.domain, one.algorithm) for one in keys(reader) if one.retired is None}
    names = [name for (name,) in reader.rows("SELECT name FROM domain ORDER BY name")]
    return [
        (name, algorithm) for name in names for algorithm in ALGORITHMS if (name, algorithm) not in having
    ]


def unsigned_domains(reader: Reader) -> list[str]:
    """Domains for which no key signs."""
    rows = reader.rows(
        "SELECT name FROM domain d WHERE NOT EXISTS"
        " (SELECT 1 FROM dkim_key k WHERE k.domain = d.name AND k.active IS NOT NULL AND k.retired IS NULL)"
        " ORDER BY name"
    )
    return [name for (name,) in rows]


def due_for_rotation(reader: Reader, before: float) -> list[DkimKey]:
    """Keys that have signed since before then, and whose successor is not made yet."""
    all_keys = keys(reader)
    waiting = {(one.domain, one.algorithm) for one in all_keys if one.state == "waiting"}
    return [
        one
        for one in all_keys
        if one.state == "signing"
        and one.active is not None
        and one.active < before
        and (one.domain, one.algorithm) not in waiting
    ]


def _drop(tx: Transaction, one: DkimKey, who: str) -> None:
    tx.run("DELETE FROM dkim_key WHERE domain = ? AND selector = ?", one.domain, one.selector)
    _record(tx, who, one, one.state, None)


def _record(tx: Transaction, who: str, one: DkimKey, old: str | None, new: str | None) -> None:
    changes.record(
        tx,
        who=who,
        noun="dkim key",
        name=one.name,
        old=None if old is None else {"state": old},
        new=None if new is None else {"state": new},
    )


def _free_selector(tx: Transaction, domain: str, algorithm: str) -> str:
    """`r20261128`, the second of a day `r20261128b`: not one that the DNS shows for an earlier key."""
    first = algorithm[0] + datetime.fromtimestamp(tx.now, UTC).strftime("%Y%m%d")
    taken = {one.selector for one in keys(tx, domain)}
    names: list[str] = [first + letter for letter in ("", *ascii_lowercase[1:])]
    return next(name for name in names if name not in taken)


def _about(domain: str, selector: str) -> str:
    return f"dkim {key_name(selector, domain)}"
