"""Fuzz the server's half of POP3, and the stuffing of what it sends.

The first two octets of an input choose the listener and where the network cuts.
"""

import random
from typing import Final

from postroad.pop3.wire.core import MAX_RESPONSE, Pop3Core, Stage
from postroad.pop3.wire.events import Auth, AuthResponse, Event, HangUp, Login, Pause, Quit, StartTls
from postroad.pop3.wire.multiline import Stuffer
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"USER ada@demo.test\r\n", b"PASS demo\r\n", b"AUTH PLAIN AGEAYg==\r\n", b"AUTH LOGIN\r\n"),
    *(b"YQ==\r\n", b"*\r\n", b"STLS\r\n", b"CAPA\r\n", b"STAT\r\n", b"LIST\r\n", b"UIDL 1\r\n"),
    *(b"RETR 1\r\n", b"TOP 1 2\r\n", b"DELE 1\r\n", b"NOOP\r\n", b"RSET\r\n", b"QUIT\r\n"),
    *(b"RETR ", b"TOP 1", b" 99999999999", b" -1", b"\r", b"\n", b"\r\n", b"\0", b" ", b"\xff", b"."),
    *(b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"x" * 600, b"x" * 13_000, b"\r\n.\r\n", b"\n.", b"\r."),
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    if len(data) < 2:
        return
    listener, cut, octets = data[0], data[1] + 1, data[2:]
    core = Pop3Core(
        secure=bool(listener & 1), tls_offered=bool(listener & 2), mechanisms=(b"PLAIN", b"LOGIN")
    )
    for start in range(0, len(octets), cut):
        core.receive(octets[start : start + cut])
        while (event := core.next_event()) is not None:
            _answer(core, event, generous=bool(listener & 4), secure=bool(listener & 1))
        assert core.buffered() <= MAX_RESPONSE + cut
    for line in core.data_to_send().split(b"\r\n")[:-1]:
        assert len(line) <= 510
        assert b"\r" not in line
        assert b"\n" not in line
    _stuff(octets, cut)


def _answer(core: Pop3Core, event: Event, *, generous: bool, secure: bool) -> None:
    match event:
        case Login() | Auth(initial=bytes()) | AuthResponse(data=bytes()):
            assert secure
            if generous:
                core.logged_in()
            else:
                core.login_failed()
        case Auth():
            core.challenge(b"Username:")
        case AuthResponse():
            core.login_failed()
        case StartTls():
            assert not secure
            core.ok(b"begin TLS")
        case Quit(update):
            assert core.stage is Stage.OVER
            assert generous or not update
        case HangUp():
            assert core.stage is Stage.OVER
        case Pause():
            pass
        case _:
            assert core.stage is Stage.TRANSACTION


def _stuff(message: bytes, cut: int) -> None:
    stuffer = Stuffer()
    slices = [stuffer.feed(message[at : at + cut]) for at in range(0, len(message), cut)]
    *lines, last = (b"".join(slices) + stuffer.finish()).split(b"\n")[:-1]
    assert last == b".\r"
    assert b".\r" not in lines


def make(chance: random.Random) -> bytes:
    """Make an input: a dialogue with damage, or pieces strung together."""
    parts = chance.choices(PIECES, k=chance.randrange(30))
    if chance.random() < 0.5:
        parts[:0] = [b"USER ada@demo.test\r\n", b"PASS demo\r\n"]
    data = b"".join(parts)
    if chance.random() < 0.3:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(2) + data[at:]
    return chance.randbytes(2) + data


TARGET: Final = Target(check, make)
