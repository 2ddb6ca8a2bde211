"""What is like a text, as a person would say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.likeness import LOOKED_AT, Likeness, loosened


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("hello", "Well, HELLO there"),
        ("Helo", "hello"),
        ("hlelo", "hello"),
        ("hello", "hallo"),
        ("imap break", "broken IMAP breaks"),
        ("strasse", "Große Straße"),
        ("cafe", "CAFÉ"),
        ("meeting tomorrow", "a meeting"),
        ("日本", "日本語"),
    ],
)
def test_like(wanted: str, text: str) -> None:
    assert Likeness(wanted).score([text]) > 0


@pytest.mark.parametrize(
    ("wanted", "text"),
    [("cat", "cut"), ("hello", "help"), ("one two three", "three"), ("hello", ""), ("...", "hello")],
)
def test_unlike(wanted: str, text: str) -> None:
    assert Likeness(wanted).score([text]) == 0


def test_what_is_more_alike_scores_more() -> None:
    texts = ["tea time", "time for tea", "teatime at times", "some tea"]
    scores = [Likeness("tea time").score([text]) for text in texts]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 100
    assert len(set(scores)) == len(scores)


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3))
def test_scores_are_from_0_to_100_and_a_text_is_like_itself(wanted: str, texts: list[str]) -> None:
    assert 0 <= Likeness(wanted).score(texts) <= 100
    assert Likeness(wanted).score([*texts, wanted]) == 100


def test_the_end_of_a_very_long_text_is_not_looked_at() -> None:
    assert len(loosened("x" * (LOOKED_AT + 5))) == LOOKED_AT
    assert len(loosened("\ufdfa" * LOOKED_AT)) <= LOOKED_AT  # of which each becomes eighteen
