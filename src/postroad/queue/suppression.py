"""Addresses that are not written to any more: mail for them goes back at once, with the reason.

Operators put them there, and so do servers that have called an address
nobody's so many times in a row, where `[queue] suppress_after` says how many.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from postroad.config.settings import Queue
from postroad.db.transaction import Asked, Reader, Transaction
from postroad.model.address import Address
from postroad.smtp.outcome import Outcome, Verdict

_REASON: Final = 200
_NOBODY: Final = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463 §3.2, §3.3; RFC 7505: there is nobody, whoever writes and whatever it is."""
_COLUMNS: Final = "address, reason, who, active, bounces, at"


class NotSuppressed(LookupError):
    """The address is not on the list."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One address."""

    address: str
    reason: str
    who: str
    """The operator who put it there; empty when it was learned."""
    active: bool
    bounces: int
    at: float


def add(tx: Transaction, address: Address, *, who: str, reason: str = "") -> Suppressed:
    """Put an address on the list."""
    text = reason[:_REASON] or "asked for by the postmaster"
    tx.run(
        "INSERT INTO suppression (key, address, reason, who, active, bounces, at)"
        " VALUES (?1, ?2, ?3, ?4, 1, 0, ?5)"
        " ON CONFLICT (key) DO UPDATE SET reason = ?3, who = ?4, active = 1, at = ?5",
        *(address.key, str(address), text, who, tx.now),
    )
    return Suppressed(str(address), text, who, True, 0, tx.now)


def remove(tx: Transaction, address: Address) -> Suppressed:
    """Take an address off the list; gives what it was.

    Raises:
        NotSuppressed
    """
    row = tx.row(f"SELECT {_COLUMNS} FROM suppression WHERE key = ? AND active", address.key)  # noqa: S608 - constants
    if row is None:
        raise NotSuppressed(f"{address.unicode} is not on the list")
    tx.run("DELETE FROM suppression WHERE key = ?", address.key)
    return Suppressed(*row)


def listed(reader: Reader) -> list[Suppressed]:
    """The whole list, the latest first."""
    rows = reader.rows(f"SELECT {_COLUMNS} FROM suppression WHERE active ORDER BY at DESC, key")  # noqa: S608 - constants
    return [Suppressed(*row) for row in rows]


def anybody(asked: Asked) -> bool:
    """Whether there is anything to look up: nearly always nobody is on the list."""
    return asked.row("SELECT 1 FROM suppression LIMIT 1") is not None


def outcomes_for(reader: Reader, addresses: Iterable[Address]) -> dict[str, Outcome]:
    """What becomes of those who are on the list, by their key."""
    keys = [address.key for address in addresses]
    marks = ", ".join("?" * len(keys))
    rows = reader.rows(f"SELECT key, reason FROM suppression WHERE key IN ({marks}) AND active", *keys)  # noqa: S608 - marks
    return {
        key: Outcome(
            *(Verdict.FAILED, 0, "5.1.1", f"the address is on the suppression list of this server: {reason}"),
            spoken=False,
        )
        for key, reason in rows
    }


def learn(tx: Transaction, results: Iterable[tuple[Address, Outcome]], settings: Queue) -> None:
    """Count who bounced because there is nobody; forget it of who has got something."""
    if not settings.suppress_after:
        return
    for address, outcome in results:
        if outcome.verdict is Verdict.DELIVERED:
            tx.run("DELETE FROM suppression WHERE key = ? AND NOT active", address.key)
        elif outcome.verdict is Verdict.FAILED and outcome.spoken and outcome.enhanced in _NOBODY:
            tx.run(
                "INSERT INTO suppression (key, address, reason, who, active, bounces, at)"
                " VALUES (?1, ?2, ?3, '', ?4 <= 1, 1, ?5) ON CONFLICT (key) DO UPDATE SET"
                " bounces = bounces + 1, at = ?5, active = active OR bounces + 1 >= ?4,"
                " reason = CASE WHEN who = '' THEN ?3 ELSE reason END",
                *(address.key, str(address), outcome.words[:_REASON], settings.suppress_after, tx.now),
            )
