"""Laws of the directory: mail goes where the aliases lead, and always arrives somewhere in the end."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroad.db.offline import prepare_data
from postroad.db.transaction import Reader, Transaction
from postroad.directory.accounts import add_account
from postroad.directory.aliases import add_alias, aliases, remove_alias
from postroad.directory.changes import version
from postroad.directory.domains import add_domain
from postroad.directory.errors import DirectoryError
from postroad.directory.resolve import AccountTarget, Local, Unknown, resolve
from postroad.model.address import parse_mailbox
from postroad.store.offline import open_offline

ALIASES = [f"alias{n}@example.org" for n in range(6)]
ACCOUNTS = ["ada@example.org", "bob@example.org"]
ELSEWHERE = ["eve@example.com"]
EDGES = st.sets(
    st.tuples(st.sampled_from(ALIASES), st.sampled_from(ALIASES + ACCOUNTS + ELSEWHERE)), max_size=20
)


class RolledBack(Exception):
    """Thrown to leave nothing of an example behind."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("laws")
    prepare_data(data)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "example.org", who="test"))
        for address in ACCOUNTS:
            database.write(partial(add_account, address=address, who="test"))
    return data


def names_behind(start: str, edges: Iterable[tuple[str, str]]) -> set[str]:
    """Everything that an alias leads to, itself and other aliases too, by brute force."""
    found = {start}
    while new := {target for source, target in edges if source in found} - found:
        found |= new
    return found


def targets(reader: Reader, address: str) -> set[str]:
    found = resolve(reader, parse_mailbox(address))
    if isinstance(found, Unknown):
        return set()
    assert isinstance(found, Local)
    for target in found.targets:
        assert not isinstance(target, AccountTarget) or str(target.delivered_to) == address
    return {str(target.address) for target in found.targets}


@settings(max_examples=200)
@given(EDGES)
def test_mail_reaches_all_that_aliases_lead_to_whatever_the_circles(
    data: Path, edges: set[tuple[str, str]]
) -> None:
    def example(tx: Transaction) -> None:
        for position, (source, target) in enumerate(sorted(edges)):
            tx.run(
                "INSERT INTO alias VALUES (?, ?, ?, 'example.org', ?, ?)",
                *(source, position, source, target, target),
            )
        for alias in ALIASES:
            assert targets(tx, alias) == names_behind(alias, edges) - set(ALIASES)
        raise RolledBack

    with open_offline(data) as database, pytest.raises(RolledBack):
        database.write(example)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(ALIASES), st.sampled_from(ALIASES + ACCOUNTS))))
def test_no_order_of_changes_makes_a_circle_or_a_dead_end(
    data: Path, changes: list[tuple[bool, str, str]]
) -> None:
    def one(tx: Transaction, add: bool, source: str, target: str) -> None:
        before = version(tx)
        tx.run("SAVEPOINT verb")
        try:
            if add:
                add_alias(tx, source, [target], who="test")
            else:
                remove_alias(tx, source, [target], who="test")
        except DirectoryError:
            tx.run("ROLLBACK TO verb")
            assert version(tx) == before
        tx.run("RELEASE verb")

    def example(tx: Transaction) -> None:
        for add, source, target in changes:
            one(tx, add, source, target)
        for alias in aliases(tx):
            assert targets(tx, alias.source), "an alias that leads nowhere"
            edges = {(a.source, target) for a in aliases(tx) for target in a.targets}
            assert all(alias.source not in names_behind(target, edges) for target in alias.targets)
        raise RolledBack

    with open_offline(data) as database, pytest.raises(RolledBack):
        database.write(example)
