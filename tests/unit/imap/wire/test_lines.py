"""Lines, tags, states and what happens to a client that breaks the rules."""

import pytest

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import AppendEnd, Hangup
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.session_commands import Capability, Noop, StartTls
from postroad.imap.wire.table import RULES, State
from tests.unit.imap.wire.dialogue import answer, core_in, events

BEFORE = State.NOT_AUTHENTICATED


def test_commands_are_given_one_at_a_time() -> None:
    core = core_in(BEFORE)
    core.receive(b"a NOOP\r\nb CAPABILITY\r\nc NO")
    assert core.next_event() == Noop(b"a")
    assert core.next_event() == Capability(b"b")
    assert core.next_event() is None
    core.receive(b"OP\r")
    assert core.next_event() is None
    core.receive(b"\n")
    assert core.next_event() == Noop(b"c")


@pytest.mark.parametrize(
    "tag", [b"a", b"A001", b"1", b".", b"]", b"a]b", b"!#$&',-./:;<=>?@[^_`|}~", b"x" * 256]
)
def test_tags(tag: bytes) -> None:
    assert events(core_in(), tag + b" NOOP\r\n") == [Noop(tag)]


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b" ", b" NOOP", b"+ NOOP", b"a+ NOOP", b"* NOOP", b"a* NOOP", b"( NOOP", b"{ NOOP", b"% NOOP"),
        *(b'"a" NOOP', b"\\a NOOP", b"\xfc NOOP", b"a\0 NOOP", b"\t NOOP", b"x" * 257 + b" NOOP", b"a\tNOOP"),
    ],
)
def test_a_line_without_a_tag_gets_an_untagged_bad(line: bytes) -> None:
    assert answer(line + b"\r\n") == b"* BAD a command starts with a tag\r\n"


@pytest.mark.parametrize(
    "line", [b"a", b"a ", b"a  NOOP", b"a FOO", b"a NOOP1", b"a NO-OP", b"a NOOP\tx", b"a UID"]
)
def test_an_unknown_command(line: bytes) -> None:
    assert answer(line + b"\r\n") == b"a BAD there is no such command\r\n"


def test_what_the_client_said_is_never_echoed() -> None:
    assert b"evil" not in answer(b"a EVIL evil\r\n")
    assert b"evil" not in answer(b"a SELECT evil evil\r\n")
    assert b"evil" not in answer(b"evil\x01 NOOP\r\n")


@pytest.mark.parametrize("wire", [b"a NOOP\n", b"a NOOP\nb NOOP\n", b"a NOOP\n\r\n", b"a NOOP\nb LOGOUT\r\n"])
def test_a_bare_line_feed_ends_no_command(wire: bytes) -> None:
    core = core_in()
    assert events(core, wire) == []
    assert core.data_to_send() == b"a BAD lines end with CR LF; LF has no other place\r\n"
    assert events(core, b"\r\nu NOOP\r\n")[-1:] == [Noop(b"u")]


@pytest.mark.parametrize("wire", [b"a NOOP\r\r\n", b"a NOOP\rb NOOP\r\n", b"a NOOP\0\r\n", b"a \rNOOP\r\n"])
def test_bare_cr_and_nul_have_no_place(wire: bytes) -> None:
    core = core_in()
    assert events(core, wire) == []
    assert core.data_to_send().startswith(b"a BAD ")


@pytest.mark.parametrize(("state", "longest"), [(BEFORE, 8192), (State.SELECTED, 65536)])
def test_the_length_of_a_line(state: State, longest: int) -> None:
    fits = b"a ID NIL"
    core = core_in(state)
    assert answer(fits.ljust(longest, b" ") + b"\r\n", state) == b"a BAD too many arguments\r\n"
    assert events(core, fits.ljust(longest + 1, b" ") + b"\r\nu NOOP\r\n") == [Noop(b"u")]
    assert core.data_to_send() == b"a BAD the command is too long\r\n"


def test_a_long_line_is_refused_before_it_ends_and_not_kept() -> None:
    core = core_in()
    assert events(core, b"a NOOP" + b"x" * 70_000) == []
    assert core.data_to_send() == b"a BAD the command is too long\r\n"
    for _ in range(100):
        assert events(core, b"x" * 100_000) == []
        assert core.buffered() < 100
    assert events(core, b" {3+}\r\nx\r\ny\r\nu NOOP\r\n") == [Noop(b"u")]


def test_a_line_without_end_ends_the_session() -> None:
    core = core_in(BEFORE)
    seen = events(core, *[b"a NOOP" + b"x" * 10_000] * 10)
    assert seen == [Hangup("too big")]
    assert core.data_to_send() == (
        b"a BAD the command is too long\r\n* BYE that is too much to be dropped\r\n"
    )


def test_the_longest_line_that_is_dropped() -> None:
    limits = ImapLimits(line_prelogin=10, line=50)
    core = core_in(BEFORE, limits)
    assert events(core, b"a NOOP".ljust(50), b"\r", b"\na NOOP\r\n") == [Noop(b"a")]
    core = core_in(BEFORE, limits)
    assert events(core, b"a NOOP".ljust(51) + b"\r\na NOOP\r\n") == [Hangup("too big")]


def test_lines_of_one_command_count_together() -> None:
    limits = ImapLimits(line=400)
    part = b" TEXT {1+}\r\nx"
    assert len(events(core_in(limits=limits), b"a SEARCH" + part * 30 + b"\r\n")) == 1
    said = answer(b"a SEARCH" + part * 50 + b"\r\n", limits=limits)
    assert said == b"a BAD the command is too long\r\n"


