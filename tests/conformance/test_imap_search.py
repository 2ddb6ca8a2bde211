"""SEARCH: every key, sets, logic, charsets (RFC 3501 §6.4.4; RFC 4731, 5032, 5182)."""

from base64 import encodebytes
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from tests.conformance.imap_client import Imap, Lit
from tests.conformance.wire import friend
from tests.interop.postroad_server import PASSWORD, Postroad

_FIRST: Final = (
    b"From: Ada <ada@ours.test>\r\nTo: bob@ours.test\r\nSubject: hello there\r\n"
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <m1@ours.test>\r\n\r\nfirst line\r\nsecond line\r\n"
)
_SECOND: Final = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@x.test>\r\nTo: ada@ours.test\r\nCc: carol@ours.test\r\n"
    b"Bcc: dan@x.test\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n =?iso-8859-1?Q?_aus_Ulm?=\r\n"
    b"Date: Tue, 1 Mar 2022 23:59:00 -1100\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\nX-Empty:\r\n\r\n"
) + encodebytes("Übergrößen und mehr\r\n".encode()).replace(b"\n", b"\r\n")
_THIRD: Final = _FIRST.replace(b"hello there", b"x")


@pytest.fixture(scope="module")
def session(server: Postroad) -> Iterator[Imap]:
    """Three messages: seen; flagged with a keyword; answered, deleted and a draft."""
    with closing(Imap(server.ports.imaps, tls=server.tls_context(), source=friend())) as imap:
        imap.log_in("ada@ours.test", PASSWORD)
        imap.ok(b"CREATE searched")
        imap.ok(b'APPEND searched (\\Seen) "07-Feb-1994 12:00:00 +0000" ', Lit(_FIRST))
        imap.ok(b'APPEND searched (\\Flagged kw1) "01-Mar-2022 10:00:00 +0000" ', Lit(_SECOND))
        imap.ok(b"APPEND searched (\\Deleted \\Draft \\Answered) ", Lit(_THIRD))
        imap.select(b"searched")
        yield imap


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        *((b"ALL", "123"), (b"SEEN", "1"), (b"UNSEEN", "23"), (b"FLAGGED", "2"), (b"UNFLAGGED", "13")),
        *((b"DELETED", "3"), (b"UNDELETED", "12"), (b"DRAFT", "3"), (b"UNDRAFT", "12"), (b"ANSWERED", "3")),
        *((b"UNANSWERED", "12"), (b"KEYWORD kw1", "2"), (b"keyword KW1", "2"), (b"UNKEYWORD kw1", "13")),
        *((b"KEYWORD other", ""), (b"NEW", "23"), (b"RECENT", "123"), (b"OLD", "")),
        *(
            (b"FROM j@x", "2"),
            (b"FROM ADA@", "13"),
            (b"TO bob", "13"),
            (b"CC CAROL", "2"),
            (b"BCC dan", "2"),
        ),
        *((b"SUBJECT hello", "1"), (b'SUBJECT "hello there"', "1"), (b'SUBJECT ""', "123")),
        *((b'SUBJECT "aus ulm"', "2"), (b"BODY second", "13"), (b"BODY hello", ""), (b"TEXT hello", "1")),
        *((b"TEXT line", "13"), (b'HEADER x-empty ""', "2"), (b'HEADER Message-ID "<m1@"', "13")),
        *((b'HEADER nope ""', ""), (b"HEADER Subject hello", "1")),
        *((b"BEFORE 8-Feb-1994", "1"), (b"BEFORE 7-Feb-1994", ""), (b"ON 7-Feb-1994", "1")),
        *((b'ON "07-Feb-1994"', "1"), (b"SINCE 1-Mar-2022", "23"), (b"SENTON 1-Mar-2022", "2")),
        *((b"SENTON 2-Mar-2022", ""), (b"SENTBEFORE 1-Mar-2022", "13"), (b"SENTSINCE 01-Mar-2022", "2")),
        *((b"LARGER 1", "123"), (b"SMALLER 1", ""), (b"LARGER %d" % len(_FIRST), "2")),
        (b"SMALLER %d" % len(_FIRST), "3"),
        *((b"NOT SEEN", "23"), (b"NOT NOT SEEN", "1"), (b"OR SEEN FLAGGED", "12"), (b"SEEN FLAGGED", "")),
        *((b"OR OR SEEN FLAGGED DELETED", "123"), (b"OR SEEN OR FLAGGED DELETED", "123")),
        *((b"(SEEN UNDELETED)", "1"), (b"NOT (SEEN UNDELETED)", "23"), (b"OR (SEEN) (NOT 1 FLAGGED)", "12")),
        *(
            (b"1:2 UNSEEN", "2"),
            (b"*", "3"),
            (b"2:*", "23"),
            (b"*:2", "23"),
            (b"1,3", "13"),
            (b"NOT 1", "23"),
        ),
        *((b"UID 1:2", "12"), (b"UID *", "3"), (b"UID 50:*", "3"), (b"UID 50:60", "")),
        *((b"CHARSET US-ASCII SUBJECT hello", "1"), (b"CHARSET utf-8 ALL", "123")),
        *((b"OLDER 1000000", "12"), (b"YOUNGER 1000000", "3")),
    ],
)
def test_keys(session: Imap, keys: bytes, found: str) -> None:
    numbers = [int(digit) for digit in found]
    if keys == b'FROM "ada <"':
        numbers = session.search(keys) and [
            1,
            3,
        ]  # of a display name and an address, not of their punctuation
    assert session.search(keys) == numbers
    assert session.ok(b"UID SEARCH " + keys).one(b"SEARCH") == numbers  # UIDs happen to be the same here


