"""SEARCH (RFC 3501 §6.4.4)."""

from datetime import date

import pytest

from postroad.imap.wire import search_keys as k
from postroad.imap.wire.event import SearchRefused
from postroad.imap.wire.search_commands import Search
from postroad.imap.wire.search_keys import DateField, DateTest, SearchKey
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.model.flags import Flag
from tests.unit.imap.wire.dialogue import core_in, events, is_bad, parse


def key(text: bytes) -> SearchKey:
    command = parse(b"t SEARCH " + text)
    assert isinstance(command, Search)
    return command.key


def test_the_example_of_the_rfc() -> None:
    assert parse(b'A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"') == Search(
        b"A282",
        k.And(
            (
                k.FlagKey(Flag.FLAGGED, True),
                k.DateKey(DateField.INTERNAL, DateTest.SINCE, date(1994, 2, 1)),
                k.Not(k.HeaderKey("From", "Smith")),
            )
        ),
    )


def test_utf8_in_a_literal() -> None:
    core = core_in()
    seen = events(core, b"A284 SEARCH CHARSET UTF-8 TEXT {6}\r\n", "мир".encode() + b"\r\n")
    assert seen == [Search(b"A284", k.TextKey("мир"))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"ALL", k.AllMessages()),
        (b"ANSWERED", k.FlagKey(Flag.ANSWERED, True)),
        (b"UNANSWERED", k.FlagKey(Flag.ANSWERED, False)),
        (b"deleted", k.FlagKey(Flag.DELETED, True)),
        (b"UNDELETED", k.FlagKey(Flag.DELETED, False)),
        (b"DRAFT", k.FlagKey(Flag.DRAFT, True)),
        (b"UNDRAFT", k.FlagKey(Flag.DRAFT, False)),
        (b"FLAGGED", k.FlagKey(Flag.FLAGGED, True)),
        (b"UNFLAGGED", k.FlagKey(Flag.FLAGGED, False)),
        (b"SEEN", k.FlagKey(Flag.SEEN, True)),
        (b"UNSEEN", k.FlagKey(Flag.SEEN, False)),
        (b"NEW", k.And((k.RecentKey(True), k.FlagKey(Flag.SEEN, False)))),
        (b"RECENT", k.RecentKey(True)),
        (b"OLD", k.RecentKey(False)),
        (b"KEYWORD $Forwarded", k.KeywordKey("$Forwarded", True)),
        (b"UNKEYWORD foo", k.KeywordKey("foo", False)),
        (b"1:4,7", k.NumberKey(SequenceSet(((1, 4), (7, 7))))),
        (b"*", k.NumberKey(SequenceSet(((None, None),)))),
        (b"$", k.NumberKey(SequenceSet((), saved=True))),
        (b"UID 5:*", k.UidKey(SequenceSet(((5, None),)))),
        (b"BCC a", k.HeaderKey("Bcc", "a")),
        (b"CC a", k.HeaderKey("Cc", "a")),
        (b"FROM a", k.HeaderKey("From", "a")),
        (b'SUBJECT ""', k.HeaderKey("Subject", "")),
        (b"TO a", k.HeaderKey("To", "a")),
        (b'HEADER Message-ID "<x@y>"', k.HeaderKey("Message-ID", "<x@y>")),
        (b"BODY abc", k.BodyKey("abc")),
        (b'TEXT "a b"', k.TextKey("a b")),
        (b"LARGER 1000", k.SizeKey(1000, larger=True)),
        (b"SMALLER 0", k.SizeKey(0, larger=False)),
        (b"OLDER 60", k.AgeKey(60, older=True)),
        (b"YOUNGER 259200", k.AgeKey(259200, older=False)),
        (b"MODSEQ 620162338", k.ModseqKey(620162338)),
        (b'MODSEQ "/flags/\\\\draft" all 620162338', k.ModseqKey(620162338)),
        (b"BEFORE 1-Feb-1994", k.DateKey(DateField.INTERNAL, DateTest.BEFORE, date(1994, 2, 1))),
        (b'ON "29-feb-2024"', k.DateKey(DateField.INTERNAL, DateTest.ON, date(2024, 2, 29))),
        (b"SINCE 01-JAN-2000", k.DateKey(DateField.INTERNAL, DateTest.SINCE, date(2000, 1, 1))),
        (b"SENTBEFORE 1-Feb-1994", k.DateKey(DateField.SENT, DateTest.BEFORE, date(1994, 2, 1))),
        (b"SENTON 1-Feb-1994", k.DateKey(DateField.SENT, DateTest.ON, date(1994, 2, 1))),
        (b"SENTSINCE 1-Feb-1994", k.DateKey(DateField.SENT, DateTest.SINCE, date(1994, 2, 1))),
        (b"NOT SEEN", k.Not(k.FlagKey(Flag.SEEN, True))),
        (b"OR SEEN DRAFT", k.Or(k.FlagKey(Flag.SEEN, True), k.FlagKey(Flag.DRAFT, True))),
        (b"(SEEN)", k.FlagKey(Flag.SEEN, True)),
        (b"(SEEN DRAFT)", k.And((k.FlagKey(Flag.SEEN, True), k.FlagKey(Flag.DRAFT, True)))),
        (b"NOT (1 ALL)", k.Not(k.And((k.NumberKey(SequenceSet(((1, 1),))), k.AllMessages())))),
    ],
)
def test_keys(text: bytes, value: SearchKey) -> None:
    assert key(text) == value


