"""Domains that this server takes mail for."""

from dataclasses import dataclass

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.directory.dkim_keys import drop_keys
from postroad.directory.errors import AlreadyThere, BadName, InUse, NoSuchDomain
from postroad.directory.removal import aliases_to, drop_account, drop_aliases_to
from postroad.model.address import AddressError, normal_domain, unicode_domain

_SELECT = (
    "SELECT name, created,"
    " (SELECT count(*) FROM account a WHERE a.domain = d.name),"
    " (SELECT count(DISTINCT key) FROM alias l WHERE l.domain = d.name),"
    " quota_bytes, quota_messages,"
    " (SELECT CAST(total(bytes_used) AS INTEGER) FROM account a WHERE a.domain = d.name),"
    " (SELECT CAST(total(messages_used) AS INTEGER) FROM account a WHERE a.domain = d.name)"
    " FROM domain d"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain with what is in it."""

    name: str
    """A-labels, as the DNS has it."""
    created: float
    accounts: int
    aliases: int
    quota_bytes: int | None
    """What its accounts may hold together; None: no limit."""
    quota_messages: int | None
    bytes_used: int
    messages_used: int

    @property
    def unicode(self) -> str:
        """The name for people."""
        return unicode_domain(self.name)


def add_domain(tx: Transaction, name: str, *, who: str) -> Domain:
    """Take mail for a domain from now on; its postmaster@ and abuse@ reach the first account.

    Raises:
        AlreadyThere, BadName
    """
    name = normal(name)
    if tx.value("SELECT 1 FROM domain WHERE name = ?", name):
        raise AlreadyThere(f"{unicode_domain(name)} is a domain of this server already")
    tx.run("INSERT INTO domain (name, created) VALUES (?, ?)", name, tx.now)
    changes.record(tx, who=who, noun="domain", name=name, new={})
    return domain(tx, name)


def set_quota(
    tx: Transaction, name: str, *, who: str, quota_bytes: int | None, quota_messages: int | None
) -> Domain:
    """Bound what the accounts of a domain may hold together; None is no bound. What is there stays.

    Raises:
        NoSuchDomain, BadName
    """
    before = domain(tx, name)
    tx.run(
        "UPDATE domain SET quota_bytes = ?, quota_messages = ? WHERE name = ?",
        *(quota_bytes, quota_messages, before.name),
    )
    limited = quota_bytes is not None or quota_messages is not None
    tx.run("UPDATE account SET domain_limited = ? WHERE domain = ?", int(limited), before.name)
    changes.record(
        tx,
        who=who,
        noun="domain",
        name=before.name,
        old={"quota_bytes": before.quota_bytes, "quota_messages": before.quota_messages},
        new={"quota_bytes": quota_bytes, "quota_messages": quota_messages},
    )
    return domain(tx, before.name)


def note_limit(tx: Transaction, account_id: int) -> None:
    """Let an account that has come into its domain know whether that has a limit."""
    tx.run(
        "UPDATE account SET domain_limited = EXISTS (SELECT 1 FROM domain d WHERE d.name = account.domain"
        " AND (d.quota_bytes IS NOT NULL OR d.quota_messages IS NOT NULL)) WHERE id = ?",
        account_id,
    )


def remove_domain(
    tx: Transaction, name: str, *, who: str, with_contents: bool = False, keep: bool = True
) -> Domain:
    """Take no more mail for a domain; gives what it was.

    `with_contents` also removes its accounts with all their mail, its aliases,
    and the targets of other aliases that point into it. With `keep` the
    accounts can be restored (`directory.kept_accounts`).

    Raises:
        NoSuchDomain
        InUse: there is something in the domain and `with_contents` was not said.
    """
    gone = domain(tx, name)
    pointing = tx.rows(
        "SELECT DISTINCT target_key FROM alias WHERE domain != ? AND substr(target_key, -?) = ?",
        *(gone.name, len(gone.name) + 1, "@" + gone.name),
    )
    if not with_contents and (gone.accounts or gone.aliases or pointing):
        raise InUse(_still_has(gone, len(pointing)))
    accounts = [
        (account_id, address, aliases_to(tx, key))
        for account_id, address, key in tx.rows(
            "SELECT id, address, key FROM account WHERE domain = ?", gone.name
        )
    ]
    for (key,) in pointing:
        drop_aliases_to(tx, key, who=who)
    for source, targets in _aliases(tx, gone.name).items():
        changes.record(tx, who=who, noun="alias", name=source, old={"targets": targets})
    tx.run("DELETE FROM alias WHERE domain = ?", gone.name)
    for account_id, address, aliases in accounts:
        drop_account(tx, account_id, address, who=who, keep=keep, aliases=aliases)
    drop_keys(tx, gone.name, who=who)
    tx.run("DELETE FROM domain WHERE name = ?", gone.name)
    changes.record(tx, who=who, noun="domain", name=gone.name, old={"created": gone.created})
    return gone


def domain(reader: Reader, name: str) -> Domain:
    """One domain.

    Raises:
        NoSuchDomain, BadName
    """
    name = normal(name)
    row = reader.row(f"{_SELECT} WHERE name = ?", name)
    if row is None:
        raise NoSuchDomain(f"{unicode_domain(name)} is not a domain of this server")
    return Domain(*row)


def domains(reader: Reader) -> list[Domain]:
    """All domains by name."""
    return [Domain(*row) for row in reader.rows(f"{_SELECT} ORDER BY name")]


def normal(name: str) -> str:
    """The one spelling of a domain that an operator typed."""
    try:
        return normal_domain(name.strip())
    except AddressError as error:
        raise BadName(f'"{name}" is not a domain: {error}') from None


def _aliases(reader: Reader, name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, target in reader.rows(
        "SELECT address, target FROM alias WHERE domain = ? ORDER BY key, position", name
    ):
        found.setdefault(source, []).append(target)
    return found


def _still_has(gone: Domain, pointing: int) -> str:
    parts = [
        f"{count} {noun if count == 1 else plural}"
        for count, noun, plural in (
            (gone.accounts, "account", "accounts"),
            (gone.aliases, "alias", "aliases"),
            (pointing, "target of aliases elsewhere", "targets of aliases elsewhere"),
        )
        if count
    ]
    return f"{gone.unicode} still has {' and '.join(parts)}"