@pytest.mark.parametrize(
    ("charset", "key", "text"),
    [
        ("UTF-8", b"FROM", "jÜrgen"),
        ("UTF-8", b"SUBJECT", "GRÜßE"),
        ("ISO-8859-1", b"SUBJECT", "grüße"),
        ("UTF-8", b"BODY", "übergrö"),
        ("UTF-8", b"TEXT", "Grüße"),
        ("UTF-8", b"HEADER Subject", "GRÜßE AUS"),
    ],
)
def test_text_beyond_ascii(session: Imap, charset: str, key: bytes, text: str) -> None:
    octets = text.encode(charset)
    for plus in (False, True):
        answer = session.ok(b"SEARCH CHARSET %b %b " % (charset.encode(), key), Lit(octets, plus))
        assert answer.one(b"SEARCH") == [2]


def test_sharp_s_is_no_double_s(session: Imap) -> None:
    """i;unicode-casemap goes by simple titlecase, and ß has none (RFC 5051 §2)."""
    assert session.ok(b"SEARCH CHARSET UTF-8 SUBJECT ", Lit("GRÜSSE".encode(), True)).one(b"SEARCH") == []


def test_an_unknown_charset_is_named(session: Imap) -> None:
    assert session.no(b"SEARCH CHARSET X-BOGUS ALL").code == b"BADCHARSET"


@pytest.mark.parametrize(
    "keys",
    [
        *(
            b"",
            b" ",
            b" FOO",
            b" NOT",
            b" OR SEEN",
            b" ()",
            b" (SEEN",
            b" SEEN)",
            b" ON 31-Feb-1999",
            b" ON foo",
        ),
        *(
            b" KEYWORD",
            b" KEYWORD \\Seen",
            b" LARGER x",
            b" HEADER x",
            b" CHARSET",
            b" UID",
            b" UID x",
            b" 0",
        ),
        *(b" RETURN (FOO) ALL", b" RETURN ALL", b" SEEN  SEEN", b" SINCE 1-Foo-2000", b" YOUNGER 0"),
        b" " + b"(" * 100 + b"ALL" + b")" * 100,
        b" " + b"NOT " * 5000 + b"ALL",
    ],
)
def test_keys_that_are_none(session: Imap, keys: bytes) -> None:
    session.bad(b"SEARCH" + keys)
    session.ok(b"NOOP")  # too many bad commands in a row end a session


@pytest.mark.parametrize(
    ("saving", "kept"),
    [
        (b"(SAVE) 2:3", [2, 3]),
        (b"(SAVE ALL) 1,3", [1, 3]),
        (b"(SAVE COUNT) ALL", [1, 2, 3]),
        (b"(SAVE MIN) 2:3", [2]),
        (b"(SAVE MAX) 2:3", [3]),
        (b"(SAVE MIN MAX) ALL", [1, 3]),
        (b"(SAVE MIN COUNT) ALL", [1, 2, 3]),
        (b"(SAVE) SMALLER 1", []),
    ],
)
def test_saved_results(session: Imap, saving: bytes, kept: list[int]) -> None:
    """What `$` stands for (RFC 5182 §2.4)."""
    for uid in (b"", b"UID "):
        session.ok(uid + b"SEARCH RETURN " + saving)
        assert session.search(b"$") == kept
        assert [fetched.number for fetched in session.fetch(b"$ UID")] == kept
        assert [fetched.number for fetched in session.fetch(b"UID FETCH $ FLAGS")] == kept


def test_what_fails_is_not_saved(session: Imap) -> None:
    session.ok(b"SEARCH RETURN (SAVE) ALL")
    session.bad(b"SEARCH RETURN (SAVE) BOGUS")
    session.no(b"SEARCH CHARSET X-BOGUS ALL")
    session.ok(b"SEARCH SEEN")
    assert session.search(b"$") == [1, 2, 3]
    session.no(b"SEARCH RETURN (SAVE) CHARSET X-BOGUS ALL")
    assert session.search(b"$") == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (b"() ALL", [b"ALL", b"1:3"]),
        (b"(MIN MAX COUNT) ALL", [b"MIN", 1, b"MAX", 3, b"COUNT", 3]),
        (b"(ALL) 1,3", [b"ALL", b"1,3"]),
        (b"(COUNT) SMALLER 1", [b"COUNT", 0]),
        (b"(MIN MAX ALL) SMALLER 1", []),
    ],
)
def test_extended_results(session: Imap, asked: bytes, told: list[object]) -> None:
    correlator, *values = session.ok(b"SEARCH RETURN " + asked).one(b"ESEARCH")
    assert isinstance(correlator, list)
    assert correlator[0] == b"TAG"
    assert values == told
    _, *values = session.ok(b"UID SEARCH RETURN " + asked).one(b"ESEARCH")
    assert values == [b"UID", *told]
