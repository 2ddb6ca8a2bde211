"""The pytest plugin: a fixture `mail_world`.

pytest imports this module in every project that has postroad installed, so it
imports nothing of postroad before a test asks for the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from postroad.testing.threaded import ThreadedWorld


@pytest.fixture
def mail_world() -> "Iterator[ThreadedWorld]":
    """A whole mail server for one test, with two workers and a clock that stands still."""
    from postroad.testing.threaded import ThreadedWorld

    with ThreadedWorld() as world:
        yield world
