"""The POP3 core: framing, states, limits, and what it answers by itself."""

import base64

import pytest

from postroad.pop3.wire.core import IN_A_ROW, MAX_COMMAND, MAX_RESPONSE, Pop3Core, Stage
from postroad.pop3.wire.events import (
    Auth,
    AuthResponse,
    Dele,
    Event,
    HangUp,
    List,
    Login,
    Pause,
    Quit,
    Retr,
    Rset,
    StartTls,
    Stat,
    Top,
    Uidl,
)
from postroad.pop3.wire.inbox import MAX_ENDLESS


def core(*, secure: bool = True, tls_offered: bool = True, logged_in: bool = False) -> Pop3Core:
    made = Pop3Core(secure=secure, tls_offered=tls_offered, mechanisms=(b"PLAIN", b"LOGIN"))
    if logged_in:
        made.logged_in()
    return made


def events_of(made: Pop3Core, data: bytes) -> list[Event]:
    made.receive(data)
    events = []
    while (event := made.next_event()) is not None:
        events.append(event)
    return events


def replies_to(data: bytes, made: Pop3Core | None = None) -> bytes:
    made = made or core()
    events_of(made, data)
    return made.data_to_send()


def test_user_and_pass_become_one_log_in() -> None:
    made = core()
    assert events_of(made, b"user ada@demo.test\r\nPASS pass word \r\n") == [
        Login(b"ada@demo.test", b"pass word ")
    ]
    assert made.data_to_send() == b"+OK now the password\r\n"


def test_pass_needs_user_first() -> None:
    assert replies_to(b"PASS x\r\n") == b"-ERR say USER first\r\n"


def test_a_failed_log_in_forgets_the_user() -> None:
    made = core()
    events_of(made, b"USER ada\r\nPASS x\r\n")
    made.login_failed()
    made.data_to_send()
    assert replies_to(b"PASS x\r\n", made) == b"-ERR say USER first\r\n"


@pytest.mark.parametrize("line", [b"USER ada", b"PASS x", b"AUTH PLAIN AGEAYQ=="])
def test_passwords_are_refused_in_clear(line: bytes) -> None:
    assert replies_to(line + b"\r\n", core(secure=False)) == b"-ERR [AUTH] use STLS first\r\n"


def test_a_listener_without_tls_takes_no_passwords() -> None:
    made = core(secure=False, tls_offered=False)
    assert replies_to(b"USER ada\r\n", made).startswith(b"-ERR [AUTH] ")
    assert b"STLS" not in replies_to(b"CAPA\r\n", made)
    assert replies_to(b"STLS\r\n", made) == b"-ERR TLS is not available here\r\n"


def test_capabilities_in_clear_name_stls_and_no_password() -> None:
    lines = replies_to(b"CAPA\r\n", core(secure=False)).split(b"\r\n")
    assert b"STLS" in lines
    assert b"USER" not in lines
    assert not any(line.startswith(b"SASL") for line in lines)
    assert lines[-2:] == [b".", b""]


@pytest.mark.parametrize("logged_in", [False, True])
def test_capabilities_within_tls(logged_in: bool) -> None:
    assert replies_to(b"CAPA\r\n", core(logged_in=logged_in)).split(b"\r\n") == [
        b"+OK capabilities follow",
        b"TOP",
        b"UIDL",
        b"RESP-CODES",
        b"AUTH-RESP-CODE",
        b"PIPELINING",
        b"USER",
        b"SASL PLAIN LOGIN",
        b"UTF8 USER",
        b"LANG",
        b"EXPIRE NEVER",
        b"LOGIN-DELAY 0",
        b"IMPLEMENTATION postroad",
        b".",
        b"",
    ]


def test_each_command_becomes_its_event() -> None:
    assert events_of(
        core(logged_in=True),
        b"STAT\r\nLIST\r\nLIST 2\r\nuidl\r\nUIDL 3\r\nRETR 4\r\nTOP 5 0\r\nDELE 6\r\nRSET\r\nQUIT\r\n",
    ) == [
        Stat(),
        List(None),
        List(2),
        Uidl(None),
        Uidl(3),
        Retr(4),
        Top(5, 0),
        Dele(6),
        Rset(),
        Quit(update=True),
    ]


@pytest.mark.parametrize(
    "line", [b"STAT", b"LIST", b"RETR 1", b"DELE 1", b"NOOP", b"RSET", b"TOP 1 1", b"UIDL"]
)
def test_commands_on_messages_need_a_log_in(line: bytes) -> None:
    assert replies_to(line + b"\r\n") == b"-ERR log in first\r\n"


