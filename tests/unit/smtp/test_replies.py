"""Replies as lines."""

import pytest

from postroad.smtp.wire.replies import Reply, encode, parse_line, split_enhanced


def test_one_line() -> None:
    assert encode(Reply(250, "2.1.0", "ok")) == b"250 2.1.0 ok\r\n"
    assert encode(Reply(354, "", "go on")) == b"354 go on\r\n"


def test_every_line_has_code_and_enhanced_code() -> None:
    assert encode(Reply(550, "5.1.1", "a\nb")) == b"550-5.1.1 a\r\n550 5.1.1 b\r\n"


def test_nothing_breaks_out_of_a_line() -> None:
    assert encode(Reply(550, "5.1.1", "a\rb\0c\u2028d")) == b"550 5.1.1 a?b?c?d\r\n"


def test_a_line_has_at_most_512_octets() -> None:
    lines = encode(Reply(550, "5.1.1", "x" * 2000)).split(b"\r\n")
    assert [len(line) <= 510 for line in lines] == [True, True]


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (b"250 ok", (250, True, b"ok")),
        (b"250-ok", (250, False, b"ok")),
        (b"250 ", (250, True, b"")),
        (b"250", (250, True, b"")),
        (b"25", None),
        (b"2500 ok", None),
        (b"150 ok", None),
        (b"650 ok", None),
        (b"abc", None),
        (b"", None),
        (b"250_ok", None),
    ],
)
def test_reading_a_line(line: bytes, parsed: object) -> None:
    assert parse_line(line) == parsed


@pytest.mark.parametrize(
    ("code", "text", "parted"),
    [
        (550, b"5.1.1 no such user", ("5.1.1", b"no such user")),
        (250, b"2.0.0", ("2.0.0", b"")),
        (550, b"4.1.1 contradiction", ("", b"4.1.1 contradiction")),
        (550, b"5.1 short", ("", b"5.1 short")),
        (550, b"5.1.1no space", ("", b"5.1.1no space")),
        (550, b"5.1000.1 long", ("", b"5.1000.1 long")),
        (250, b"mx.ours.test", ("", b"mx.ours.test")),
    ],
)
def test_enhanced_codes(code: int, text: bytes, parted: tuple[str, bytes]) -> None:
    assert split_enhanced(code, text) == parted
