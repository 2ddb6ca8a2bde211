"""Entries of the setting for DNS lists, and answers that count."""

import pytest

from postroad.model.dns_list import parse_list


@pytest.mark.parametrize(
    ("entry", "answer", "counts"),
    [
        ("bl.test", "127.0.0.2", True),
        ("bl.test", "127.0.1.255", True),
        ("bl.test", "127.0.0.1", False),
        ("bl.test", "127.255.255.252", False),
        ("bl.test", "192.0.2.1", False),
        ("bl.test=127.0.0.[2..4;11]", "127.0.0.11", True),
        ("bl.test=127.0.0.[2..4;11]", "127.0.0.5", False),
        ("bl.test=127.0.[0..255].3*-2", "127.0.15.3", True),
        ("bl.test=127.0.[0..255].3*-2", "127.0.15.2", False),
    ],
)
def test_answers(entry: str, answer: str, counts: bool) -> None:
    assert parse_list(entry).counts(answer) is counts


def test_weights() -> None:
    assert [parse_list(text).weight for text in ("a.test", "a.test*3", "a.test=127.0.0.2*-4")] == [1, 3, -4]


@pytest.mark.parametrize(
    "entry",
    [
        *("", "nodot", "a.test*", "a.test*0", "a.test=", "a.test=127.0.0", "a.test=127.0.0.2.3", "a b.test"),
        *("a.test=127.0.0.[2..]", "a.test=127.0.0.[]", "a.test=127.0.0.256", "a.test=127.0.0.x"),
    ],
)
def test_what_is_none(entry: str) -> None:
    with pytest.raises(ValueError, match=r"127|list|octet|weight"):
        parse_list(entry)
