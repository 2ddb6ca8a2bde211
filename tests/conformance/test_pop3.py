"""POP3: states, log-in, maildrop, stuffing (RFC 1939, 2449, 2595, 3206, 5034)."""

import base64
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from tests.conformance.imap_client import Imap
from tests.conformance.pop3_client import Pop3
from tests.conformance.wire import friend
from tests.interop.postroad_server import PASSWORD, Postroad

CAROL: Final = "carol@ours.test"
_PLAIN: Final = base64.b64encode(f"\0{CAROL}\0{PASSWORD}".encode())
LINES: Final = b"Subject: lines\r\n\r\n" + b"".join([b"line %d\r\n" % n for n in range(100)])
DOTS: Final = b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\nend\r\n"


@pytest.fixture(scope="module", autouse=True)
def carol(server: Postroad) -> None:
    """Nobody else sends mail to her."""
    server.add_accounts(CAROL)


@pytest.fixture
def pop3(server: Postroad) -> Iterator[Pop3]:
    """A connection with TLS."""
    with closing(Pop3(server.ports.pop3s, tls=server.tls_context())) as pop3:
        yield pop3


@pytest.fixture
def drop(server: Postroad) -> Iterator[Imap]:
    """carol's INBOX by IMAP, empty."""
    with closing(Imap(server.ports.imaps, tls=server.tls_context(), source=friend())) as imap:
        imap.log_in(CAROL, PASSWORD)
        imap.select(b"INBOX")
        imap.ok(b"UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
        imap.ok(b"EXPUNGE")
        yield imap


def again(server: Postroad) -> Pop3:
    """Another session of carol."""
    pop3 = Pop3(server.ports.pop3s, tls=server.tls_context(), source=friend())
    return pop3.log_in(CAROL, PASSWORD)


def test_clear_text_takes_no_passwords(server: Postroad) -> None:
    with closing(Pop3(server.ports.pop3)) as pop3:
        offered = pop3.lines(b"CAPA")
        assert b"STLS" in offered
        assert not any(line.startswith((b"USER", b"SASL")) for line in offered)
        for command in (b"USER carol@ours.test", b"AUTH PLAIN " + _PLAIN, b"APOP a b"):
            pop3.err(command)
        pop3.ok(b"STLS")
        pop3.start_tls(server.tls_context())
        offered = pop3.lines(b"CAPA")
        assert {b"USER", b"TOP", b"UIDL", b"PIPELINING", b"RESP-CODES", b"AUTH-RESP-CODE"} <= set(offered)
        assert b"STLS" not in offered
        pop3.err(b"STLS")
        pop3.log_in(CAROL, PASSWORD)
        pop3.err(b"STLS")


@pytest.mark.parametrize("behind", [b"USER carol@ours.test\r\n", b"QUIT\r\n", b"USER car", b"\r\n\r\n"])
def test_what_came_in_clear_behind_stls_is_gone(server: Postroad, behind: bytes) -> None:
    with closing(Pop3(server.ports.pop3)) as pop3:
        pop3.send(b"STLS\r\n" + behind)
        assert pop3.status().ok
        pop3.start_tls(server.tls_context())
        pop3.err(b"PASS x")
        pop3.log_in(CAROL, PASSWORD)


@pytest.mark.parametrize(
    "command",
    [
        *(b"STAT", b"LIST", b"RETR 1", b"DELE 1", b"NOOP", b"RSET", b"TOP 1 0", b"UIDL"),
        *(b"PASS x", b"USER", b"PASS", b"BOGUS", b"", b" ", b"USER " + b"x" * 600, b"USER a\0b"),
        *(b"AUTH X-BOGUS", b"AUTH PLAIN !", b"AUTH PLAIN =", b"NOOP\nNOOP"),
    ],
)
def test_strangers_get_nothing(pop3: Pop3, command: bytes) -> None:
    pop3.err(command)
    assert pop3.lines(b"CAPA")


def test_log_in_by_auth(server: Postroad) -> None:
    with closing(Pop3(server.ports.pop3s, tls=server.tls_context())) as pop3:
        pop3.send(b"AUTH PLAIN\r\n")
        assert pop3.line() == b"+ "
        pop3.err(b"*")
        pop3.send(b"auth login\r\n")
        assert pop3.line().startswith(b"+ ")
        pop3.send(base64.b64encode(CAROL.encode()) + b"\r\n")
        assert pop3.line().startswith(b"+ ")
        pop3.ok(base64.b64encode(PASSWORD.encode()))
        for command in (b"USER x", b"PASS x", b"AUTH PLAIN"):
            pop3.err(command)
        pop3.ok(b"QUIT")
        assert pop3.to_end() == b""
    with closing(Pop3(server.ports.pop3s, tls=server.tls_context())) as pop3:
        pop3.ok(b"AUTH PLAIN " + _PLAIN)


def test_a_wrong_password_and_an_unknown_name_hear_the_same(server: Postroad) -> None:
    said = []
    for name in (b"carol@ours.test", b"nobody@ours.test"):
        with closing(Pop3(server.ports.pop3s, tls=server.tls_context())) as pop3:
            pop3.ok(b"USER " + name)
            said.append(pop3.err(b"PASS wrong"))
    assert said[0] == said[1]
    assert said[0].code == b"AUTH"


def test_an_empty_maildrop(drop: Imap, pop3: Pop3) -> None:
    pop3.log_in(CAROL, PASSWORD)
    assert pop3.ok(b"STAT") == b"0 0"
    assert pop3.lines(b"LIST") == pop3.lines(b"UIDL") == []
    for command in (b"RETR 1", b"DELE 1", b"TOP 1 0", b"LIST 1", b"UIDL 1", b"RETR *"):
        pop3.err(command)


def test_messages_come_as_they_are(drop: Imap, pop3: Pop3) -> None:
    messages = [
        LINES,
        DOTS,
        b"\r\nbody only\r\n",
        b"Subject: header only\r\n",
        b"Subject: \xff\r\n\r\n\xfe\r\n",
    ]
    for message in messages:
        drop.append(b"INBOX", message)
    pop3.log_in(CAROL, PASSWORD)
    total = sum(map(len, messages))
    assert pop3.ok(b"STAT").startswith(b"5 %d" % total)
    assert pop3.lines(b"LIST") == [b"%d %d" % (n, len(message)) for n, message in enumerate(messages, 1)]
    for number, message in enumerate(messages, 1):
        assert pop3.ok(b"LIST %d" % number) == b"%d %d" % (number, len(message))
        assert pop3.retrieve(b"RETR %d" % number) == message
        assert pop3.retrieve(b"top %d 9999" % number) == message
    drop.ok(b"NOOP")  # reading by POP3 is told nobody (RFC 1939 has no \Seen), or by flags alone
    assert drop.exists == 5


def test_dots_are_stuffed_on_the_wire(drop: Imap, pop3: Pop3) -> None:
    drop.append(b"INBOX", DOTS)
    pop3.log_in(CAROL, PASSWORD)
    pop3.ok(b"RETR 1")
    pop3.send(b"NOOP\r\n")
    assert pop3.exactly(len(DOTS) + 4 + 3) == DOTS.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    assert pop3.status().ok


def test_a_last_line_without_end_gets_one(drop: Imap, pop3: Pop3) -> None:
    drop.append(b"INBOX", b"Subject: x\r\n\r\nno end")
    drop.append(b"INBOX", b"Subject: bare\n\nlf\n.\n")
    pop3.log_in(CAROL, PASSWORD)
    assert pop3.retrieve(b"RETR 1") == b"Subject: x\r\n\r\nno end\r\n"
    assert pop3.retrieve(b"RETR 2") == b"Subject: bare\r\n\r\nlf\r\n.\r\n"


def test_top(drop: Imap, pop3: Pop3) -> None:
    drop.append(b"INBOX", LINES)
    pop3.log_in(CAROL, PASSWORD)
    assert pop3.retrieve(b"TOP 1 0") == b"Subject: lines\r\n\r\n"
    assert pop3.retrieve(b"TOP 1 2") == b"Subject: lines\r\n\r\nline 0\r\nline 1\r\n"
    assert pop3.retrieve(b"TOP 1 100") == LINES
    for command in (b"TOP", b"TOP 1", b"TOP 1 -1", b"TOP 1 x", b"TOP 2 0", b"TOP 0 0"):
        pop3.err(command)


def test_dele_is_done_by_quit_alone(drop: Imap, server: Postroad) -> None:
    for number in range(5):
        drop.append(b"INBOX", b"Subject: %d\r\n\r\n" % number)
    with closing(again(server)) as pop3:
        uids = pop3.lines(b"UIDL")
        pop3.ok(b"DELE 2")
        for command in (b"RETR 2", b"DELE 2", b"LIST 2", b"UIDL 2", b"TOP 2 0"):
            pop3.err(command)
        assert pop3.ok(b"STAT").startswith(b"4 ")
        assert [line.split()[0] for line in pop3.lines(b"LIST")] == [b"1", b"3", b"4", b"5"]
        pop3.ok(b"RSET")
        assert pop3.ok(b"STAT").startswith(b"5 ")
        pop3.ok(b"DELE 1")
    drop.ok(b"NOOP")
    assert drop.exists == 5  # the connection broke off
    with closing(again(server)) as pop3:
        pop3.ok(b"DELE 1")
        pop3.ok(b"DELE 4")
        pop3.ok(b"QUIT")
    with closing(again(server)) as pop3:
        left = [line.split()[1] for line in pop3.lines(b"UIDL")]
        assert left == [line.split()[1] for line in uids if line.split()[0] not in (b"1", b"4")]
        assert [line.split()[0] for line in pop3.lines(b"UIDL")] == [b"1", b"2", b"3"]


def test_one_session_has_the_maildrop(drop: Imap, server: Postroad, pop3: Pop3) -> None:
    with closing(again(server)):
        pop3.ok(b"USER " + CAROL.encode())
        assert pop3.err(b"PASS " + PASSWORD.encode()).code == b"IN-USE"


def test_what_is_gone_meanwhile_is_refused(drop: Imap, server: Postroad) -> None:
    drop.append(b"INBOX", LINES)
    drop.append(b"INBOX", DOTS)
    with closing(again(server)) as pop3:
        drop.ok(b"STORE 1 +FLAGS (\\Deleted)")
        drop.ok(b"EXPUNGE")
        pop3.err(b"RETR 1")
        pop3.err(b"TOP 1 0")
        assert pop3.retrieve(b"RETR 2") == DOTS
        pop3.ok(b"QUIT")


def test_a_session_that_is_one_segment(drop: Imap, pop3: Pop3) -> None:
    drop.append(b"INBOX", DOTS)
    pop3.send(
        b"USER carol@ours.test\r\nPASS %b\r\nSTAT\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nNOOP\r\nQUIT\r\n"
        % PASSWORD.encode()
    )
    assert [pop3.status().ok for _ in range(4)] == [True] * 4
    assert len(pop3.body().split(b"\r\n")) == 2
    assert pop3.status().ok
    assert pop3.body() == DOTS
    assert [pop3.status().ok for _ in range(3)] == [True] * 3
    assert pop3.to_end() == b""
    drop.ok(b"NOOP")
    assert drop.exists == 0


def test_a_browser_hears_nothing_of_what_it_said(pop3: Pop3) -> None:
    pop3.send(b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\nCAPA\r\n")
    said = pop3.to_end()
    assert b"secret" not in said
    assert b"CAPA" not in said
    assert len(said.split(b"\r\n")) <= 2


def test_bad_commands_come_to_an_end(pop3: Pop3) -> None:
    pop3.send(b"BOGUS\r\n" * 100)
    assert len(pop3.to_end().split(b"\r\n")) <= 22


def test_unique_ids_stay_and_are_plain(drop: Imap, server: Postroad) -> None:
    drop.append(b"INBOX", LINES)
    drop.append(b"INBOX", LINES)
    with closing(again(server)) as pop3:
        before = pop3.lines(b"UIDL")
    with closing(again(server)) as pop3:
        assert pop3.lines(b"UIDL") == before
    uids = {line.split()[1] for line in before}
    assert len(uids) == 2
    for uid in uids:
        assert 1 <= len(uid) <= 70
        assert all(0x21 <= octet <= 0x7E for octet in uid)