@pytest.mark.parametrize("line", [b"USER ada", b"PASS x", b"AUTH PLAIN", b"STLS"])
def test_one_log_in_is_enough(line: bytes) -> None:
    assert replies_to(line + b"\r\n", core(logged_in=True)) == b"-ERR you are logged in already\r\n"


@pytest.mark.parametrize(
    "line",
    [b"RETR", b"RETR x", b"RETR -1", b"RETR 1 2", b"DELE", b"TOP 1", b"TOP", b"TOP 1 x", b"RETR 99999999999"],
)
def test_numbers_are_numbers(line: bytes) -> None:
    made = core(logged_in=True)
    assert events_of(made, line + b"\r\n") == []
    assert made.data_to_send().startswith(b"-ERR ")


def test_quit_before_log_in_updates_nothing() -> None:
    assert events_of(core(), b"QUIT\r\nUSER ada\r\n") == [Quit(update=False)]


@pytest.mark.parametrize("line", [b"USER a\0b", b"USER a\nPASS b", b"USER a\rPASS b"])
def test_controls_do_not_end_lines(line: bytes) -> None:
    made = core()
    assert events_of(made, line + b"\r\n") == []
    assert made.data_to_send() == b"-ERR control characters are not allowed\r\n"


def test_starttls_drops_what_came_in_clear() -> None:
    made = core(secure=False)
    made.receive(b"STLS\r\nUSER ada\r\nPASS x\r\nQUIT\r\n")
    assert made.next_event() == StartTls()
    made.ok(b"begin TLS")
    made.start_tls()
    assert made.buffered() == 0
    assert made.next_event() is None
    assert made.data_to_send() == b"+OK begin TLS\r\n"
    assert replies_to(b"PASS x\r\n", made) == b"-ERR say USER first\r\n"
    assert replies_to(b"STLS\r\n", made) == b"-ERR TLS is already in use\r\n"


def test_half_a_line_in_clear_is_dropped_too() -> None:
    made = core(secure=False)
    made.receive(b"STLS\r\nUSE")
    assert made.next_event() == StartTls()
    made.start_tls()
    assert events_of(made, b"R ada\r\n") == []
    assert made.data_to_send() == b"-ERR unknown command\r\n"


def test_auth_with_initial_response() -> None:
    assert events_of(core(), b"AUTH plain AGFkYQBkZW1v\r\n") == [Auth(b"PLAIN", b"\0ada\0demo")]
    assert events_of(core(), b"AUTH PLAIN =\r\n") == [Auth(b"PLAIN", b"")]
    assert events_of(core(), b"AUTH LOGIN\r\n") == [Auth(b"LOGIN", None)]


def test_auth_exchange() -> None:
    made = core()
    made.receive(b"AUTH LOGIN\r\nYWRh\r\nZGVtbw==\r\n")
    assert made.next_event() == Auth(b"LOGIN", None)
    made.challenge(b"Username:")
    assert made.next_event() == AuthResponse(b"ada")
    made.challenge(b"Password:")
    assert made.next_event() == AuthResponse(b"demo")
    assert made.data_to_send() == b"+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n"


@pytest.mark.parametrize("answer", [b"*", b"not base64!", b"YQ", b"A" * (MAX_RESPONSE + 4)])
def test_an_answer_that_cannot_be_read_ends_the_exchange(answer: bytes) -> None:
    made = core()
    events_of(made, b"AUTH LOGIN\r\n")
    made.challenge(b"Username:")
    assert events_of(made, answer + b"\r\n") == [AuthResponse(None)]
    assert made.stage is Stage.AUTHORIZATION


def test_a_long_answer_is_taken_in_an_exchange() -> None:
    made = core()
    events_of(made, b"AUTH PLAIN\r\n")
    made.challenge(b"")
    assert made.data_to_send() == b"+ \r\n"
    password = b"x" * 6000
    assert events_of(made, base64.b64encode(password) + b"\r\n") == [AuthResponse(password)]


@pytest.mark.parametrize("line", [b"AUTH", b"AUTH CRAM-MD5", b"AUTH PLAIN !", b"AUTH PLAIN YQ"])
def test_auth_that_cannot_begin(line: bytes) -> None:
    made = core()
    assert events_of(made, line + b"\r\n") == []
    assert made.data_to_send().startswith(b"-ERR ")