@pytest.mark.parametrize(
    ("state", "command", "why"),
    [
        (BEFORE, b"SELECT INBOX", b"log in first"),
        (BEFORE, b"FETCH 1 ALL", b"log in first"),
        (BEFORE, b"IDLE", b"log in first"),
        (State.AUTHENTICATED, b"FETCH 1 ALL", b"select a mailbox first"),
        (State.AUTHENTICATED, b"UID FETCH 1 ALL", b"select a mailbox first"),
        (State.AUTHENTICATED, b"CLOSE", b"select a mailbox first"),
        (State.AUTHENTICATED, b"LOGIN a b", b"already logged in"),
        (State.SELECTED, b"STARTTLS", b"already logged in"),
        (State.SELECTED, b"AUTHENTICATE PLAIN", b"already logged in"),
    ],
)
def test_states(state: State, command: bytes, why: bytes) -> None:
    assert answer(b"a " + command + b"\r\n", state) == b"a BAD " + why + b"\r\n"


def test_every_command_has_its_states() -> None:
    for state in State:
        for name, rule in RULES.items():
            said = answer(b"a " + name + b" \\\r\n", state)
            assert (said.split(b" ", 2)[2] in _WRONG) is (state not in rule.states)


_WRONG = {b"log in first\r\n", b"select a mailbox first\r\n", b"already logged in\r\n"}


def test_ten_bad_commands_before_log_in_end_the_session() -> None:
    core = core_in(BEFORE)
    assert events(core, b"a FOO\r\na NOOP\r\n" * 9) == [Noop(b"a")] * 9
    assert b"BYE" not in core.data_to_send()
    assert events(core, b"a FOO\r\nb NOOP\r\n") == [Hangup("bad commands")]
    assert core.data_to_send() == (b"a BAD there is no such command\r\n* BYE too many bad commands\r\n")


def test_twenty_in_a_row_after_it() -> None:
    core = core_in()
    assert events(core, b"a FOO\r\n" * 19 + b"b NOOP\r\n" + b"a FOO\r\n" * 19) == [Noop(b"b")]
    assert b"BYE" not in core.data_to_send()
    assert events(core, b"a FETCH 0 ALL\r\nb NOOP\r\n") == [Hangup("bad commands")]
    assert core.data_to_send().endswith(b"* BYE too many bad commands\r\n")


def test_an_append_is_a_good_command() -> None:
    core = core_in()
    seen = events(core, b"a FOO\r\n" * 19 + b"b APPEND INBOX {1+}\r\nx\r\n" + b"a FOO\r\n" * 19)
    assert AppendEnd(b"b") in seen
    assert b"BYE" not in core.data_to_send()


def test_a_closed_core_takes_nothing() -> None:
    core = core_in()
    core.bye(b"see you", b"UNAVAILABLE")
    core.receive(b"a NOOP\r\n")
    assert core.next_event() is None
    assert core.buffered() == 0
    assert core.data_to_send() == b"* BYE [UNAVAILABLE] see you\r\n"


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /a?b=c HTTP/1.1\r\n\r\na NOOP\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"CONNECT mail.test:143 HTTP/1.1\r\n",
        b"HEAD http://x/ HTTP/1.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PUT /x {5+}\r\nabcde\r\n",
        b"GET /\n",
        b"GET /" + b"a" * 10_000,
    ],
)
def test_a_browser_gets_nothing(wire: bytes) -> None:
    core = core_in(BEFORE)
    assert events(core, wire) == [Hangup("http")]
    assert core.data_to_send() == b""


@pytest.mark.parametrize("wire", [b"\x16", b"\x16\x03\x01\x02\x00\x01\n\r\n", b"a NOOP\r\n\x16\x03\x01"])
def test_tls_in_clear_is_closed(wire: bytes) -> None:
    core = core_in(BEFORE)
    assert events(core, wire)[-1] == Hangup("tls")
    assert core.data_to_send() == b""


def test_get_is_a_fine_tag() -> None:
    assert events(core_in(BEFORE), b"GET NOOP\r\n") == [Noop(b"GET")]


def test_what_came_in_clear_does_not_survive_starttls() -> None:
    for behind in (b"b NOOP\r\n", b"b NO", b"b LOGIN {3+}\r\nada x\r\n", b"b LOGIN {3+}\r\na"):
        core = core_in(BEFORE)
        core.receive(b"a STARTTLS\r\n" + behind)
        assert core.next_event() == StartTls(b"a")
        core.tagged(b"a", b"OK", b"begin")
        core.reset_for_tls()
        assert core.buffered() == 0
        assert events(core, b"c NOOP\r\n") == [Noop(b"c")]
        assert core.data_to_send() == b"a OK begin\r\n"


@pytest.mark.parametrize(
    ("wire", "idle"),
    [
        (b"", True),
        (b"a NO", False),
        (b"a NOOP\r\n", True),
        (b"b SELECT {3+}\r\n", False),
        (b"b SELECT {3+}\r\nabc\r\n", True),
        (b"b APPEND a {3+}\r\nab", False),
        (b"b FOO {3+}\r\n", False),
    ],
)
def test_a_core_says_when_no_command_has_begun(wire: bytes, idle: bool) -> None:
    core = core_in()
    events(core, wire)
    assert core.between_commands is idle


def test_a_new_core_knows_nobody() -> None:
    assert ImapServerCore().state is BEFORE
