"""IMAP: greeting, states, log-in, syntax (RFC 3501 §3, §6.1, §6.2, §9; RFC 2971, 4959, 5161, 7888)."""

import base64
from collections.abc import Callable
from typing import Final

import pytest

from tests.conformance.imap_client import Imap, Lit
from tests.conformance.imap_values import Condition
from tests.interop.postroad_server import PASSWORD, Postroad

Connect = Callable[[], Imap]
_ADA: Final = b"ada@ours.test"
_PLAIN: Final = base64.b64encode(b"\0%b\0%b" % (_ADA, PASSWORD.encode()))


def test_the_greeting_and_capability_say_the_same(connect: Connect) -> None:
    imap = connect()
    assert imap.greeting.status == b"OK"
    assert imap.greeting.code == b"CAPABILITY"
    assert b" ".join(map(_octets, imap.ok(b"CAPABILITY").one(b"CAPABILITY"))) == imap.greeting.argument


def test_passwords_need_tls_and_tls_changes_what_is_offered(server: Postroad) -> None:
    imap = Imap(server.ports.imap)
    offered = imap.ok(b"CAPABILITY").one(b"CAPABILITY")
    assert {b"STARTTLS", b"LOGINDISABLED"} <= set(offered)
    assert not any(_octets(word).startswith(b"AUTH=") for word in offered)
    assert imap.no(b"LOGIN ada@ours.test x").code == b"PRIVACYREQUIRED"
    imap.no(b"AUTHENTICATE PLAIN " + _PLAIN)
    imap.bad(b"STARTTLS x")
    imap.ok(b"STARTTLS")
    imap.start_tls(server.tls_context())
    offered = imap.ok(b"CAPABILITY").one(b"CAPABILITY")
    assert b"AUTH=PLAIN" in offered
    assert not {b"STARTTLS", b"LOGINDISABLED"} & set(offered)
    imap.bad(b"STARTTLS")
    imap.log_in("ada@ours.test", PASSWORD)
    imap.close()


@pytest.mark.parametrize("injected", [b"x LOGOUT\r\n", b"x LOGIN a {3+}\r\nabc\r\n", b"x LOGO", b"\r\n\r\n"])
def test_what_came_in_clear_behind_starttls_is_gone(server: Postroad, injected: bytes) -> None:
    imap = Imap(server.ports.imap)
    imap.send(b"a STARTTLS\r\n" + injected)
    assert imap.raw().startswith(b"a OK ")
    imap.start_tls(server.tls_context())
    imap.ok(b"NOOP")
    imap.log_in("ada@ours.test", PASSWORD)
    imap.close()


@pytest.mark.parametrize(
    "command",
    [b"SELECT INBOX", b'LIST "" *', b"IDLE", b"APPEND INBOX {3}", b"CREATE x", b"FETCH 1 FLAGS", b"CLOSE"],
)
def test_strangers_have_no_mailboxes(connect: Connect, command: bytes) -> None:
    connect().bad(command)


@pytest.mark.parametrize(
    "command",
    [
        *(b"FETCH 1 FLAGS", b"STORE 1 FLAGS ()", b"SEARCH ALL", b"COPY 1 x", b"MOVE 1 x", b"EXPUNGE"),
        *(b"CLOSE", b"UNSELECT", b"CHECK", b"UID FETCH 1 FLAGS", b"UID EXPUNGE 1"),
        *(b"LOGIN a b", b"STARTTLS", b"AUTHENTICATE PLAIN"),
    ],
)
def test_commands_out_of_their_state_are_bad(imap: Imap, command: bytes) -> None:
    imap.bad(command)


def test_logout_says_bye_first(connect: Connect) -> None:
    imap = connect()
    answer = imap.ok(b"LOGOUT")
    assert [condition.status for condition in answer.of(Condition)] == [b"BYE"]
    assert imap.to_end() == b""


def test_nothing_is_read_behind_logout(imap: Imap) -> None:
    imap.send(b"a NOOP\r\nb LOGOUT\r\nc NOOP\r\n")
    lines = imap.to_end().split(b"\r\n")
    assert [line[:4] for line in lines] == [b"a OK", b"* BY", b"b OK", b""]


