"""Where mail to an address goes: accounts, aliases, catch-alls, the addresses that always work.

In the order in which they win: an alias of exactly this name, an account of
exactly this name, then both without the subaddress (`ada+shop` is `ada`),
the catch-all of the domain, and for postmaster and abuse the first account
of the domain or else of the server (RFC 2142 §2, RFC 5321 §4.5.1).

A suspended account takes no mail: alone, it makes the address refused for
good (RFC 3463 X.2.1, mailbox disabled), because a mailbox that nobody reads
should not collect what its sender then takes to have arrived. Among other
targets of an alias it is passed over.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from postroad.db.transaction import Reader
from postroad.model.address import POSTMASTER, Address, parse_mailbox

MAX_DEPTH: Final = 10
"""Aliases that one address may lead through."""
MAX_TARGETS: Final = 1000
"""Targets that one address may lead to."""

SEPARATOR: Final = "+"
"""Parts a local part from its detail (RFC 5233 §4)."""

_ROLES: Final = frozenset({"postmaster", "abuse"})
_LIMITED: Final = "quota_bytes IS NOT NULL OR quota_messages IS NOT NULL OR domain_limited"


@dataclass(frozen=True, slots=True)
class AccountTarget:
    """An account of this server."""

    account_id: int
    address: Address
    """The account's own."""
    delivered_to: Address
    """What the envelope said, so that its reader sees which name was used."""
    detail: str
    """`shop` of ada+shop@; empty when there is none (RFC 5233)."""
    limited: bool
    """It or its domain has a quota: without one it cannot be full."""


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """An address elsewhere."""

    address: Address


Target: TypeAlias = AccountTarget | RemoteTarget


@dataclass(frozen=True, slots=True)
class Local:
    """The address is ours and leads somewhere; each target is named once."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The domain is ours, the address leads nowhere: 550 5.1.1."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """The domain is not ours: relaying."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """All that the address leads to is suspended: 550 5.2.1."""


Resolution: TypeAlias = Local | Unknown | NotOurs | Suspended


@dataclass(frozen=True, slots=True)
class Aliased:
    """An address found to be an alias, or to fall to a catch-all."""

    key: str
    targets: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Owned:
    """An address found to be an account."""

    account_id: int
    address: str
    suspended: bool
    limited: bool
    detail: str


def is_local_domain(reader: Reader, domain: str) -> bool:
    """Whether this server takes mail for `domain` (a normal domain)."""
    return reader.value("SELECT 1 FROM domain WHERE name = ?", domain) is not None


def resolve(reader: Reader, address: Address, hostname: str = "") -> Resolution:
    """Follow `address` to its targets; never loops, whatever the tables say.

    `hostname` is the server's own name. It need be no domain with users, but notices come from
    postmaster@ there: an answer goes where `<postmaster>` does (RFC 5321 §4.5.1).
    """
    if not address.domain:
        domain = reader.value("SELECT name FROM domain ORDER BY id LIMIT 1")
        if domain is None or address.local.lower() != POSTMASTER.local:
            return Unknown()
        address = Address(POSTMASTER.local, domain, False)
    walk = _Walk(reader, address)
    walk.run()
    if not walk.targets and _is_role(address) and is_local_domain(reader, address.domain):
        walk.fall_back()
    if walk.targets:
        return Local(tuple(walk.targets.values()))
    if walk.suspended:
        return Suspended()
    if is_local_domain(reader, address.domain):
        return Unknown()
    if address.domain == hostname and address.local.lower() == POSTMASTER.local:
        return resolve(reader, POSTMASTER)
    return NotOurs()


def find(
    reader: Reader, address: Address, passed: frozenset[str] | set[str] = frozenset()
) -> Aliased | Owned | None:
    """One step: what an address is here. Aliases in `passed` are looked through.

    That lets an alias keep a copy: `ada` shadowed by `ada -> ada, bob` reaches
    the account the second time it comes by.
    """
    for key, detail in _names(address):
        if key not in passed and (alias := _alias(reader, key, detail)):
            return alias
        row = reader.row(f"SELECT id, address, suspended, {_LIMITED} FROM account WHERE key = ?", key)  # noqa: S608 - a constant
        if row is not None:
            return Owned(row[0], row[1], bool(row[2]), bool(row[3]), detail)
    everything = "@" + address.domain
    return None if everything in passed else _alias(reader, everything, "")


class _Walk:
    """One expansion, breadth first, so that the nearest targets come first."""

    def __init__(self, reader: Reader, address: Address) -> None:
        self.targets: dict[str, Target] = {}
        self.suspended = False
        self._reader = reader
        self._address = address
        self._passed: set[str] = set()

    def run(self) -> None:
        waiting: deque[tuple[Address, str, int]] = deque([(self._address, "", 0)])
        while waiting and len(self.targets) < MAX_TARGETS:
            address, detail, depth = waiting.popleft()
            found = find(self._reader, address, self._passed)
            match found:
                case Owned():
                    self._add_account(found, found.detail or detail)
                case Aliased() if depth < MAX_DEPTH:
                    self._passed.add(found.key)
                    further = found.detail or detail
                    waiting.extend((parse_mailbox(target), further, depth + 1) for target in found.targets)
                case None if depth and not is_local_domain(self._reader, address.domain):
                    self.targets.setdefault(address.key, RemoteTarget(address))

    def fall_back(self) -> None:
        """Give a role address of a domain to the first who can read it."""
        columns = f"SELECT id, address, {_LIMITED} FROM account WHERE NOT suspended"  # noqa: S608 - a constant
        row = self._reader.row(f"{columns} AND domain = ? ORDER BY id LIMIT 1", self._address.domain)
        row = row or self._reader.row(f"{columns} ORDER BY id LIMIT 1")
        if row is not None:
            self._add_account(Owned(row[0], row[1], False, bool(row[2]), ""), "")

    def _add_account(self, owned: Owned, detail: str) -> None:
        if owned.suspended:
            self.suspended = True
            return
        own = parse_mailbox(owned.address)
        target = AccountTarget(owned.account_id, own, self._address, detail, owned.limited)
        self.targets.setdefault(own.key, target)


def _names(address: Address) -> Iterator[tuple[str, str]]:
    """The keys to look for, each with the detail that it leaves over."""
    yield address.key, ""
    base, separator, detail = address.local.partition(SEPARATOR)
    if separator and base:
        yield Address(base, address.domain, address.utf8).key, detail


def _alias(reader: Reader, key: str, detail: str) -> Aliased | None:
    rows = reader.rows("SELECT target FROM alias WHERE key = ? ORDER BY position", key)
    return Aliased(key, tuple(target for (target,) in rows), detail) if rows else None


def _is_role(address: Address) -> bool:
    return address.local.partition(SEPARATOR)[0].lower() in _ROLES
