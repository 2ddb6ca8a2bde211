"""Greylisting: who is not known here has to come back once (RFC 6647).

Plain functions over a transaction. A sender is its network (/24, /64), its
address and the recipient. Who has come back is known for a while; a network
from which several have is allowed altogether, and so is what an operator
names. Rows carry their own end, and `sweep` takes those away that are over.
"""

from ipaddress import ip_address, ip_network
from typing import Final

from msgspec import Struct

from postroad.config.receiving import Receiving
from postroad.db.transaction import Reader, Transaction
from postroad.model.address import AddressError, normal_domain

RENEWED: Final = 86400.0
"""Seconds by which the end of a row must have moved before it is written again."""
FOR_EVER: Final = 1e12
WAITING_NETWORK: Final = 100
"""Senders of one network that are noted while they wait; more of them wait and are not noted."""
WAITING_MOST: Final = 100_000
"""Senders that wait in all. Beyond it new ones are taken at once: strangers must not fill the disk."""


class Triplet(Struct, frozen=True):
    """What is remembered of a sender."""

    network: str
    sender: str
    """The key of its address; empty for the null sender."""
    recipient: str


class Row(Struct, frozen=True):
    """A triplet in the database."""

    network: str
    sender: str
    recipient: str
    first: float
    ends: float
    passed: int
    """1: it came back."""


class Allowed(Struct, frozen=True):
    """A network or a sender's domain that never waits."""

    what: str
    who: str
    """An operator, or `itself`: enough of its senders came back."""
    at: float
    ends: float


class Wait(Struct, frozen=True):
    """It has to come back, so many seconds from now at the earliest."""

    seconds: float


