"""SMTP messages: DATA, BDAT, trace fields, read back by IMAP (RFC 5321 §4.4, §4.5.2; RFC 3030, 6531)."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from tests.conformance.imap_client import Imap
from tests.conformance.smtp_client import Smtp
from tests.conformance.wire import friend
from tests.interop.postroad_server import PASSWORD, Postroad

BOB: Final = b"bob@ours.test"
_numbers = itertools.count(1)


@pytest.fixture
def mx(server: Postroad) -> Iterator[Smtp]:
    """A stranger's connection to the mail exchange, after EHLO."""
    with closing(Smtp(server.ports.smtp)) as smtp:
        yield smtp.ehlo()


@pytest.fixture(scope="module")
def inbox(server: Postroad) -> Iterator[Imap]:
    """bob's INBOX."""
    with closing(Imap(server.ports.imaps, tls=server.tls_context(), source=friend())) as imap:
        imap.log_in("bob@ours.test", PASSWORD)
        imap.select(b"INBOX")
        yield imap


def newest(inbox: Imap) -> tuple[bytes, bytes]:
    """Trace fields and the message as it was sent, of the newest message."""
    inbox.ok(b"NOOP")
    octets = inbox.fetch(b"* BODY.PEEK[]")[0].sections[b"BODY[]"]
    assert octets is not None
    assert octets.startswith(b"Return-Path: <")
    lines = octets.split(b"\r\n")
    received = next(n for n, line in enumerate(lines) if line.startswith(b"Received: "))
    end = next(n for n, line in enumerate(lines[received + 1 :], received + 1) if not line.startswith(b"\t"))
    return b"\r\n".join(lines[:end]), b"\r\n".join(lines[end:])


@pytest.mark.parametrize(
    ("sent", "filed"),
    [
        (b"Subject: x\r\n\r\n..dot\r\n...two\r\n.x\r\n\r\n", b"Subject: x\r\n\r\n.dot\r\n..two\r\nx\r\n\r\n"),
        (b"Subject: x\r\n", b"Subject: x\r\n"),
        (b"", b""),
        (b"\r\n", b"\r\n"),
        (b"Subject: 8bit \xff\r\n\r\n\xe9\r\n", b"Subject: 8bit \xff\r\n\r\n\xe9\r\n"),
        (b"Subject: x\r\n\r\n" + b"y" * 60000 + b"\r\n", b"Subject: x\r\n\r\n" + b"y" * 60000 + b"\r\n"),
        # Fields of ours are parted from what is none of a header.
        (b"no header\r\nat all\r\n", b"\r\nno header\r\nat all\r\n"),
        (b" folded\r\nSubject: x\r\n\r\ny\r\n", b"\r\n folded\r\nSubject: x\r\n\r\ny\r\n"),
    ],
)
def test_what_is_sent_is_filed(mx: Smtp, inbox: Imap, sent: bytes, filed: bytes) -> None:
    mx.transaction(b"x@there.test", [BOB])
    assert mx.data(sent + b".\r\n").code == 250
    assert newest(inbox)[1] == filed


def test_trace_fields(mx: Smtp, inbox: Imap, server: Postroad) -> None:
    assert mx.message(b"Subject: x\r\n\r\n", b'"a b"@There.Test', b"Bob+tag@OURS.test").code == 250
    trace = newest(inbox)[0].split(b"\r\n")
    assert trace[0] == b'Return-Path: <"a b"@there.test>'
    assert trace[1] == b"Delivered-To: Bob+tag@ours.test"
    received = b" ".join([line.strip() for line in trace[2:]])
    assert received.startswith(
        b"Received: from client.test ([%b]) by mx.ours.test with ESMTP id " % mx.source.encode()
    )
    assert b" for <Bob+tag@ours.test>; " in received
    mx.expect(220, b"STARTTLS")
    mx.start_tls(server.tls_context())
    mx.expect(250, b"HELO [127.0.0.1]")
    assert mx.message(b"Subject: x\r\n\r\n", b"", BOB).code == 250
    trace = newest(inbox)[0].split(b"\r\n")
    assert trace[0] == b"Return-Path: <>"
    assert b"with SMTP" in b" ".join(trace)


