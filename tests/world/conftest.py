"""A whole server for each test, or one for a module; none of them may report a bug of its own."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from postroad.testing import ThreadedWorld

ADA, BOB = "ada@demo.test", "bob@demo.test"


@contextmanager
def no_bugs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Collect what is logged; an exception that was logged is a bug of the server."""
    with capture_logs() as entries:
        yield entries
    for entry in entries:
        print(entry)  # shown when a test fails
    bugs = [entry for entry in entries if "exc_info" in entry or str(entry["event"]).endswith(".bug")]
    assert not bugs, bugs


def peopled(world: ThreadedWorld) -> ThreadedWorld:
    """With the domain demo.test, ada@ and bob@."""
    world.add_account(ADA, name="Ada")
    world.add_account(BOB, name="Bob")
    return world


@pytest.fixture
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the server logs during a test."""
    with no_bugs() as entries:
        yield entries


@pytest.fixture
def world(logs: list[MutableMapping[str, Any]]) -> Iterator[ThreadedWorld]:
    """A server with two accounts for one test."""
    with ThreadedWorld() as world:
        yield peopled(world)


@pytest.fixture(scope="module")
def lasting_world() -> Iterator[ThreadedWorld]:
    """A server with two accounts for the tests of a module, which leave each other alone."""
    with no_bugs(), ThreadedWorld() as world:
        yield peopled(world)