def network_of(address: str) -> str:
    """The network that counts as one sender: servers of a provider share their queue."""
    ip = ip_address(address)
    return str(ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def why_known(reader: Reader, triplet: Triplet, domain: str, now: float) -> str:
    """Why a sender need not wait, and nothing has to be written down for it; empty: it is not known."""
    if allowed := _allowed_by(reader, triplet.network, domain, now):
        return f"{allowed} never waits"
    if _was_written_to(reader, triplet.sender):
        return "somebody here has written to the sender"
    row = reader.row(
        "SELECT ends FROM greylist WHERE network = ? AND sender = ? AND recipient = ? AND passed = 1",
        *(triplet.network, triplet.sender, triplet.recipient),
    )
    return "it has been here before" if row is not None and row[0] > now + RENEWED else ""


def come(tx: Transaction, triplet: Triplet, settings: Receiving) -> Wait | None:
    """A sender is here: note it, and say whether it has to wait."""
    now, key = tx.now, (triplet.network, triplet.sender, triplet.recipient)
    row = tx.row(
        "SELECT first, passed FROM greylist WHERE network = ? AND sender = ? AND recipient = ? AND ends > ?",
        *(*key, now),
    )
    if row is None:
        if _waiting(tx, WAITING_MOST) >= WAITING_MOST:
            return None
        if _waiting(tx, WAITING_NETWORK, triplet.network) >= WAITING_NETWORK:
            return Wait(settings.greylist_delay)
        tx.run(
            "INSERT OR REPLACE INTO greylist (network, sender, recipient, first, ends, passed)"
            " VALUES (?, ?, ?, ?, ?, 0)",
            *(*key, now, now + settings.greylist_retry),
        )
        return Wait(settings.greylist_delay)
    first, passed = row
    # A clock that was set back must not make anybody wait longer than the delay.
    left = min(first + settings.greylist_delay - now, settings.greylist_delay)
    if not passed and left > 0:
        return Wait(left)
    tx.run(
        "UPDATE greylist SET passed = 1, ends = ? WHERE network = ? AND sender = ? AND recipient = ?",
        *(now + settings.greylist_lifetime, *key),
    )
    if not passed:
        _allow_network(tx, triplet.network, settings)
    return None


def allow(tx: Transaction, what: str, *, who: str) -> str:
    """Let a network or a sender's domain never wait; give how it is written.

    Raises:
        ValueError: it is neither.
    """
    name = written(what)
    tx.run(
        "INSERT OR REPLACE INTO greylist_allow (what, who, at, ends) VALUES (?, ?, ?, ?)",
        *(name, who, tx.now, FOR_EVER),
    )
    return name


def forget(tx: Transaction, what: str) -> int:
    """Forget what is known of a network or a sender's domain; give how many rows that were.

    Raises:
        ValueError: it is neither.
    """
    name = written(what)
    tx.run("DELETE FROM greylist_allow WHERE what = ?", name)
    count = tx.changes()
    column = "network = ?" if "/" in name else "substr(sender, -length(?1) - 1) = '@' || ?1"
    tx.run(f"DELETE FROM greylist WHERE {column}", name)  # noqa: S608 - constants
    return count + tx.changes()


def written(what: str) -> str:
    """The one spelling of a network (as it counts) or a domain.

    Raises:
        ValueError: it is neither; the message is for people.
    """
    try:
        return network_of(what.partition("/")[0])
    except ValueError:
        pass
    try:
        return normal_domain(what.removeprefix("@"))
    except AddressError:
        raise ValueError(f'"{what}" is neither an address, nor a network, nor a domain') from None


def rows(reader: Reader, limit: int) -> list[Row]:
    """What is known, the newest first."""
    found = reader.rows(
        "SELECT network, sender, recipient, first, ends, passed FROM greylist"
        " ORDER BY first DESC, network, sender, recipient LIMIT ?",
        limit,
    )
    return [Row(*row) for row in found]


def allowed(reader: Reader) -> list[Allowed]:
    """Who never waits."""
    return [
        Allowed(*row) for row in reader.rows("SELECT what, who, at, ends FROM greylist_allow ORDER BY what")
    ]


def sweep(tx: Transaction, most: int = 1000) -> int:
    """Take away what is over, at most so many rows at once; give how many."""
    tx.run(
        "DELETE FROM greylist WHERE (network, sender, recipient) IN"
        " (SELECT network, sender, recipient FROM greylist WHERE ends <= ? LIMIT ?)",
        *(tx.now, most),
    )
    count = tx.changes()
    tx.run("DELETE FROM greylist_allow WHERE ends <= ?", tx.now)
    return count + tx.changes()


def _waiting(tx: Transaction, most: int, network: str | None = None) -> int:
    """How many senders wait, of one network or in all; counted up to `most`."""
    where, params = ("", ()) if network is None else (" AND network = ?", (network,))
    count: int = tx.value(
        f"SELECT count(*) FROM (SELECT 1 FROM greylist WHERE passed = 0{where} LIMIT ?)",  # noqa: S608 - constants
        *(*params, most),
    )
    return count


def _allowed_by(reader: Reader, network: str, domain: str, now: float) -> str:
    found = reader.value(
        "SELECT what FROM greylist_allow WHERE what IN (?, ?) AND ends > ? LIMIT 1", network, domain, now
    )
    return str(found or "")


def _was_written_to(reader: Reader, sender: str) -> bool:
    """Whether one of our users has written to it, as far back as the trail goes."""
    return bool(sender) and (
        reader.value(
            "SELECT 1 FROM trail_key k JOIN trail t ON t.id = k.trail_id"
            " WHERE k.key = ?1 AND t.kind = 'out' AND t.sender != '' AND lower(t.sender) != ?1 LIMIT 1",
            sender.lower(),
        )
        is not None
    )


def _allow_network(tx: Transaction, network: str, settings: Receiving) -> None:
    passed = tx.value("SELECT count(*) FROM greylist WHERE network = ? AND passed = 1", network)
    if passed >= settings.greylist_allow_after:
        tx.run(
            "INSERT INTO greylist_allow (what, who, at, ends) VALUES (?, 'itself', ?, ?)"
            " ON CONFLICT (what) DO UPDATE SET ends = max(ends, excluded.ends)",
            *(network, tx.now, tx.now + settings.greylist_lifetime),
        )
