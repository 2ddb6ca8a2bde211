"""Headers as RFC 5322 has them, and as they come."""

import mmap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.header import MAX_FIELD, MAX_FIELDS, MAX_HEADER, HeaderBlock

MESSAGE = b"From: ada@a.test\r\nSubject: one\r\n two\r\n\tthree\r\nfrom : bob@b.test\r\n\r\nbody: no\r\n"


def names(data: bytes) -> list[bytes]:
    return [field.name for field in HeaderBlock.parse(data).fields]


def test_fields_and_body_are_found_by_offsets() -> None:
    block = HeaderBlock.parse(MESSAGE)
    assert MESSAGE[block.body_start :] == b"body: no\r\n"
    assert [MESSAGE[field.start : field.end] for field in block.fields] == [
        b"From: ada@a.test\r\n",
        b"Subject: one\r\n two\r\n\tthree\r\n",
        b"from : bob@b.test\r\n",
    ]
    assert MESSAGE[block.fields[0].value_start :].startswith(b" ada@a.test")


def test_names_have_no_case_and_may_be_followed_by_spaces() -> None:
    block = HeaderBlock.parse(MESSAGE)
    assert block.first(b"FROM") == b"ada@a.test"
    assert block.all(b"From") == [b"ada@a.test", b"bob@b.test"]
    assert block.count(b"from") == 2
    assert (block.first(b"to"), block.all(b"to"), block.count(b"to")) == (None, [], 0)


def test_unfolding_takes_the_line_end_and_leaves_the_space() -> None:
    assert HeaderBlock.parse(MESSAGE).first(b"subject") == b"one two\tthree"


def test_bare_line_feeds_end_lines_too() -> None:
    block = HeaderBlock.parse(b"A: 1\nB: 2\n 3\n\nbody\n")
    assert block.first(b"b") == b"2 3"
    assert block.body_start == 14


def test_mixed_line_ends_find_the_first_empty_line() -> None:
    assert HeaderBlock.parse(b"A: 1\n\nB: 2\r\n\r\n").body_start == 6
    assert HeaderBlock.parse(b"A: 1\r\n\r\nB: 2\n\n").body_start == 8


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"", b""),
        (b"\r\nbody", b"body"),
        (b"\nbody", b"body"),
        (b"A: 1", b""),
        (b"A: 1\r\n", b""),
        (b"just text\r\nof two lines\r\n", b"just text\r\nof two lines\r\n"),
        (b"A: 1\r\nDear Bob,\r\nhow are you?\r\n\r\nAda\r\n", b"Dear Bob,\r\nhow are you?\r\n\r\nAda\r\n"),
        (b"A: 1\r\nDear Bob,\r\n\r\nAda\r\n", b"Dear Bob,\r\n\r\nAda\r\n"),
        (b"From ada@a.test Tue Jul  1 10:52:37 2025\nA: 1\n\nbody", b"body"),
        (b"From ada@a.test Tue Jul  1 10:52:37 2025\n\nbody", b"body"),
        (b"A: 1\r\n>From here\r\nB: 2\r\n\r\nbody", b"body"),
    ],
)
def test_where_the_body_starts(data: bytes, body: bytes) -> None:
    assert data[HeaderBlock.parse(data).body_start :] == body


def test_one_broken_line_does_not_hide_the_fields_behind_it() -> None:
    assert names(b"A: 1\r\nbroken line\r\nB: 2\r\n\r\n") == [b"A", b"B"]


def test_a_continuation_without_a_field_is_passed_over() -> None:
    assert names(b" lost\r\nA: 1\r\n\r\n") == [b"A"]


def test_a_part_inside_has_absolute_offsets() -> None:
    data = b"garbage\r\n\r\nA: 1\r\n\r\nbody\r\n\r\nmore"
    block = HeaderBlock.parse(data, 11, 25)
    assert block.first(b"a") == b"1"
    assert data[block.fields[0].start : block.fields[0].end] == b"A: 1\r\n"
    assert data[block.body_start : 25] == b"body\r\n"


def test_limits_leave_out_and_say_so() -> None:
    many = HeaderBlock.parse(b"A: 1\r\n" * (MAX_FIELDS + 1) + b"\r\nbody")
    assert many.truncated
    assert len(many.fields) == MAX_FIELDS
    assert many.body_start == 6 * (MAX_FIELDS + 1) + 2
    large = HeaderBlock.parse(b"A: " + b"x" * MAX_HEADER + b"\r\nB: 2\r\n\r\nbody")
    assert large.truncated
    assert large.first(b"b") is None
    assert large.body_start == MAX_HEADER + 3 + 2 + 6 + 2
    assert len(HeaderBlock.parse(b"A: " + b"x" * 2 * MAX_FIELD + b"\r\n\r\n").first(b"a") or b"") <= MAX_FIELD


def test_a_mapped_file_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(MESSAGE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        there, here = HeaderBlock.parse(mapped), HeaderBlock.parse(MESSAGE)
    assert there.fields == here.fields
    assert there.body_start == here.body_start


_PIECES = [
    b"A",
    b"b",
    b" ",
    b":",
    b"x: ",
    b"B : y",
    b"\r\n",
    b"\n",
    b"\r\n ",
    b"\n\t",
    b"\r",
    b"\0",
    b"\0 ",
    b"From ",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=20).map(b"".join))
def test_what_is_found_by_name_is_what_stands_at_the_offsets(data: bytes) -> None:
    block = HeaderBlock.parse(data)
    for name in (b"a", b"b", b"x"):
        fields = [field for field in block.fields if field.name_lower == name]
        assert block.all(name) == [block.value(field) for field in fields]
        assert block.count(name) == len(fields)
        assert block.first(name) == next(iter(block.all(name)), None)
        assert [block.raw(field) for field in fields] == [data[one.start : one.end] for one in fields]
    assert all(field.end <= block.body_start for field in block.fields)


@pytest.mark.parametrize(
    ("header", "strange"),
    [
        (b"A: 1\r\n\tmore\r\nB : 2\r\n", False),
        (b"A: 1\nB: 2\n", False),
        (b"From ada\r\nA: 1\r\nB: 2\r\n", False),
        (b"A: 1\r\nbroken\r\nB: 2\r\n", True),
        (b"A: 1\r\n\x0cmore\r\nB: 2\r\n", True),
        (b"", False),
    ],
)
def test_lines_that_are_no_fields_are_told(header: bytes, strange: bool) -> None:
    assert HeaderBlock.parse(b"x\r\n" + header + b"\r\nbody\r\n", 3).has_strange_lines is strange