def test_a_message_is_one_piece_with_its_trace_fields(mx: Smtp, inbox: Imap) -> None:
    content = (
        b"From: a@b.test\r\nSubject: parts\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\npreamble\r\n"
        b"--q\r\n\r\nhello\r\n--q\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: inner\r\n\r\nbody\r\n--q--\r\n"
    )
    assert mx.message(content, to=BOB).code == 250
    whole = b"\r\n".join(newest(inbox))
    (fetched,) = inbox.fetch(b"* (RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[2.1])")
    header, text = fetched.sections[b"BODY[HEADER]"], fetched.sections[b"BODY[TEXT]"]
    assert fetched.size == len(whole)
    assert header is not None
    assert text is not None
    assert header + text == whole
    assert fetched.sections[b"BODY[2.1]"] == b"body"
    seam = len(whole) - len(content)
    for origin, count in ((0, seam), (seam - 3, 6), (seam, 10), (seam - 10, 10), (len(whole) - 5, 99)):
        (part,) = inbox.fetch(b"* BODY.PEEK[]<%d.%d>" % (origin, count))
        assert part.sections[b"BODY[]<%d>" % origin] == whole[origin : origin + count]
    for keys in (
        b"HEADER Delivered-To bob",
        b"LARGER %d" % (len(whole) - 1),
        b"TEXT Return-Path",
        b"BODY hello",
    ):
        assert inbox.search(b"* " + keys) == [inbox.exists]
    for keys in (b"LARGER %d" % len(whole), b"BODY Return-Path", b"FROM there.test"):
        assert inbox.search(b"* " + keys) == []


def test_recipients_do_not_learn_of_each_other(mx: Smtp, inbox: Imap) -> None:
    before = inbox.exists
    mx.transaction(b"x@there.test", [BOB, b"Bob@ours.test", b"bob+2@ours.test", b"ada@ours.test"])
    assert mx.data(b"Subject: x\r\n\r\n.\r\n").code == 250
    assert b" for <" not in newest(inbox)[0]
    assert inbox.exists == before + 1


def test_unicode_addresses(mx: Smtp, inbox: Imap) -> None:
    mx.expect(250, "MAIL FROM:<jürgen@bücher.test> BODY=8BITMIME SMTPUTF8".encode())
    mx.expect(250, b"RCPT TO:<bob@ours.test>")
    content = "From: Jürgen <jürgen@bücher.test>\r\nSubject: Grüße\r\n\r\nhé\r\n".encode()
    assert mx.data(content + b".\r\n").code == 250
    trace, filed = newest(inbox)
    assert filed == content
    assert "jürgen@".encode() in trace.split(b"\r\n")[0]
    assert b"with UTF8SMTP" in trace


