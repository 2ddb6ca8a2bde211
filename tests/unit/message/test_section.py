"""Sections by number: the example of RFC 3501 §6.4.5, and its edges."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.header import each_field, fields_named
from postroad.message.part import parse_parts
from postroad.message.section import SectionText, header_subset, locate

INNER = (
    b"Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
    b"--i\r\nContent-Type: text/plain\r\n\r\n4.1\r\n--i\r\n\r\n4.2\r\n--i--\r\n"
)
MESSAGE = (
    b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
    b"--o\r\nA: 1\r\n\r\n1\r\n"
    b"--o\r\nContent-Type: multipart/alternative; boundary=n\r\n\r\n--n\r\n\r\n2.1\r\n--n--\r\n"
    b"--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain\r\n\r\n3.1\r\n"
    b"--o\r\nContent-Type: message/rfc822\r\n\r\n" + INNER + b"--o--\r\n"
)
PLAIN = b"Subject: plain\r\n\r\nbody\r\n"
FORWARD = b"Content-Type: message/rfc822\r\n\r\n" + PLAIN


def section(data: bytes, path: tuple[int, ...], text: SectionText = "") -> bytes | None:
    found = locate(parse_parts(data), path, text)
    return None if found is None else data[found[0] : found[1]]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ((), "", MESSAGE),
        ((), "HEADER", MESSAGE[: MESSAGE.index(b"--o")]),
        ((), "TEXT", MESSAGE[MESSAGE.index(b"--o") :]),
        ((), "MIME", None),
        ((1,), "", b"1"),
        ((1,), "MIME", b"A: 1\r\n\r\n"),
        ((1,), "HEADER", None),
        ((1,), "TEXT", None),
        ((1, 1), "", None),
        ((2,), "", b"--n\r\n\r\n2.1\r\n--n--"),
        ((2, 1), "", b"2.1"),
        ((2, 2), "", None),
        ((3,), "", b"Subject: plain\r\n\r\n3.1"),
        ((3,), "HEADER", b"Subject: plain\r\n\r\n"),
        ((3,), "TEXT", b"3.1"),
        ((3, 1), "", b"3.1"),
        ((3, 1), "MIME", b"Subject: plain\r\n\r\n"),
        ((3, 1, 1), "", None),
        ((4,), "HEADER", INNER[: INNER.index(b"--i")]),
        ((4, 1), "", b"4.1"),
        ((4, 1), "MIME", b"Content-Type: text/plain\r\n\r\n"),
        ((4, 2), "", b"4.2"),
        ((4, 3), "", None),
        ((0,), "", None),
        ((5,), "", None),
        ((-1,), "", None),
    ],
)
def test_sections_of_a_nested_message(
    path: tuple[int, ...], text: SectionText, expected: bytes | None
) -> None:
    assert section(MESSAGE, path, text) == expected


def test_part_one_of_a_plain_message_is_its_body() -> None:
    assert section(PLAIN, (1,)) == b"body\r\n"
    assert section(PLAIN, (1,), "MIME") == b"Subject: plain\r\n\r\n"
    assert section(PLAIN, (2,)) is None
    assert section(PLAIN, (1, 1)) is None


def test_a_message_that_is_a_message() -> None:
    assert section(FORWARD, (1,)) == PLAIN
    assert section(FORWARD, (1,), "HEADER") == b"Subject: plain\r\n\r\n"
    assert section(FORWARD, (1, 1)) == b"body\r\n"


HEADER = b"From: a\r\nSubject: one\r\n two\r\nto : b\r\nSUBJECT: three\r\n\r\n"


def test_chosen_fields_stand_as_written_and_end_in_an_empty_line() -> None:
    assert header_subset(HEADER, [b"subject"], False) == b"Subject: one\r\n two\r\nSUBJECT: three\r\n\r\n"
    assert header_subset(HEADER, [b"To", b"FROM"], False) == b"From: a\r\nto : b\r\n\r\n"
    assert header_subset(HEADER, [b"x"], False) == b"\r\n"


def test_a_field_may_be_empty_or_have_nothing_but_folds() -> None:
    header = b"A:\r\nB:\r\n \r\n\t\r\nc\r\n A: no\r\nA:\n\r\n"
    assert header_subset(header, [b"a"], False) == b"A:\r\nA:\n\r\n"
    assert header_subset(header, [b"a"], True) == b"B:\r\n \r\n\t\r\n\r\n"


def test_a_flood_of_folds_takes_no_memory_for_each() -> None:
    header = b"A:" + b"\n " * 250_000 + b"\n\n"
    tracemalloc.start()
    try:
        assert header_subset(header, [b"a"], False) == header[:-1] + b"\r\n"
        assert tracemalloc.get_traced_memory()[1] < 6 * len(header)
    finally:
        tracemalloc.stop()


def test_all_but_some_fields() -> None:
    assert header_subset(HEADER, [b"subject"], True) == b"From: a\r\nto : b\r\n\r\n"


@pytest.mark.parametrize("header", [b"", b"\r\n", b"A: 1", b"A: 1\n\n", b"broken\r\nA: 1\r\n"])
def test_a_subset_always_ends_in_an_empty_line(header: bytes) -> None:
    assert header_subset(header, [b"a"], False).endswith(b"\r\n")
    assert header_subset(header, [b"x"], False) == b"\r\n"


_PIECES = st.sampled_from([b"A", b"b", b"aB", b":", b" ", b"\t", b"\r", b"\n", b"\n ", b"\0", b"x", b"\xff"])


_NAMES = st.sampled_from([b"a", b"AB", b"b ", b"", b"a:", b"."])


@given(st.lists(_PIECES).map(b"".join), st.lists(_NAMES, max_size=3))
def test_fields_by_name_are_those_that_a_walk_finds(header: bytes, names: list[bytes]) -> None:
    wanted = {name.lower() for name in names}
    walked = [header[start:end] for name, start, end in each_field(header) if name in wanted]
    assert fields_named(header, tuple(names)) == walked
