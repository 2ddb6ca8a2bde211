"""What a domain wants of those who send to it, where that is not what the settings say."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes, domains

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "greylisting": ("on", "off"),
    "lists": ("on", "off"),
    "helo": ("off", "warn", "refuse"),
    "dmarc": ("enforce", "monitor"),
}
"""What is chosen from a few words."""


class DomainPolicy(Struct, frozen=True):
    """None: as `[receiving]` says, for `dmarc` as `[sender_auth]` does. Each is a column of `domain`."""

    greylisting: str | None = None
    lists: str | None = None
    helo: str | None = None
    dmarc: str | None = None
    lists_refuse: int | None = None
    """The sum of weights from which on mail is refused."""
    greylist_delay: float | None = None
    """Seconds."""
    recipients_minute: int | None = None
    """Recipients that one address may name within a minute; 0: any."""
    tarpit: float | None = None
    """Seconds that a recipient who is refused costs."""
    allow: str | None = None
    """Networks that nothing is asked about, beside those of the settings, with spaces between them."""


_COLUMNS: Final = DomainPolicy.__struct_fields__
_READ: Final = ", ".join(_COLUMNS)


def policy_of(reader: Reader, name: str) -> DomainPolicy:
    """What one domain wants.

    Raises:
        NoSuchDomain, BadName
    """
    known = domains.domain(reader, name)
    row = reader.row(f"SELECT {_READ} FROM domain WHERE name = ?", known.name)  # noqa: S608 - constants
    assert row is not None
    return DomainPolicy(*row)


def policies(reader: Reader) -> dict[str, DomainPolicy]:
    """All domains that want something of their own, by name (A-labels)."""
    rows = reader.rows(
        f"SELECT name, {_READ} FROM domain WHERE coalesce({_READ}) IS NOT NULL"  # noqa: S608 - constants
    )
    return {name: DomainPolicy(*wishes) for name, *wishes in rows}


def set_policy(tx: Transaction, name: str, policy: DomainPolicy, *, who: str) -> None:
    """Set all of it.

    Raises:
        NoSuchDomain, BadName
    """
    before, known = policy_of(tx, name), domains.domain(tx, name)
    write_policy(tx, known.name, policy)
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(policy)
    changes.record(tx, who=who, noun="domain", name=known.name, old=old, new=new)


def write_policy(tx: Transaction, name: str, policy: DomainPolicy) -> None:
    """Write it down for a domain that is there, without a note of the change."""
    columns = ", ".join(f"{column} = ?" for column in _COLUMNS)
    tx.run(f"UPDATE domain SET {columns} WHERE name = ?", *msgspec.structs.astuple(policy), name)  # noqa: S608 - constants