@pytest.mark.parametrize("plus", [False, True])
def test_login_with_literals(connect: Connect, plus: bool) -> None:
    answer = connect().ok(b"LOGIN ", Lit(_ADA, plus), b" ", Lit(PASSWORD.encode(), plus))
    assert answer.code in (b"", b"CAPABILITY")


def test_a_wrong_password_and_an_unknown_name_hear_the_same(connect: Connect) -> None:
    wrong = connect().no(b"LOGIN ada@ours.test wrong")
    unknown = connect().no(b"LOGIN nobody@ours.test wrong")
    assert wrong == unknown
    assert wrong.code == b"AUTHENTICATIONFAILED"


@pytest.mark.parametrize("command", [b"LOGIN", b"LOGIN a", b"LOGIN a b c", b"LOGIN  a b", b'LOGIN "a b'])
def test_login_needs_two_strings(connect: Connect, command: bytes) -> None:
    connect().bad(command)


def test_authenticate_with_and_without_an_initial_response(connect: Connect) -> None:
    connect().ok(b"authenticate plain " + _PLAIN)
    imap = connect()
    imap.send(b"a AUTHENTICATE PLAIN\r\n")
    assert imap.raw() == b"+ "
    imap.send(_PLAIN + b"\r\n")
    assert imap.raw().startswith(b"a OK ")


def test_authenticate_is_cancelled_by_a_star(connect: Connect) -> None:
    imap = connect()
    imap.send(b"a AUTHENTICATE PLAIN\r\n")
    assert imap.raw() == b"+ "
    imap.send(b"*\r\n")
    assert imap.raw().startswith(b"a BAD ")
    imap.send(b"b AUTHENTICATE LOGIN\r\n")
    for answer in (_ADA, PASSWORD.encode()):
        assert imap.raw().startswith(b"+ ")
        imap.send(base64.b64encode(answer) + b"\r\n")
    assert imap.raw().startswith(b"b OK ")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (b"AUTHENTICATE X-UNKNOWN", b"NO"),
        (b"AUTHENTICATE PLAIN !", b"BAD"),
        (b"AUTHENTICATE", b"BAD"),
        (b"AUTHENTICATE PLAIN " + base64.b64encode(b"bob@ours.test" + base64.b64decode(_PLAIN)), b"NO"),
    ],
)
def test_authenticate_that_cannot_succeed(connect: Connect, command: bytes, status: bytes) -> None:
    assert connect().do(command).status == status


@pytest.mark.parametrize("line", [b"", b" NOOP", b"+ NOOP", b"a+ NOOP", b"a( NOOP", b"* NOOP", b"\xff NOOP"])
def test_without_a_tag_the_answer_has_none(imap: Imap, line: bytes) -> None:
    imap.send(line + b"\r\n")
    assert imap.raw().startswith(b"* BAD ")
    imap.ok(b"NOOP")


@pytest.mark.parametrize(
    "rest",
    [
        *(
            b"",
            b" ",
            b" NOOP ",
            b" NOOP x",
            b"  NOOP",
            b" XNOOP",
            b" NOOP\r",
            b" N\0OP",
            b" UID",
            b" UID NOOP",
        ),
        *(b" SELECT", b" SELECT ", b" SELECT  INBOX", b" SELECT INBOX ", b' SELECT "INBOX', b' SELECT "\\I"'),
        *(b" SELECT a\\b", b" SELECT {2}x", b" ENABLE", b" ID", b' ID ("a")', b' ID (NIL "x")', b" IDLE x"),
        *(
            b" NAMESPACE x",
            b' LIST ""',
            b" LIST",
            b' LSUB ""',
            b" STATUS INBOX ()",
            b" STATUS INBOX MESSAGES",
        ),
        *(
            b" STATUS INBOX (X)",
            b" APPEND INBOX",
            b" APPEND INBOX NIL",
            b" CREATE",
            b" RENAME a",
            b" DELETE a b",
        ),
    ],
)
def test_malformed_commands_are_bad(imap: Imap, rest: bytes) -> None:
    imap.send(b"q]7" + rest + b"\r\n")
    assert imap.raw().startswith(b"q]7 BAD ")
    imap.ok(b"NOOP")


