"""AUTHENTICATE and IDLE: lines that are no commands (RFC 3501 §6.2.2, RFC 2177)."""

import pytest

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import AuthAborted, AuthResponse, Event, IdleEnd
from postroad.imap.wire.session_commands import Authenticate, Idle, Noop
from postroad.imap.wire.table import State
from tests.unit.imap.wire.dialogue import core_in, events


def authenticating() -> ImapServerCore:
    core = core_in(State.NOT_AUTHENTICATED)
    assert events(core, b"a AUTHENTICATE PLAIN\r\n") == [Authenticate(b"a", "PLAIN")]
    core.continuation()
    core.expect_auth_response(b"a")
    assert core.data_to_send() == b"+ \r\n"
    return core


@pytest.mark.parametrize(("line", "data"), [(b"AGFkYQBkZW1v", b"\0ada\0demo"), (b"", b""), (b"bg==", b"n")])
def test_a_response(line: bytes, data: bytes) -> None:
    core = authenticating()
    assert events(core, line + b"\r\nb NOOP\r\n") == [AuthResponse(b"a", data), Noop(b"b")]
    assert core.data_to_send() == b""


def test_several_rounds() -> None:
    core = authenticating()
    assert events(core, b"bg==\r\n") == [AuthResponse(b"a", b"n")]
    core.expect_auth_response(b"a")
    assert events(core, b"bg==\r\n") == [AuthResponse(b"a", b"n")]


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (b"*\r\n", b"a BAD cancelled\r\n"),
        (b"b NOOP\r\n", b"a BAD that is no base64\r\n"),
        (b"bg=\r\n", b"a BAD that is no base64\r\n"),
        (b"bg==x\r\n", b"a BAD that is no base64\r\n"),
        (b"{5+}\r\nxx\r\ny\r\n", b"a BAD that is no base64\r\n"),
        (b"bg==\n\r\n", b"a BAD lines end with CR LF; LF has no other place\r\n"),
        (b"A" * 8193 + b"\r\n", b"a BAD the command is too long\r\n"),
    ],
)
def test_an_exchange_that_fails(wire: bytes, said: bytes) -> None:
    core = authenticating()
    assert events(core, wire + b"u NOOP\r\n") == [AuthAborted(b"a"), Noop(b"u")]
    assert core.data_to_send() == said


def idling() -> ImapServerCore:
    core = core_in(State.SELECTED)
    assert events(core, b"a IDLE\r\n") == [Idle(b"a")]
    core.continuation(b"idling")
    core.expect_done(b"a")
    assert core.data_to_send() == b"+ idling\r\n"
    return core


@pytest.mark.parametrize("line", [b"DONE", b"done"])
def test_done(line: bytes) -> None:
    core = idling()
    assert events(core, line + b"\r\nb NOOP\r\n") == [IdleEnd(b"a"), Noop(b"b")]
    assert core.data_to_send() == b""


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (b"b NOOP\r\n", b"a BAD expected DONE\r\n"),
        (b"\r\n", b"a BAD expected DONE\r\n"),
        (b"DONE \r\n", b"a BAD expected DONE\r\n"),
        (b"x {5+}\r\nDONE\r\r\n", b"a BAD expected DONE\r\n"),
        (b"DONE\n\r\n", b"a BAD lines end with CR LF; LF has no other place\r\n"),
        (b"x" * 65537 + b"\r\n", b"a BAD the command is too long\r\n"),
    ],
)
def test_anything_else_ends_idle_too(wire: bytes, said: bytes) -> None:
    core = idling()
    expected: list[Event] = [IdleEnd(b"a", done=False), Noop(b"u")]
    assert events(core, wire + b"u NOOP\r\n") == expected
    assert core.data_to_send() == said


def test_an_idle_client_owes_nothing_and_an_authenticating_one_does() -> None:
    assert idling().between_commands
    assert not authenticating().between_commands