def test_an_overlong_line_gets_one_error_and_the_next_line_its_answer() -> None:
    made = core(logged_in=True)
    made.receive(b"NOOP " + b"x" * MAX_COMMAND)
    assert made.next_event() is None
    assert made.buffered() <= 1
    assert replies_to(b"xxx\r\nNOOP\r\n", made) == b"-ERR line too long\r\n+OK\r\n"


def test_the_longest_line_is_taken() -> None:
    made = core()
    name = b"x" * (MAX_COMMAND - len(b"USER \r\n"))
    assert replies_to(b"USER " + name + b"\r\n", made) == b"+OK now the password\r\n"
    assert replies_to(b"USER x" + name + b"\r\n", made) == b"-ERR line too long\r\n"


def test_an_endless_line_ends_the_session() -> None:
    made = core()
    events: list[Event] = []
    for _ in range(MAX_ENDLESS // 1000 + 2):
        events += events_of(made, b"x" * 1000)
        assert made.buffered() <= MAX_COMMAND + 1000
    assert events == [HangUp("not POP3")]
    assert made.data_to_send() == b"-ERR line too long\r\n"
    assert events_of(made, b"\r\nQUIT\r\n") == []


def test_bad_commands_end_the_session() -> None:
    made = core()
    assert events_of(made, b"WHAT\r\n" * 30) == [HangUp("too many bad commands")]
    assert made.data_to_send().count(b"unknown command") == 10


def test_a_user_may_make_twice_as_many_mistakes() -> None:
    made = core(logged_in=True)
    assert events_of(made, b"WHAT\r\n" * 30) == [HangUp("too many bad commands")]
    assert made.data_to_send().count(b"unknown command") == 20


def test_a_stranger_may_say_so_much_and_no_more() -> None:
    made = core()
    assert events_of(made, b"NOOP\r\nCAPA\r\n" + b"CAPA\r\n" * 100) == [HangUp("no log-in")]
    assert made.data_to_send().count(b"+OK") == 49  # NOOP has no place before log-in


def test_log_ins_that_are_given_up_count_too() -> None:
    made = core()
    made.receive(b"AUTH PLAIN\r\n*\r\n" * 100)
    begun = 0
    while not isinstance(event := made.next_event(), HangUp):
        if isinstance(event, Auth):
            made.challenge(b"")
            begun += 1
        else:
            assert event == AuthResponse(None)
            made.login_failed()
    assert begun == 50


@pytest.mark.parametrize("line", [b"CAPA\r\n", b"STAT\r\n"])
def test_a_long_pipeline_has_pauses(line: bytes) -> None:
    """They bound what is answered in one go, and how long all other sessions wait for that."""
    made = core(logged_in=True)
    events = [event for event in events_of(made, line * (2 * IN_A_ROW + 1)) if event != Stat()]
    assert events == [Pause()] * 2
    assert [event for event in events_of(made, line * (IN_A_ROW - 1)) if event != Stat()] == []


def test_http_is_told_once_that_this_is_not_http() -> None:
    made = core(secure=False)
    assert events_of(made, b"POST / HTTP/1.1\r\nHost: x\r\n\r\nUSER ada\r\n") == [HangUp("HTTP")]
    assert made.data_to_send() == b"-ERR this is POP3\r\n"


def test_a_tls_handshake_in_clear_is_not_waited_for() -> None:
    made = core(secure=False)
    assert events_of(made, b"\x16\x03\x01\x02\x00\x01\x00") == [HangUp("not POP3")]
    assert made.data_to_send() == b""


def test_errors_carry_response_codes() -> None:
    made = core()
    made.error(b"the mailbox is in use", b"IN-USE")
    assert made.data_to_send() == b"-ERR [IN-USE] the mailbox is in use\r\n"


def test_what_is_switched_off_is_unknown() -> None:
    made = core()
    made.logged_in(("MOVE", "POP3:TOP"))
    assert b"\r\nTOP\r\n" not in replies_to(b"CAPA\r\n", made)
    assert replies_to(b"top 1 0\r\n", made) == b"-ERR unknown command\r\n"
    assert events_of(made, b"UIDL\r\n") == [Uidl(None)]


def test_a_space_at_the_end_is_no_argument() -> None:
    assert events_of(core(logged_in=True), b"LIST \r\nUIDL \r\nSTAT \r\n") == [List(None), Uidl(None), Stat()]
