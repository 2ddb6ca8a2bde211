"""Others' mailboxes and all notes, held against the grammar (RFC 4314, RFC 5257, RFC 5464)."""

from collections.abc import Callable

from tests.conformance.imap_client import Imap
from tests.interop.postroad_server import PASSWORD

THERE = b'"Other Users/ada@ours.test/'


def test_what_is_shared_is_there_for_another(
    imap: Imap, box: bytes, account: str, connect: Callable[..., Imap]
) -> None:
    other = connect().log_in(account, PASSWORD)
    name = THERE + box + b'"'
    assert other.no(b"SELECT " + name).code == b"NONEXISTENT"
    imap.ok(b"SETACL " + box + b" " + account.encode() + b" lrs")
    assert imap.ok(b"GETACL " + box).one(b"ACL") == [
        *(box, b"ada@ours.test", b"lrswipkxtencda", account.encode(), b"lrs")
    ]
    assert other.ok(b"MYRIGHTS " + name).one(b"MYRIGHTS")[1] == b"lrs"
    assert other.no(b"GETACL " + name).code == b"NOPERM"
    assert other.no(b"DELETE " + name).code == b"NOPERM"
    assert other.ok(b"SELECT " + name).code == b"READ-ONLY"
    assert other.ok(b'LIST "" ' + name + b" RETURN (MYRIGHTS)").one(b"MYRIGHTS")[1] == b"lrs"
    assert imap.ok(b"LISTRIGHTS " + box + b" " + account.encode()).one(b"LISTRIGHTS")[2] == b""
    imap.ok(b"DELETEACL " + box + b" " + account.encode())
    assert imap.ok(b"GETACL " + box).one(b"ACL") == [box, b"ada@ours.test", b"lrswipkxtencda"]


def test_notes_are_kept_told_and_dropped(imap: Imap, box: bytes) -> None:
    imap.ok(b"SETMETADATA " + box + b' (/shared/comment "ours" /private/comment "mine")')
    told = imap.ok(b"GETMETADATA " + box + b" (DEPTH infinity) (/shared /private)").one(b"METADATA")
    assert told == [box, [b"/shared/comment", b"ours", b"/private/comment", b"mine"]]
    imap.ok(b"SETMETADATA " + box + b" (/shared/comment NIL)")
    assert imap.ok(b"GETMETADATA " + box + b" /shared/comment").one(b"METADATA") == [
        *(box, [b"/shared/comment", None])
    ]
    assert imap.no(b'SETMETADATA "" (/shared/comment "x")').code == b"NOPERM"


def test_notes_about_messages(imap: Imap, box: bytes) -> None:
    imap.ok(b"APPEND " + box + b' ANNOTATION (/comment (value.priv "mine")) {6+}\r\na: b\r\n')
    imap.ok(b"SELECT " + box + b" (ANNOTATE)")
    values = b"/comment (value.shared ~{3+}\r\na\0b) /altsubject (value.priv {2+}\r\n\xc3\xa9)"
    imap.ok(b"STORE 1 ANNOTATION (" + values + b")")
    [told] = imap.ok(b"FETCH 1 (FLAGS ANNOTATION (* (value size.shared)) UID)").fetched
    assert told.annotations == {
        b"/comment": {b"value.priv": b"mine", b"value.shared": b"a\0b", b"size.shared": b"3"},
        b"/altsubject": {b"value.priv": b"\xc3\xa9", b"value.shared": None, b"size.shared": b"0"},
    }
    imap.bad(b"STORE 1 ANNOTATION (/2/comment (value.priv NIL))")
