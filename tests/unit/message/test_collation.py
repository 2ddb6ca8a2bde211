"""i;unicode-casemap by the letter of RFC 5051, from the tables of Unicode."""

import unicodedata

import pytest

from postroad.message.collation import collated


def by_the_book(letter: str) -> str:
    """RFC 5051 §2, steps 2a and 2b, for one code point."""
    title = letter.title()
    return "".join(map(taken_apart, title if len(title) == 1 else letter))


def taken_apart(letter: str) -> str:
    if 0xAC00 <= ord(letter) <= 0xD7A3:  # Hangul is taken apart by arithmetic, not by the table
        return unicodedata.normalize("NFKD", letter)
    points = [point for point in unicodedata.decomposition(letter).split() if not point.startswith("<")]
    return "".join(taken_apart(chr(int(point, 16))) for point in points) if points else letter


def test_every_code_point_of_the_first_planes() -> None:
    points = [*range(0xD800), *range(0xE000, 0x20000)]
    assert [hex(point) for point in points if collated(chr(point)) != by_the_book(chr(point))] == []


@pytest.mark.parametrize(
    ("one", "other"), [("ä", "A\u0308"), ("ǆ", "Ǆ"), ("grün", "GRÜN"), ("éa", "E\u0301A"), ("K", "k")]
)
def test_equal(one: str, other: str) -> None:
    assert collated(one) == collated(other)


@pytest.mark.parametrize(("less", "more"), [("a", "B"), ("Z", "_"), ("ö", "z"), ("a", "ä"), ("az", "äa")])
def test_order(less: str, more: str) -> None:
    assert collated(less) < collated(more)


def test_a_letter_without_a_title_of_one_code_point_stays() -> None:
    assert collated("ß") == "ß" != collated("SS")