@pytest.mark.parametrize(
    "fake",
    [
        *(
            b"\n.\n",
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r.\r\n",
            b"\r\n.\r",
            b"\n.\r",
            b"\n\r.\r\n",
            b"\n\n.\n\n",
        ),
        *(b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\r\n.\n.\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\n\r\n"),
        *(b"\r\n \r\n.\n", b"\r\n.\x0b\r\n.\r", b"\r\n.\xe2\x80\xa8\n"),
    ],
)
def test_nothing_but_one_sequence_ends_data(mx: Smtp, inbox: Imap, fake: bytes) -> None:
    inbox.ok(b"NOOP")
    before = inbox.exists
    mx.transaction(b"x@there.test", [BOB])
    mx.expect(354, b"DATA")
    smuggled = b"MAIL FROM:<evil@there.test>\r\nRCPT TO:<bob@ours.test>\r\nDATA\r\nSubject: smuggled\r\n\r\n"
    mx.send(b"Subject: s\r\n\r\nbody" + fake + smuggled + b".\r\n")
    reply = mx.reply()
    assert reply.code == 550
    mx.expect(250, b"NOOP")
    inbox.ok(b"NOOP")
    assert inbox.exists == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Subject: x\r\n\r\n" + b"y" * 70000 + b"\r\n", 500),
        (b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * 51 + b"\r\n", 554),
        (b"".join([b"X-%d: y\r\n" % n for n in range(1001)]) + b"\r\n", 552),
        (b"X: " + b"\r\n ".join([b"y" * 900] * 300) + b"\r\n\r\n", 552),
        (b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 730000, 552),
    ],
    ids=["line", "hops", "fields", "header", "size"],
)
def test_messages_that_are_too_much(mx: Smtp, content: bytes, code: int) -> None:
    mx.transaction(b"x@there.test", [BOB])
    assert mx.data(content + b".\r\n").code == code
    mx.expect(250, b"NOOP")


# -- BDAT --------------------------------------------------------------------


def chunk(smtp: Smtp, octets: bytes, last: bool = False) -> int:
    """Send a chunk; give the code of its reply."""
    smtp.send(b"BDAT %d%b\r\n" % (len(octets), b" LAST" if last else b"") + octets)
    return smtp.reply().code


def test_chunks_make_a_message(mx: Smtp, inbox: Imap) -> None:
    for chunks in (
        [b"Subject: a\r\n", b"\r\n.\r\n"],
        [b"Subject: b\r", b"\n\r\n..", b"x", b""],
        [b"Subject: c"],
    ):
        mx.transaction(b"x@there.test", [BOB])
        for octets in chunks[:-1]:
            assert chunk(mx, octets) == 250
        assert chunk(mx, chunks[-1], last=True) == 250
        assert newest(inbox)[1].rstrip(b"\r\n") == b"".join(chunks).rstrip(b"\r\n")


def test_chunks_may_be_pipelined(mx: Smtp) -> None:
    mx.send(b"MAIL FROM:<>\r\nRCPT TO:<bob@ours.test>\r\nBDAT 10\r\nSubject: x")
    mx.send(b"BDAT 6 LAST\r\n\r\n\r\n.yNOOP\r\n")
    assert [mx.reply().code for _ in range(5)] == [250] * 5


def test_chunks_and_data_do_not_mix(mx: Smtp) -> None:
    mx.transaction(b"x@there.test", [BOB])
    assert chunk(mx, b"a: b\r\n") == 250
    for command in (b"DATA", b"MAIL FROM:<>", b"RCPT TO:<ada@ours.test>"):
        mx.expect(503, command)
    mx.expect(250, b"RSET")
    mx.expect(503, b"DATA")


def test_octets_of_a_refused_chunk_are_no_commands(mx: Smtp) -> None:
    assert chunk(mx, b"NOOP\r\n" * 100) == 503
    assert chunk(mx, b"QUIT\r\n", last=True) == 503
    mx.expect(250, b"MAIL FROM:<>")
    mx.expect(550, b"RCPT TO:<nobody@ours.test>")
    assert chunk(mx, b"QUIT\r\n", last=True) in (503, 554)
    mx.expect(250, b"NOOP")


@pytest.mark.parametrize("octets", [b"bare\nlf\r\n", b"bare\rcr\r\n", b"\r\n.\n", b"nul\0\r\n"])
def test_chunks_hold_lines_too(mx: Smtp, octets: bytes) -> None:
    mx.transaction(b"x@there.test", [BOB])
    assert chunk(mx, b"Subject: x\r\n\r\n" + octets, last=True) == 550
    mx.expect(250, b"NOOP")


