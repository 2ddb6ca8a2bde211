"""Text is taken apart in time that grows with its length."""

from time import thread_time
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.decomposed import decomposed

_LETTER = st.sampled_from(["a", "ö", "가", "\ufdfa", "ǆ", "\u1100\u1161"])
_MARKS = st.lists(st.sampled_from(["\u0301", "\u0316", "\u0344", "\u0f73", "\u0f71"]), max_size=8).map(
    "".join
)
_WORDS = st.lists(st.builds(str.__add__, _LETTER, _MARKS), max_size=30).map("".join)


@given(_WORDS, st.integers(0, 300))
def test_what_people_write_is_as_if_taken_apart_at_once(text: str, before: int) -> None:
    whole = "x" * before + text * 20
    assert decomposed(whole) == normalize("NFKD", whole)


@pytest.mark.parametrize("letter", ["", "e", "\ufdfa"])
def test_marks_without_end_are_no_work_without_end(letter: str) -> None:
    def seconds(count: int) -> float:
        began = thread_time()
        assert len(decomposed(letter + "\u0301\u0316" * count)) >= 2 * count
        return thread_time() - began

    # All at once they take the square: 20 seconds, by the fastest machine that this was seen on.
    assert min(seconds(50_000) for _ in range(3)) < 1
