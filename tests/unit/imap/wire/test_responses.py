"""Responses as bytes (RFC 3501 §7)."""

from array import array
from collections.abc import Sequence

import pytest

from postroad.imap.wire import responses as r
from postroad.imap.wire.status_item import StatusItem


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


def test_mailbox_names_are_in_utf7() -> None:
    assert r.mailbox(b"Entw&APw-rfe/Q&-A") == b"Entw&APw-rfe/Q&-A"
    assert r.mailbox(b"a b") == b'"a b"'
    assert r.mailbox('Entwürfe "neu"'.encode()) == '"Entwürfe \\"neu\\""'.encode()


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


def test_list() -> None:
    assert r.list_entry(b"foo", [b"\\Noselect"]) == b'LIST (\\Noselect) "/" foo'
    assert r.list_entry(b"a b", response=b"LSUB") == b'LSUB () "/" "a b"'
    assert r.list_entry(b"", [b"\\Noselect"]) == b'LIST (\\Noselect) "/" ""'
    assert (
        r.list_entry(b"Foo", [b"\\HasChildren"], child_info=[b"SUBSCRIBED"])
        == b'LIST (\\HasChildren) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))'
    )


def test_status() -> None:
    values = {StatusItem.MESSAGES: 231, StatusItem.UIDNEXT: 44292, StatusItem.APPENDLIMIT: 9}
    assert r.status(b"blurdybloop", values) == (
        b"STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 APPENDLIMIT 9)"
    )


def test_search() -> None:
    assert r.search([2, 84, 882]) == b"SEARCH 2 84 882"
    assert r.search([]) == b"SEARCH"


def test_esearch() -> None:
    found = [2, 10, 11, 12]
    assert r.esearch(b"A282", found, frozenset({"MIN", "COUNT"})) == (b'ESEARCH (TAG "A282") MIN 2 COUNT 4')
    assert r.esearch(b"A283", found, frozenset({"ALL", "MAX"}), uid=True) == (
        b'ESEARCH (TAG "A283") UID MAX 12 ALL 2,10:12'
    )
    assert r.esearch(b"A284", [], frozenset({"ALL", "MIN", "COUNT"})) == (b'ESEARCH (TAG "A284") COUNT 0')


def test_namespace() -> None:
    assert r.namespace() == b'NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))'


def test_identification() -> None:
    assert r.identification({}) == b"ID NIL"
    assert r.identification({"name": "postroad", "x": 'a"b'}) == b'ID ("name" "postroad" "x" "a\\"b")'


def test_quota() -> None:
    assert r.quota("", [(b"STORAGE", 10, 512), (b"MESSAGE", 1, 9)]) == (
        b'QUOTA "" (STORAGE 10 512 MESSAGE 1 9)'
    )
    assert r.quota("a b", [(b"STORAGE", 0, 1)]) == b'QUOTA "a b" (STORAGE 0 1)'
    assert r.quotaroot(b"INBOX", [""]) == b'QUOTAROOT INBOX ""'
    assert r.quotaroot(b"x", []) == b"QUOTAROOT x"


def test_whole_lines() -> None:
    assert r.expunge_lines([3, 3, 5]) == b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 5 EXPUNGE\r\n"
