"""The octets of a message: what is taken out of the wire, and how it is judged."""

import pytest

from postroad.smtp.wire.data import BARE_LINE_END, HAS_NUL, LONG_LINE, TOO_BIG, DotReader, Inspector


def read(*pieces: bytes) -> tuple[bytes, bytearray, bool]:
    inbox = bytearray()
    reader = DotReader(inbox)
    out = b""
    for piece in pieces:
        inbox += piece
        out += reader.read(inbox)
    return out, inbox, reader.ended


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...\r\n.\r\n", b"..\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a\r\n..b\r\n..\r\nc.\r\n.\r\n", b"a\r\n.b\r\n.\r\nc.\r\n"),
        (b"a\r\n\r\n.\r\n", b"a\r\n\r\n"),
    ],
)
def test_a_message_is_undone_of_its_dots(wire: bytes, message: bytes) -> None:
    assert read(wire) == (message, bytearray(), True)


def test_what_stands_behind_the_end_stays() -> None:
    assert read(b"a\r\n.\r\nQUIT\r\n") == (b"a\r\n", bytearray(b"QUIT\r\n"), True)


def test_no_more_than_the_beginning_of_an_end_is_held_back() -> None:
    for held in (b"\r", b"\r\n", b"\r\n.", b"\r\n.\r"):
        assert read(b"text" + held) == (b"text", bytearray(held), False)
    assert read(b"text.") == (b"text.", bytearray(), False)


def verdict(*pieces: bytes, size: int = 1000, line: int = 100) -> object:
    inspector = Inspector(size, line)
    for piece in pieces:
        inspector.look(piece)
    return inspector.verdict()


@pytest.mark.parametrize(
    ("pieces", "wrong"),
    [
        ([b""], None),
        ([b"a\r\nb\r\n"], None),
        ([b"a\r", b"\nb\r\n"], None),
        ([b"a"], None),
        ([b"a\n"], BARE_LINE_END),
        ([b"a\rb"], BARE_LINE_END),
        ([b"a\r", b"b"], BARE_LINE_END),
        ([b"a\r", b"\r\n"], BARE_LINE_END),
        ([b"a\r\n\r"], BARE_LINE_END),
        ([b"\r\n", b"\n"], BARE_LINE_END),
        ([b"\n\r"], BARE_LINE_END),
        ([b"a\r\n", b"\0"], HAS_NUL),
        ([b"\0\n"], BARE_LINE_END),
        ([b"x" * 98 + b"\r\n"], None),
        ([b"x" * 99 + b"\r\n"], LONG_LINE),
        ([b"x" * 100], None),
        ([b"x" * 60, b"x" * 41], LONG_LINE),
        ([b"x" * 60 + b"\r\n", b"x" * 60], None),
        ([b"x\r\n" * 200, b"x" * 99 + b"\r\n", b"y"], LONG_LINE),
        ([b"x" * 98 + b"\r\n"] * 10, None),
        ([b"x" * 98 + b"\r\n"] * 10 + [b"y"], TOO_BIG),
    ],
)
def test_what_is_wrong_with_a_message(pieces: list[bytes], wrong: object) -> None:
    assert verdict(*pieces) == wrong


def test_a_chunk_may_end_between_cr_and_lf() -> None:
    inspector = Inspector(1000, 100)
    assert inspector.look(b"a\r")
    assert inspector.verdict(whole=False) is None
    assert inspector.verdict() == BARE_LINE_END
