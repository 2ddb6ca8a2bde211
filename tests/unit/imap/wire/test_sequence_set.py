"""Sequence sets (RFC 3501 §9)."""

import pytest

from postroad.imap.wire.message_commands import Expunge
from postroad.imap.wire.sequence_set import SequenceSet
from tests.unit.imap.wire.dialogue import is_bad, parse


def read(text: bytes) -> SequenceSet:
    command = parse(b"t UID EXPUNGE " + text)
    assert isinstance(command, Expunge)
    assert command.uids is not None
    return command.uids


def test_ranges_are_kept_as_written() -> None:
    assert read(b"2,4:7,9,12:*").ranges == ((2, 2), (4, 7), (9, 9), (12, None))


def test_the_saved_result() -> None:
    assert read(b"$") == SequenceSet((), saved=True)


def test_the_largest_number() -> None:
    assert read(b"4294967295").ranges == ((4294967295, 4294967295),)


@pytest.mark.parametrize(
    ("text", "highest", "resolved"),
    [
        (b"2,4:7,9,12:*", 15, ((2, 2), (4, 7), (9, 9), (12, 15))),  # the example of RFC 3501 §9
        (b"*:4,5:7", 10, ((4, 10),)),  # as RFC 3501 §9 has it
        (b"559:*", 500, ((500, 559),)),  # RFC 3501 §6.4.8
        (b"*", 7, ((7, 7),)),
        (b"*:*", 7, ((7, 7),)),
        (b"7:3", 9, ((3, 7),)),
        (b"5,4,3,2,1", 9, ((1, 5),)),
        (b"1:3,2:9,12", 20, ((1, 9), (12, 12))),
        (b"1:9,2:3", 20, ((1, 9),)),
        (b"*", 0, ()),
        (b"1:*", 0, ()),
    ],
)
def test_resolving(text: bytes, highest: int, resolved: tuple[tuple[int, int], ...]) -> None:
    assert read(text).resolve(highest) == resolved


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"0", b"01", b"1:0", b",1", b"1,", b"1,,2", b"1:2:3", b"1:", b":1", b"-1", b"(1)"),
        *(b"4294967296", b"1:99999999999", b"a", b"1a", b"**", b"1*", b"$1", b"1 2"),
    ],
)
def test_what_is_no_set(text: bytes) -> None:
    assert is_bad(b"UID EXPUNGE " + text)