@pytest.mark.parametrize(
    "arguments", [b"", b" x", b" -1", b" +1", b" 1 X", b"  5", b" 1 LAST x", b" " + b"9" * 30]
)
def test_a_chunk_of_unknown_size_ends_the_session(mx: Smtp, arguments: bytes) -> None:
    mx.transaction(b"x@there.test", [BOB])
    mx.send(b"BDAT" + arguments + b"\r\nQUIT\r\n")
    assert mx.to_end().startswith(b"501 ")


def test_a_chunk_that_is_too_big_is_refused_at_once(mx: Smtp) -> None:
    mx.transaction(b"x@there.test", [BOB])
    mx.send(b"BDAT 60000000\r\n")
    assert mx.reply().code == 552


def test_a_message_that_breaks_off_is_none(mx: Smtp, inbox: Imap) -> None:
    inbox.ok(b"NOOP")
    before = inbox.exists
    mx.transaction(b"x@there.test", [BOB])
    mx.expect(354, b"DATA")
    mx.send(b"Subject: half\r\n\r\nbody\r\n.\r")
    mx.end_writing()
    mx.to_end()
    inbox.ok(b"NOOP")
    assert inbox.exists == before


# -- submission ---------------------------------------------------------------


def test_submission_completes_messages_and_hides_bcc(server: Postroad, inbox: Imap) -> None:
    with closing(Smtp(server.ports.submissions, tls=server.tls_context(), source=friend())) as smtp:
        smtp.ehlo().log_in("ada@ours.test", PASSWORD)
        content = (
            b"From: ada@ours.test\r\nBcc: x@far.test,\r\n y@far.test\r\nSubject: z\r\n\r\nBcc: stays\r\n"
        )
        assert smtp.message(content, b"ada@ours.test", BOB).code == 250
        trace, filed = newest(inbox)
        assert b" with ESMTPSA" in trace
        header, _, body = filed.partition(b"\r\n\r\n")
        names = sorted(line.partition(b":")[0] for line in header.split(b"\r\n"))
        assert names == [b"Date", b"From", b"Message-ID", b"Subject"]
        assert body == b"Bcc: stays\r\n"
        assert smtp.message(b"no header\r\n", b"ada@ours.test", BOB).code == 250
        assert newest(inbox)[1].endswith(b"\r\n\r\nno header\r\n")


def test_a_receipt_comes_to_who_asks(server: Postroad) -> None:
    with closing(Smtp(server.ports.submissions, tls=server.tls_context(), source=friend())) as smtp:
        smtp.ehlo().log_in("ada@ours.test", PASSWORD)
        smtp.expect(250, b"MAIL FROM:<ada@ours.test> ENVID=conf-1 RET=HDRS")
        smtp.expect(250, b"RCPT TO:<bob@ours.test> NOTIFY=SUCCESS ORCPT=rfc822;bob+2Bx@ours.test")
        assert smtp.data(b"From: ada@ours.test\r\nSubject: z\r\n\r\nbody\r\n.\r\n").code == 250
    with closing(Imap(server.ports.imaps, tls=server.tls_context(), source=friend())) as imap:
        imap.log_in("ada@ours.test", PASSWORD)
        imap.select(b"INBOX")
        (receipt,) = imap.fetch(b"* (BODYSTRUCTURE BODY.PEEK[2] BODY.PEEK[HEADER.FIELDS (Return-Path)])")
        assert receipt.bodystructure is not None
        assert receipt.bodystructure.subtype == b"report"
        assert receipt.sections[b"BODY[HEADER.FIELDS (Return-Path)]"] == b"Return-Path: <>\r\n\r\n"
        status = receipt.sections[b"BODY[2]"]
        assert status is not None
        for line in (
            b"Original-Envelope-Id: conf-1",
            b"Original-Recipient: rfc822; bob+x@ours.test",
            b"Final-Recipient: rfc822; bob@ours.test",
            b"Action: delivered",
        ):
            assert line + b"\r\n" in status
