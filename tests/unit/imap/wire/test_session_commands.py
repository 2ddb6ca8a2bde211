"""Commands about the session itself (RFC 3501 §6.1 and §6.2)."""

import pytest

from postroad.imap.wire.command import Command
from postroad.imap.wire.event import AuthResponse
from postroad.imap.wire.session_commands import (
    Authenticate,
    Capability,
    Enable,
    Id,
    Idle,
    Login,
    Logout,
    Namespace,
    Noop,
    StartTls,
)
from postroad.imap.wire.table import State
from tests.unit.imap.wire.dialogue import core_in, events, is_bad, parse

BEFORE = State.NOT_AUTHENTICATED


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (b"abcd CAPABILITY", Capability(b"abcd")),
        (b"a002 NOOP", Noop(b"a002")),
        (b"A023 LOGOUT", Logout(b"A023")),
        (b"a002 STARTTLS", StartTls(b"a002")),
        (b"a noop", Noop(b"a")),
        (b"a001 LOGIN SMITH SESAME", Login(b"a001", "SMITH", "SESAME")),
        (b'a LOGIN "a b" "q\\"\\\\"', Login(b"a", "a b", 'q"\\')),
        (b'a LOGIN a]b ""', Login(b"a", "a]b", "")),
        ('a LOGIN "ädä" "ö"'.encode(), Login(b"a", "ädä", "ö")),
        (b'a LOGIN "\xff" x', Login(b"a", "\ufffd", "x")),
        (b"A001 AUTHENTICATE GSSAPI", Authenticate(b"A001", "GSSAPI")),
        (b"a authenticate plain AGFkYQBkZW1v", Authenticate(b"a", "PLAIN", b"\0ada\0demo")),
        (b"a AUTHENTICATE EXTERNAL =", Authenticate(b"a", "EXTERNAL", b"")),
        (b"a AUTHENTICATE SCRAM-SHA-256 bg==", Authenticate(b"a", "SCRAM-SHA-256", b"n")),
        (b"a023 ID NIL", Id(b"a023")),
        (b"a ID ()", Id(b"a")),
        (b'a ID ( "name" "a" )', Id(b"a", (("name", "a"),))),
        (
            b'a023 ID ("name" "sodr" "version" "19.34" "vendor" NIL)',
            Id(b"a023", (("name", "sodr"), ("version", "19.34"), ("vendor", None))),
        ),
    ],
)
def test_before_log_in(command: bytes, value: Command) -> None:
    assert parse(command, BEFORE) == value


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (b"t1 ENABLE CONDSTORE", Enable(b"t1", ("CONDSTORE",))),
        (b"t2 enable condstore x-good-idea", Enable(b"t2", ("CONDSTORE", "X-GOOD-IDEA"))),
        (b"a IDLE", Idle(b"a")),
        (b"A001 NAMESPACE", Namespace(b"A001")),
    ],
)
def test_after_log_in(command: bytes, value: Command) -> None:
    assert parse(command, State.AUTHENTICATED) == value


@pytest.mark.parametrize(
    "command",
    [
        b"NOOP ",
        b"NOOP x",
        b"NOOP  ",
        b" NOOP",
        b"LOGIN",
        b"LOGIN ada",
        b"LOGIN ada ",
        b"LOGIN ada demo x",
        b"LOGIN  ada demo",
        b'LOGIN ada "demo',
        b'LOGIN ada "de\\mo"',
        b'LOGIN ada"demo"',
        b"LOGIN ada (demo)",
        b"LOGIN ada demo\x00",
        b'LOGIN ada "de\x00mo"',
        b"LOGIN ada\rdemo x",
        b"LOGIN ada {4}demo",
        b"AUTHENTICATE",
        b"AUTHENTICATE PLAIN ",
        b"AUTHENTICATE PLAIN AGFkYQBkZW1",
        b"AUTHENTICATE PLAIN AGFk YQBk",
        b"AUTHENTICATE PLAIN *",
        b'AUTHENTICATE "PLAIN"',
        b"ID",
        b"ID name",
        b'ID ("name")',
        b'ID ("name" "a"',
        b'ID ("name" "a"  )',
        b'ID (  "name" "a")',
        b'ID (NIL "a")',
        b"UID",
        b"UID NOOP",
        b"FOO",
        b"X-FOO bar",
    ],
)
def test_what_is_refused(command: bytes) -> None:
    assert is_bad(command, BEFORE)


def test_id_is_bounded() -> None:
    pairs = b" ".join([b'"a" "b"'] * 30)
    assert not is_bad_id(pairs)
    assert is_bad_id(pairs + b' "a" "b"')
    assert not is_bad_id(b'"%b" "%b"' % (b"n" * 30, b"v" * 1024))
    assert is_bad_id(b'"%b" ""' % (b"n" * 31))
    assert is_bad_id(b'"n" "%b"' % (b"v" * 1025))


def is_bad_id(inside: bytes) -> bool:
    core = core_in(BEFORE)
    seen = events(core, b"t ID (" + inside + b")\r\n")
    return seen == []


def test_passwords_are_not_in_the_repr() -> None:
    assert "sesame" not in repr(Login(b"a", "smith", "sesame"))
    assert "sesame" not in repr(Authenticate(b"a", "PLAIN", b"sesame"))
    assert "sesame" not in repr(AuthResponse(b"a", b"sesame"))
