"""Responses as bytes (RFC 3501 §7)."""

from array import array
from collections.abc import Sequence

import pytest

from postroad.imap.wire import responses as r
from postroad.imap.wire.commands import StatusItem


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"a\tb", b'"a\tb"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"a\nb", b"{3}\r\na\nb"),
        (b"\xff", b"{1}\r\n\xff"),
        (b"a\0", b"{2}\r\na\0"),
        (b"x" * 1001, b"{1001}\r\n" + b"x" * 1001),
    ],
)
def test_strings(octets: bytes, written: bytes) -> None:
    assert r.string(octets) == written
    assert r.nstring(octets) == written


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"INBOX", b"INBOX"),
        (b"a]b", b"a]b"),
        (b"", b'""'),
        (b"nil", b'"nil"'),
        (b"NILE", b"NILE"),
        (b"a b", b'"a b"'),
        (b"a*", b'"a*"'),
        (b"{1}", b'"{1}"'),
        (b"\r\n", b"{2}\r\n\r\n"),
    ],
)
def test_astrings(octets: bytes, written: bytes) -> None:
    assert r.astring(octets) == written


def test_nil() -> None:
    assert r.nstring(None) == b"NIL"


def test_a_literal_can_be_written_in_two_parts() -> None:
    assert r.literal_start(3) + b"abc" == r.literal(b"abc")


def test_mailbox_names_are_in_utf7() -> None:
    assert r.mailbox("Entwürfe/Q&A") == b"Entw&APw-rfe/Q&-A"
    assert r.mailbox("a b") == b'"a b"'


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("done", b"done"),
        ("", b"-"),
        ("[ALERT] x", b"ALERT] x"),
        (" [x", b"x"),
        ("a\r\nb OK", b"a?b OK"),
        ("für", b"f?r"),
    ],
)
def test_text_is_one_line_and_no_code(words: str, written: bytes) -> None:
    assert r.text(words) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, b'" 1-Jan-1970 00:00:00 +0000"'),
        (837596665, b'"17-Jul-1996 09:44:25 +0000"'),
        (1709251199, b'"29-Feb-2024 23:59:59 +0000"'),
        (-1, b'"31-Dec-1969 23:59:59 +0000"'),
    ],
)
def test_internaldate(seconds: int, written: bytes) -> None:
    assert r.internaldate(seconds) == written


@pytest.mark.parametrize(
    ("uids", "written"),
    [
        ([], b""),
        ([7], b"7"),
        ([1, 2, 3, 4, 5, 9], b"1:5,9"),
        ([1, 2], b"1:2"),
        ([1, 3, 5], b"1,3,5"),
        (range(1, 100_001), b"1:100000"),
        (array("I", [4, 5, 6, 8]), b"4:6,8"),
        ([3, 2, 1], b"3,2,1"),
        ([1, 5, 3], b"1,5,3"),
        ([1, 3, 2, 4], b"1,3,2,4"),
        ([2, 2, 4], b"2,2,4"),
    ],
)
def test_compressed_sets(uids: Sequence[int], written: bytes) -> None:
    assert r.compress_uids(uids) == written


def test_codes_of_uidplus() -> None:
    assert r.appenduid(38505, [3955]) == b"APPENDUID 38505 3955"
    assert r.copyuid(38505, [304, 319, 320], [3956, 3957, 3958]) == b"COPYUID 38505 304,319:320 3956:3958"


def test_permanent_flags() -> None:
    assert r.permanent_flags(12, "", new_keywords=True) == b"PERMANENTFLAGS (\\Deleted \\Seen \\*)"
    assert r.permanent_flags(0, "", new_keywords=True) == b"PERMANENTFLAGS (\\*)"
    assert r.permanent_flags(0, "", new_keywords=False) == b"PERMANENTFLAGS ()"


def test_flags() -> None:
    assert r.flag_list(9, "$Forwarded foo", recent=True) == b"(\\Answered \\Seen $Forwarded foo \\Recent)"
    assert r.flag_list(0, "", recent=True) == b"(\\Recent)"
    assert r.flag_list(0, "") == b"()"


def test_capability() -> None:
    assert r.capability([b"IMAP4rev1", b"IDLE"]) == b"CAPABILITY IMAP4rev1 IDLE"


def test_list() -> None:
    assert r.list_entry("foo", [b"\\Noselect"]) == b'LIST (\\Noselect) "/" foo'
    assert r.list_entry("a b", response=b"LSUB") == b'LSUB () "/" "a b"'
    assert r.list_entry("", [b"\\Noselect"]) == b'LIST (\\Noselect) "/" ""'
    assert (
        r.list_entry("Foo", [b"\\HasChildren"], child_info=[b"SUBSCRIBED"])
        == b'LIST (\\HasChildren) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))'
    )


def test_status() -> None:
    values = {StatusItem.MESSAGES: 231, StatusItem.UIDNEXT: 44292, StatusItem.APPENDLIMIT: None}
    assert r.status("blurdybloop", values) == (
        b"STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 APPENDLIMIT NIL)"
    )


def test_search() -> None:
    assert r.search([2, 84, 882]) == b"SEARCH 2 84 882"
    assert r.search([]) == b"SEARCH"
    assert r.search([2, 5], 917162500) == b"SEARCH 2 5 (MODSEQ 917162500)"
    assert r.search([], 1) == b"SEARCH"


def test_esearch() -> None:
    found = [2, 10, 11, 12]
    assert r.esearch(b"A282", found, frozenset({"MIN", "COUNT"})) == (b'ESEARCH (TAG "A282") MIN 2 COUNT 4')
    assert r.esearch(b"A283", found, frozenset({"ALL", "MAX"}), uid=True, modseq=7) == (
        b'ESEARCH (TAG "A283") UID MAX 12 ALL 2,10:12 MODSEQ 7'
    )
    assert r.esearch(b"A284", [], frozenset({"ALL", "MIN", "COUNT"})) == (b'ESEARCH (TAG "A284") COUNT 0')


def test_vanished() -> None:
    assert r.vanished([405, 407, 410, 411]) == b"VANISHED 405,407,410:411"
    assert r.vanished([41], earlier=True) == b"VANISHED (EARLIER) 41"


def test_namespace() -> None:
    assert r.namespace() == b'NAMESPACE (("" "/")) NIL NIL'


def test_identification() -> None:
    assert r.identification({}) == b"ID NIL"
    assert r.identification({"name": "postroad", "x": 'a"b'}) == b'ID ("name" "postroad" "x" "a\\"b")'


def test_quota() -> None:
    assert r.quota("", [(b"STORAGE", 10, 512), (b"MESSAGE", 1, 9)]) == (
        b'QUOTA "" (STORAGE 10 512 MESSAGE 1 9)'
    )
    assert r.quota("a b", []) == b'QUOTA "a b" ()'
    assert r.quotaroot("INBOX", [""]) == b'QUOTAROOT INBOX ""'
    assert r.quotaroot("x", []) == b"QUOTAROOT x"


def test_whole_lines() -> None:
    assert r.fetch_lines(12, [b"UID 7", b"FLAGS ()"]) == b"* 12 FETCH (UID 7 FLAGS ())\r\n"
    assert r.expunge_lines([3, 3, 5]) == b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 5 EXPUNGE\r\n"
