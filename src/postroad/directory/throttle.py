"""How often a password may be guessed: counts in the database, so that every worker and a restart know them.

An attempt is counted before its password is hashed and taken back when it was
right: otherwise parallel guesses would all pass the check before any of them
counts. Whoever comes from where an account has logged in before is counted
for that account and network alone, so strangers cannot lock its owner out,
and one wrong phone does not lock out a whole office.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from postroad.config.limits import Limits
from postroad.db.transaction import Reader, Transaction

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400

_NETWORKS_KEPT: Final = 50
_FRESH: Final = DAY
"""How old the note of a known network may grow before it is written again."""


@dataclass(frozen=True, slots=True)
class Window:
    """One count: at most `most` failures in `seconds`, from the first of them on."""

    scope: str
    seconds: int
    most: int
    limit: str
    """Name of the setting."""


class TooManyFailures(Exception):
    """A window is full; `limit` names the setting."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


def windows(
    reader: Reader, limits: Limits, *, network: str, login_key: str, account_id: int | None
) -> tuple[Window, ...]:
    """Return what an attempt counts towards.

    The count of an account hangs on the name that was tried, so that a name
    without an account behaves like any other.
    """
    if account_id is not None and is_known(reader, account_id, network):
        scope = f"known:{account_id}:{network}"
        return (Window(scope, MINUTE, limits.auth_per_minute_address, "auth_per_minute_address"),)
    address = f"address:{network}"
    name = f"account:{blake2b(login_key.encode(errors='replace'), digest_size=16).hexdigest()}"
    return (
        Window(address, DAY, limits.auth_per_day_address, "auth_per_day_address"),
        Window(address, MINUTE, limits.auth_per_minute_address, "auth_per_minute_address"),
        Window(name, HOUR, limits.auth_per_hour_account, "auth_per_hour_account"),
    )


def check(reader: Reader, now: float, counted: tuple[Window, ...]) -> None:
    """Raise TooManyFailures when a window is full already."""
    for window in counted:
        if _count(reader, now, window)[1] >= window.most:
            raise TooManyFailures(window.limit)


def reserve(tx: Transaction, counted: tuple[Window, ...]) -> int:
    """Count an attempt as failed, until `refund`; gives how many there are in the first window.

    Raises:
        TooManyFailures: nothing was counted.
    """
    tx.run("DELETE FROM auth_failure WHERE started + seconds <= ?", tx.now)
    counts = []
    for window in counted:
        started, count = _count(tx, tx.now, window)
        if count >= window.most:
            raise TooManyFailures(window.limit)
        tx.run(
            "INSERT OR REPLACE INTO auth_failure (scope, seconds, started, count) VALUES (?, ?, ?, ?)",
            *(window.scope, window.seconds, started, count + 1),
        )
        counts.append(count + 1)
    return counts[0]


def refund(tx: Transaction, counted: tuple[Window, ...]) -> None:
    """Take a reservation back: the password was right."""
    for window in counted:
        tx.run(
            "UPDATE auth_failure SET count = count - 1 WHERE scope = ? AND seconds = ?",
            *(window.scope, window.seconds),
        )
        tx.run(
            "DELETE FROM auth_failure WHERE scope = ? AND seconds = ? AND count <= 0",
            *(window.scope, window.seconds),
        )


def is_known(reader: Reader, account_id: int, network: str) -> bool:
    """Whether the account has logged in from there before."""
    return _known_at(reader, account_id, network) is not None


def is_fresh(reader: Reader, account_id: int, network: str, now: float) -> bool:
    """Whether that was noted so lately that it need not be noted again."""
    known = _known_at(reader, account_id, network)
    return known is not None and now - known < _FRESH


def remember(tx: Transaction, account_id: int, network: str) -> None:
    """Note a network that an account logged in from; the latest are kept."""
    if is_fresh(tx, account_id, network, tx.now):
        return
    tx.run(
        "INSERT OR REPLACE INTO known_network (account_id, network, at) VALUES (?, ?, ?)",
        *(account_id, network, tx.now),
    )
    tx.run(
        "DELETE FROM known_network WHERE account_id = ? AND network NOT IN"
        " (SELECT network FROM known_network WHERE account_id = ? ORDER BY at DESC LIMIT ?)",
        *(account_id, account_id, _NETWORKS_KEPT),
    )


def _known_at(reader: Reader, account_id: int, network: str) -> float | None:
    at: float | None = reader.value(
        "SELECT at FROM known_network WHERE account_id = ? AND network = ?", account_id, network
    )
    return at


def _count(reader: Reader, now: float, window: Window) -> tuple[float, int]:
    """When the window began and how many failures it holds."""
    row = reader.row(
        "SELECT started, count FROM auth_failure WHERE scope = ? AND seconds = ?",
        *(window.scope, window.seconds),
    )
    # A window from further ahead than it is long was begun by a clock that ran years ahead: it is over too.
    if row is None or abs(now - row[0]) >= window.seconds:
        return now, 0
    # When the clock was set back by less, the window begins anew and keeps its count.
    return min(row[0], now), row[1]
