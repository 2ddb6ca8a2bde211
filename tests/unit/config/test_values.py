"""Sizes and durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.config.values import (
    about_duration,
    about_size,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("50 MiB", 50 * 2**20),
        ("2g", 2 * 2**30),
        ("1.5 KiB", 1536),
        ("10 MB", 10_000_000),
        ("4096", 4096),
        (" 64kib ", 65536),
        ("0", 0),
    ],
)
def test_sizes_are_read(text: str, octets: int) -> None:
    assert parse_size(text) == octets


@pytest.mark.parametrize("text", ["", "MiB", "50 MiX", "-1", "1e9", "5 days", "1.2.3 MiB"])
def test_what_is_not_a_size_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5 days", 432000),
        ("90s", 90),
        ("1h30m", 5400),
        ("1 h 30 min", 5400),
        ("250 ms", 0.25),
        ("45", 45),
        ("2 Weeks", 1209600),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 MiB", "-5 s", "1h nonsense", "h"])
def test_what_is_not_a_duration_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=2**50))
def test_a_written_size_reads_back(octets: int) -> None:
    assert parse_size(format_size(octets)) == octets


@given(st.integers(min_value=0, max_value=10**9))
def test_a_written_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.text())
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    try:
        assert parse_size(text) >= 0
    except ValueError:
        pass


def test_people_read_rounded_figures() -> None:
    assert about_size(1_288_490_189) == "1.2 GiB"
    assert about_size(120 * 2**20) == "120 MiB"
    assert about_size(12) == "12 B"
    assert about_duration(0.0042) == "4 ms"
    assert about_duration(4.2) == "4.2 s"
    assert about_duration(12_000) == "3 h 20 min"
    assert about_duration(3600) == "1 h"
    assert about_duration(200_000) == "2 d 7 h"
