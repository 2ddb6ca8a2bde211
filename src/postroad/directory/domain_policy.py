"""What a domain wants of those who send to it, where that is not what the settings say."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes, domains

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "greylisting": ("on", "off"),
    "lists": ("on", "off"),
    "helo": ("off", "warn", "refuse"),
    "dmarc": ("enforce", "monitor"),
}
"""What can be set, and to what; each can also be left to the settings."""


class DomainPolicy(Struct, frozen=True):
    """None: as `[receiving]` says, for `dmarc` as `[sender_auth]` does."""

    greylisting: str | None = None
    lists: str | None = None
    helo: str | None = None
    dmarc: str | None = None


def policy_of(reader: Reader, name: str) -> DomainPolicy:
    """What one domain wants.

    Raises:
        NoSuchDomain, BadName
    """
    known = domains.domain(reader, name)
    row = reader.row("SELECT greylisting, lists, helo, dmarc FROM domain WHERE name = ?", known.name)
    assert row is not None
    return DomainPolicy(*row)


def policies(reader: Reader) -> dict[str, DomainPolicy]:
    """All domains that want something of their own, by name (A-labels)."""
    rows = reader.rows(
        "SELECT name, greylisting, lists, helo, dmarc FROM domain"
        " WHERE greylisting IS NOT NULL OR lists IS NOT NULL OR helo IS NOT NULL OR dmarc IS NOT NULL"
    )
    return {name: DomainPolicy(*wishes) for name, *wishes in rows}


def set_policy(tx: Transaction, name: str, policy: DomainPolicy, *, who: str) -> None:
    """Set all of it.

    Raises:
        NoSuchDomain, BadName
    """
    before, known = policy_of(tx, name), domains.domain(tx, name)
    tx.run(
        "UPDATE domain SET greylisting = ?, lists = ?, helo = ?, dmarc = ? WHERE name = ?",
        *(policy.greylisting, policy.lists, policy.helo, policy.dmarc, known.name),
    )
    changes.record(tx, who=who, noun="domain", name=known.name, old=_facts(before), new=_facts(policy))


def _facts(policy: DomainPolicy) -> changes.Facts:
    return {
        "greylisting": policy.greylisting,
        "lists": policy.lists,
        "helo": policy.helo,
        "dmarc": policy.dmarc,
    }
