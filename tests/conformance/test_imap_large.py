"""CONDSTORE, QRESYNC, UIDONLY, UIDBATCHES and NOTIFY, held to their grammars (RFC 7162, 9586, 5465)."""

from collections.abc import Callable
from typing import Final

from tests.conformance.imap_client import Imap
from tests.conformance.imap_values import Data, Fetched, Numbered

LogIn = Callable[[], Imap]
MESSAGE: Final = b"From: a@x.test\r\nSubject: hello\r\n\r\nbody\r\n"


def filled(imap: Imap, box: bytes, count: int) -> None:
    """Put messages into a mailbox."""
    for _ in range(count):
        imap.append(box, MESSAGE)


def test_mod_sequences(imap: Imap, log_in: LogIn, box: bytes) -> None:
    filled(imap, box, 3)
    selected = imap.ok(b"SELECT " + box + b" (CONDSTORE)")
    highest = selected.coded(b"HIGHESTMODSEQ")
    assert highest is not None
    modseqs = [f.modseq for f in imap.ok(b"FETCH 1:3 (MODSEQ)").fetched]
    assert all(modseq is not None and modseq <= int(highest.argument) for modseq in modseqs)
    stored = imap.ok(b"STORE 2 (UNCHANGEDSINCE %b) +FLAGS (\\Flagged)" % highest.argument)
    [changed] = [f.modseq for f in stored.fetched]
    assert changed is not None
    assert changed > int(highest.argument)
    refused = imap.ok(b"STORE 1:2 (UNCHANGEDSINCE %b) +FLAGS (\\Seen)" % highest.argument)
    assert (refused.code, refused.argument) == (b"MODIFIED", b"2")
    since = imap.ok(b"FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % (changed - 1)).fetched
    assert [f.number for f in since] == [1, 2]
    assert imap.ok(b"SEARCH MODSEQ %d" % changed).one(b"SEARCH") == [1, 2]


def test_a_client_comes_back(imap: Imap, log_in: LogIn, box: bytes) -> None:
    filled(imap, box, 4)
    imap.ok(b"ENABLE QRESYNC")
    selected = imap.ok(b"SELECT " + box)
    validity, modseq = selected.coded(b"UIDVALIDITY"), selected.coded(b"HIGHESTMODSEQ")
    assert validity is not None
    assert modseq is not None
    other = log_in()
    other.select(box)
    other.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.ok(b"EXPUNGE")
    other.ok(b"STORE 1 +FLAGS.SILENT (\\Seen)")
    told = imap.ok(b"NOOP")
    assert told.one(b"VANISHED") == [False, b"2"]
    assert [(f.uid, f.modseq is not None) for f in told.fetched] == [(1, True)]
    again = imap.ok(b"SELECT %b (QRESYNC (%b %b))" % (box, validity.argument, modseq.argument))
    assert again.coded(b"CLOSED") is not None
    assert again.one(b"VANISHED") == [True, b"2"]
    assert [f.uid for f in again.fetched] == [1]


def test_uids_alone(imap: Imap, box: bytes) -> None:
    filled(imap, box, 3)
    imap.ok(b"ENABLE UIDONLY")
    imap.ok(b"SELECT " + box)
    for command in (b"FETCH 1 UID", b"STORE 1 FLAGS ()", b"SEARCH ALL", b"COPY 1 " + box, b"UID SEARCH 1:2"):
        answer = imap.do(command)
        assert (answer.status, answer.code) == (b"BAD", b"UIDREQUIRED")
    fetched = imap.ok(b"UID FETCH 1:* FLAGS").fetched
    assert [(f.number, f.by_uid) for f in fetched] == [(1, True), (2, True), (3, True)]
    imap.ok(b"UID STORE 3 +FLAGS.SILENT (\\Deleted)")
    assert imap.ok(b"EXPUNGE").one(b"VANISHED") == [False, b"3"]
    [[tag, only]] = imap.ok(b"UIDBATCHES 500").data(b"UIDBATCHES")
    assert only == (2, 1)
    assert isinstance(tag, bytes)


def test_events_come_unasked(imap: Imap, log_in: LogIn, box: bytes) -> None:
    imap.select(box)
    answer = imap.do(b"NOTIFY SET (personal (Weather MessageNew MessageExpunge))")
    assert (answer.status, answer.code) == (b"NO", b"BADEVENT")
    imap.ok(
        b"NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge))"
        b" (mailboxes (%b Trash) (MessageNew MessageExpunge))" % box
    )
    other = log_in()
    filled(other, box, 1)
    assert [imap.response() for _ in range(2)] == [Numbered(1, b"EXISTS"), Numbered(1, b"RECENT")]
    fetched = imap.response()
    assert isinstance(fetched, Fetched)
    assert (fetched.number, fetched.uid, fetched.flags) == (1, 1, [b"\\Recent"])
    filled(other, b"Trash", 1)
    status = imap.response()
    assert isinstance(status, Data)
    assert status.values[0] == b"Trash"
