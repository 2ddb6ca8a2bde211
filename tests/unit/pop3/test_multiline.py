"""Stuffing of multi-line replies."""

import pytest

from postroad.pop3.wire.multiline import Stuffer, cut_lines


def reply(*slices: bytes) -> bytes:
    stuffer = Stuffer()
    return b"".join([stuffer.feed(data) for data in slices]) + stuffer.finish()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n.\r\n..\r\n", b"..\r\n..\r\n...\r\n.\r\n"),
        (b"a\n.\nb\n", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r", b"a\r\r\n.\r\n"),
        (b"a\rb\0c\r\n", b"a\rb\0c\r\n.\r\n"),
    ],
)
def test_messages_end_and_are_stuffed(message: bytes, expected: bytes) -> None:
    assert reply(message) == expected


@pytest.mark.parametrize(
    "slices", [(b"a\r", b"\n.b"), (b"a\r\n", b".b"), (b"a\r\n.", b"b"), (b"a", b"\r\n.b")]
)
def test_a_cut_between_slices_changes_nothing(slices: tuple[bytes, ...]) -> None:
    assert reply(*slices) == b"a\r\n..b\r\n.\r\n"


def test_top_counts_lines_over_slices() -> None:
    assert cut_lines(b"a\r\nb\r\nc\r\n", 2) == (b"a\r\nb\r\n", 0)
    assert cut_lines(b"a\r\nb", 2) == (b"a\r\nb", 1)
    assert cut_lines(b"a\r\nb\r\n", 2) == (b"a\r\nb\r\n", 0)
    assert cut_lines(b"a\r\n", 0) == (b"", 0)
