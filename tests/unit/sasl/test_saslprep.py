"""SASLprep: the examples of RFC 4013 §3, and what it forbids."""

import pytest

from postroad.sasl.saslprep import saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007", None),
        ("\u0627\u0031", None),
        ("", None),
        ("\u00ad", None),
        ("pass word", "pass word"),
        ("pass\u00a0word", "pass word"),
        ("pass\u2003word", "pass word"),
        ("schlüssel", "schlüssel"),
        ("schlu\u0308ssel", "schlüssel"),
        ("\u0627\u0628", "\u0627\u0628"),
        ("\u0627a\u0628", None),
        ("a\u0627", None),
        ("a\u2028b", None),
        ("a\ue000", None),
        ("a\ufffd", None),
        ("a\U0001f600", None),  # newer than Unicode 3.2: unassigned there
        ("\u0340", "\u0300"),  # forbidden, but normalization comes before that
        ("\ud800", None),
    ],
)
def test_saslprep(text: str, prepared: str | None) -> None:
    assert saslprep(text) == prepared
