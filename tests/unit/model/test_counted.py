"""Counts with their nouns."""

import pytest

from postroad.model.counted import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 messages"), (1, "1 message"), (2, "2 messages")])
def test_one_is_singular(count: int, said: str) -> None:
    assert counted(count, "message") == said