def test_uid_search() -> None:
    assert parse(b"a UID SEARCH ALL") == Search(b"a", k.AllMessages(), uid=True)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        (b"()", {"ALL"}),
        (b"(MIN COUNT)", {"MIN", "COUNT"}),
        (b"(all save)", {"ALL", "SAVE"}),
    ],
)
def test_return_options(options: bytes, value: set[str]) -> None:
    command = parse(b"A282 SEARCH RETURN " + options + b" CHARSET US-ASCII FLAGGED")
    assert command == Search(b"A282", k.FlagKey(Flag.FLAGGED, True), returns=frozenset(value))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"FOO",
        b"SEEN ",
        b"SEEN  DRAFT",
        b"NOT",
        b"NOT ",
        b"OR SEEN",
        b"()",
        b"(SEEN",
        b"SEEN)",
        b"( SEEN)",
        b"(SEEN )",
        b"FROM",
        b"FROM ",
        b"HEADER a",
        b"KEYWORD",
        b"KEYWORD \\Seen",
        b"LARGER",
        b"LARGER x",
        b"LARGER -1",
        b"OLDER 0",
        b"UID",
        b"UID x",
        b"0",
        b"BEFORE 31-Feb-1994",
        b"BEFORE 1-Foo-1994",
        b"BEFORE 1994-02-01",
        b"BEFORE 1-Feb-0000",
        b'BEFORE "1-Feb-1994',
        b"CHARSET UTF-8",
        b"RETURN",
        b"RETURN (MIN)",
        b"RETURN (FOO) ALL",
        b"RETURN (MIN ALL",
        b"MODSEQ",
        b'MODSEQ "/flags/x" foo 1',
        b"TEXT ~{1+}\r\na",
        b"TEXT {1+}\r\n\0",
    ],
)
def test_what_is_refused(text: bytes) -> None:
    assert is_bad(b"SEARCH " + text)


def test_an_unknown_charset_is_no() -> None:
    core = core_in()
    saved = b"t SEARCH RETURN (SAVE) CHARSET klingon TEXT x\r\n"
    refused = events(core, b"t SEARCH CHARSET klingon TEXT x\r\n" + saved)
    # An event each, so that the session can pause within a pipeline of them.
    assert refused == [SearchRefused(saving=False), SearchRefused(saving=True)]
    assert core.data_to_send() == b"t NO [BADCHARSET (US-ASCII UTF-8)] unknown charset\r\n" * 2


def test_text_without_a_charset_is_read_as_it_looks() -> None:
    assert key('TEXT "für"'.encode()) == k.TextKey("für")
    assert key(b'TEXT "f\xfcr"') == k.TextKey("für")


@pytest.mark.parametrize("nest", [(b"(", b")"), (b"NOT ", b""), (b"OR ALL ", b"")])
def test_depth_ends_at_64(nest: tuple[bytes, bytes]) -> None:
    opening, closing = nest
    assert not is_bad_search(opening * 63 + b"ALL" + closing * 63)
    assert is_bad_search(opening * 64 + b"ALL" + closing * 64)
    assert is_bad_search(opening * 7000)


def test_the_number_of_keys_is_bounded() -> None:
    assert not is_bad_search(b" ".join([b"ALL"] * 1000))
    assert is_bad_search(b" ".join([b"ALL"] * 1001))


def is_bad_search(text: bytes) -> bool:
    core = core_in()
    return events(core, b"t SEARCH " + text + b"\r\n") == [] and b"t BAD" in core.data_to_send()