def test_bare_lf_ends_nothing_and_passes_nothing_on(imap: Imap) -> None:
    imap.send(b"a NOOP\nb NOOP\r\n")
    assert imap.raw().startswith(b"a BAD ")
    imap.ok(b"NOOP")


@pytest.mark.parametrize(
    "command",
    [b"BOGUS {5+}\r\nx OK \r\n", b"LOGIN {3+}\r\nabc {5+}\r\nb OK \r\n", b"SELECT INBOX {4+}\r\nNOOP\r\n"],
)
def test_literals_of_refused_commands_are_no_commands(imap: Imap, command: bytes) -> None:
    imap.send(b"a " + command + b"z NOOP\r\n")
    assert imap.raw().startswith(b"a BAD ")
    assert imap.raw().startswith(b"z OK ")


def test_a_refused_synchronising_literal_is_not_invited(imap: Imap) -> None:
    imap.send(b"a BOGUS {5}\r\nb SELECT {99999999}\r\nc NOOP\r\n")
    assert imap.raw().startswith(b"a BAD ")
    assert imap.raw().startswith(b"b NO ")
    assert imap.raw().startswith(b"c OK ")


def test_a_long_literal_is_dropped_whole(imap: Imap) -> None:
    imap.send(b"a SELECT {70000+}\r\n" + b"x\r\n" * 23333 + b"y\r\nb NOOP\r\n")
    assert imap.raw().startswith(b"a NO ")
    assert imap.raw().startswith(b"b OK ")


def test_strangers_may_send_4096_octets_uninvited(connect: Connect) -> None:
    imap = connect()
    assert imap.no(b"LOGIN ", Lit(b"x" * 4096, plus=True), b" y").code == b"AUTHENTICATIONFAILED"
    imap = connect()
    imap.send(b"a LOGIN {4097+}\r\n")
    assert not imap.raw().startswith(b"a OK")


def test_two_hundred_commands_at_once(imap: Imap, box: bytes) -> None:
    imap.append(box, b"Subject: x\r\n\r\n")
    circle = [b"SELECT " + box, b"FETCH 1 FLAGS", b"STORE 1 +FLAGS (k)", b"SEARCH ALL", b"EXPUNGE"]
    imap.send(b"".join([b"p%d %b\r\n" % (n, circle[n % 5]) for n in range(200)]))
    for n in range(200):
        while (raw := imap.raw()).startswith(b"* "):
            pass
        assert raw.startswith(b"p%d OK " % n)


def test_a_browser_gets_nothing(connect: Connect) -> None:
    imap = connect()
    imap.send(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nx LOGOUT\r\n")
    assert imap.to_end() == b""


@pytest.mark.parametrize("user", [False, True])
def test_bad_commands_come_to_an_end(connect: Connect, log_in: Connect, user: bool) -> None:
    imap = log_in() if user else connect()
    imap.send(b"a BOGUS\r\n" * 100)
    lines = imap.to_end().split(b"\r\n")
    assert lines.count(b"a BAD there is no such command") <= 20
    assert lines[-2].startswith(b"* BYE ")


def test_id_and_enable(imap: Imap) -> None:
    for arguments in (b"NIL", b"()", b'("name" "x" "version" NIL)'):
        assert imap.ok(b"ID " + arguments).data(b"ID")
    imap.ok(b"ENABLE X-UNKNOWN").one(b"ENABLED")


def test_a_mailbox_without_limits_has_no_quota_root(imap: Imap) -> None:
    assert imap.ok(b"GETQUOTAROOT INBOX").one(b"QUOTAROOT") == [b"INBOX"]
    assert imap.no(b'GETQUOTA "x"').code == b"NONEXISTENT"


def test_namespace(imap: Imap) -> None:
    personal, others, shared = imap.ok(b"NAMESPACE").one(b"NAMESPACE")
    assert (personal, others, shared) == ([[b"", b"/"]], [[b"Other Users/", b"/"]], [[b"Shared/", b"/"]])


def _octets(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value
