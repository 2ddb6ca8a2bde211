"""Aliases: names whose mail goes to other addresses, here or elsewhere; `@domain` catches all."""

from collections.abc import Sequence
from dataclasses import dataclass

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.directory.accounts import parsed
from postroad.directory.domains import normal
from postroad.directory.errors import (
    AlreadyThere,
    BadName,
    InUse,
    Loop,
    NoSuchAccount,
    NoSuchAlias,
    NoSuchDomain,
    TooMany,
)
from postroad.directory.removal import aliases_to, and_others, drop_aliases_to
from postroad.directory.resolve import MAX_DEPTH, MAX_TARGETS, Aliased, find, is_local_domain
from postroad.model.address import Address, parse_mailbox, unicode_domain


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias with its targets in the order in which they were given."""

    source: str
    """`info@example.org`, or `@example.org` for a catch-all."""
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    key: str
    text: str
    domain: str


def add_alias(
    tx: Transaction, source: str, targets: Sequence[str], *, who: str, shadow: bool = False
) -> Alias:
    """Send the mail of `source` to `targets`, beside those that it has already.

    `shadow` lets an alias stand before an account of the same name and take
    its mail; name the account as a target to let it keep a copy.

    Raises:
        AlreadyThere, BadName, Loop, NoSuchAccount, NoSuchDomain, TooMany
    """
    name = _source(source)
    if not is_local_domain(tx, name.domain):
        raise NoSuchDomain(f"{unicode_domain(name.domain)} is not a domain of this server: add it first")
    if not targets:
        raise BadName("an alias needs a target")
    before = _targets(tx, name.key)
    shadows = tx.value("SELECT 1 FROM account WHERE key = ?", name.key) is not None
    if shadows and not shadow and not before:
        raise AlreadyThere(f"{name.text} is an account: an alias before it would take its mail")
    position = int(tx.value("SELECT coalesce(max(position), 0) FROM alias WHERE key = ?", name.key))
    for target in map(parsed, targets):
        if target.key == name.key and not shadows:
            raise Loop(f"{name.text} cannot lead to itself")
        if tx.value("SELECT 1 FROM alias WHERE key = ? AND target_key = ?", name.key, target.key):
            raise AlreadyThere(f"{name.text} goes to {target.unicode} already")
        if is_local_domain(tx, target.domain) and find(tx, target) is None:
            raise NoSuchAccount(f"there is no account or alias {target.unicode} for {name.text} to go to")
        position += 1
        tx.run(
            "INSERT INTO alias (key, position, address, domain, target_key, target)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(name.key, position, name.text, name.domain, target.key, str(target)),
        )
    _check_shape(tx, name)
    after = _targets(tx, name.key)
    old: changes.Facts | None = {"targets": before} if before else None
    changes.record(tx, who=who, noun="alias", name=name.text, old=old, new={"targets": after})
    return Alias(name.text, tuple(after))


def remove_alias(
    tx: Transaction, source: str, targets: Sequence[str] = (), *, who: str, even_if_used: bool = False
) -> Alias:
    """Remove an alias, or only some of its targets; gives what was removed.

    `even_if_used` also takes it off the aliases that point at it.

    Raises:
        NoSuchAlias, BadName
        InUse: other aliases point at it and `even_if_used` was not said.
    """
    name = _source(source)
    before = _targets(tx, name.key)
    if not before:
        raise NoSuchAlias(f"there is no alias {name.text}")
    for target in map(parsed, targets):
        tx.run("DELETE FROM alias WHERE key = ? AND target_key = ?", name.key, target.key)
        if not tx.changes():
            raise NoSuchAlias(f"{name.text} does not go to {target.unicode}")
    if not targets:
        tx.run("DELETE FROM alias WHERE key = ?", name.key)
    after = _targets(tx, name.key)
    gone = tuple(target for target in before if target not in after)
    if not after and not tx.value("SELECT 1 FROM account WHERE key = ?", name.key):
        pointing = aliases_to(tx, name.key)
        if pointing and not even_if_used:
            raise InUse(f"mail to {and_others(pointing)} goes to {name.text}")
        drop_aliases_to(tx, name.key, who=who)
    new: changes.Facts | None = {"targets": after} if after else None
    changes.record(tx, who=who, noun="alias", name=name.text, old={"targets": before}, new=new)
    return Alias(name.text, gone)


def alias(reader: Reader, source: str) -> Alias:
    """One alias.

    Raises:
        NoSuchAlias, BadName
    """
    name = _source(source)
    targets = _targets(reader, name.key)
    if not targets:
        raise NoSuchAlias(f"there is no alias {name.text}")
    return Alias(name.text, tuple(targets))


def aliases(reader: Reader, domain: str | None = None) -> list[Alias]:
    """All aliases, or those of a (normal) domain, by domain and name."""
    columns = "SELECT address, target FROM alias"
    rows = (
        reader.rows(f"{columns} ORDER BY domain, key, position")
        if domain is None
        else reader.rows(f"{columns} WHERE domain = ? ORDER BY key, position", domain)
    )
    found: dict[str, list[str]] = {}
    for source, target in rows:
        found.setdefault(source, []).append(target)
    return [Alias(source, tuple(targets)) for source, targets in found.items()]


def _source(text: str) -> _Source:
    text = text.strip()
    if text.startswith("@"):
        domain = normal(text[1:])
        return _Source("@" + domain, "@" + domain, domain)
    address = parsed(text)
    return _Source(address.key, str(address), address.domain)


def _targets(reader: Reader, key: str) -> list[str]:
    rows = reader.rows("SELECT target FROM alias WHERE key = ? ORDER BY position", key)
    return [target for (target,) in rows]


def _check_shape(reader: Reader, name: _Source) -> None:
    """Refuse what mail could not follow: circles, long chains, crowds.

    Looks down from the alias and, for the length of the chain and the size of
    the crowd, from every alias above it.
    """
    ways = {name.key: _Way(reader, name.text)}
    above = [name.key]
    for key in above:
        for upper, text in reader.rows(
            "SELECT DISTINCT key, address FROM alias WHERE target_key = ? AND key != ?", key, key
        ):
            if upper not in ways:
                ways[upper] = _Way(reader, text)
                above.append(upper)
    for way in ways.values():
        way.follow(_targets(reader, way.key), 1, (way.key,))


class _Way:
    """A walk down from one alias that knows where it has been."""

    def __init__(self, reader: Reader, text: str) -> None:
        self.key = _source(text).key
        self._text = text
        self._reader = reader
        self._ends: set[str] = set()
        self._lengths: dict[str, int] = {}

    def follow(self, targets: Sequence[str], length: int, path: tuple[str, ...]) -> None:
        if length > MAX_DEPTH:
            raise TooMany(f"{self._text} would lead through more than {MAX_DEPTH} aliases")
        for target in map(parse_mailbox, targets):
            found = find(self._reader, target, self._own(target, path))
            if not isinstance(found, Aliased):
                self._end(target)
            elif found.key in path:
                raise Loop(f"{self._text} would lead back to itself by way of {target.unicode}")
            elif self._lengths.get(found.key, 0) < length:
                # Only a longer way to the same alias can tell something new.
                self._lengths[found.key] = length
                self.follow(found.targets, length + 1, (*path, found.key))

    def _own(self, target: Address, path: tuple[str, ...]) -> frozenset[str]:
        """An alias that names its own account as a target keeps a copy and is no circle."""
        return frozenset({target.key}) if path[-1] == target.key else frozenset()

    def _end(self, target: Address) -> None:
        self._ends.add(target.key)
        if len(self._ends) > MAX_TARGETS:
            raise TooMany(f"{self._text} would lead to more than {MAX_TARGETS} addresses")
