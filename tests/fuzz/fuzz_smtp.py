"""Fuzz the server's half of SMTP.

The first two octets of an input choose the listener and where the network cuts.
"""

import random
from typing import Final

from postroad.smtp.wire.events import (
    Auth,
    AuthResponse,
    ChunkEnd,
    Data,
    DataChunk,
    DataEnd,
    DataRefused,
    Event,
    Mail,
    Rcpt,
    StartTls,
)
from postroad.smtp.wire.replies import Reply, parse_line
from postroad.smtp.wire.server import AUTH_OCTETS, SmtpServerCore
from postroad.smtp.wire.terms import Terms
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"EHLO a.test\r\n", b"HELO [192.0.2.1]\r\n", b"STARTTLS\r\n", b"QUIT\r\n", b"RSET\r\n", b"NOOP x\r\n"),
    *(b"MAIL FROM:<a@b.test>", b"MAIL FROM:<>", b"RCPT TO:<c@d.test>", b"RCPT TO:<postmaster>", b"\r\n"),
    *(
        b" SIZE=10",
        b" BODY=8BITMIME",
        b" SMTPUTF8",
        b" RET=FULL",
        b" ENVID=a+20",
        b" NOTIFY=NEVER",
        b" AUTH=<>",
    ),
    *(b" ORCPT=rfc822;a", b"DATA\r\n", b"BDAT 5\r\n", b"BDAT 0 LAST\r\n", b"BDAT 99999999999999999999\r\n"),
    *(b"AUTH PLAIN AGEAYg==\r\n", b"AUTH LOGIN\r\n", b"YQ==\r\n", b"*\r\n", b"VRFY a\r\n", b"EXPN a\r\n"),
    *(
        b"\r\n.\r\n",
        b".\r\n",
        b"..",
        b"\n.\n",
        b"\r.\r",
        b"\r\n.\n",
        b"\r",
        b"\n",
        b"\0",
        b"\xc3\xbc",
        b"\xff",
    ),
    *(
        b"GET / HTTP/1.1\r\n",
        b"Host: a\r\n",
        b"\x16\x03\x01",
        b"x" * 600,
        b"x" * 5000,
        b"x" * 13000,
        b"hello",
    ),
]
LISTENERS: Final = (
    Terms("mx.test", message_size=2000, recipients=3, starttls=True, data_line=500),
    Terms(
        "mx.test",
        message_size=2000,
        recipients=3,
        submission=True,
        starttls=True,
        mechanisms=("PLAIN", "LOGIN"),
    ),
)
NO: Final = Reply(550, "5.7.1", "no")
OK: Final = Reply(250, "2.0.0", "ok")


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    if len(data) < 2:
        return
    listener, cut, octets = data[0], data[1] + 1, data[2:]
    core = SmtpServerCore(LISTENERS[listener % 2], secure=bool(listener & 2))
    core.greet()
    for start in range(0, len(octets), cut):
        core.receive(octets[start : start + cut])
        _drain(core, generous=bool(listener & 4))
        assert core.buffered() <= AUTH_OCTETS + cut
    for line in core.data_to_send().split(b"\r\n")[:-1]:
        assert parse_line(line) is not None


def _drain(core: SmtpServerCore, *, generous: bool) -> None:
    while (event := core.next_event()) is not None:
        match event:
            case DataChunk():
                assert len(event.data) > 0
                assert b"\0" not in event.data
            case DataEnd():
                assert event.size <= core.dialogue.terms.message_size
                core.answer(OK)
            case Mail() if not core.dialogue.helo:
                raise AssertionError("mail before EHLO")
            case Mail() if core.dialogue.terms.submission:
                assert core.dialogue.secure
                assert core.dialogue.authenticated
                core.answer(OK)
            case StartTls():
                core.answer(Reply(220, "2.0.0", "ready"))
                assert core.buffered() == 0
                core.secured()
            case Auth() | AuthResponse():
                assert core.dialogue.secure
                _log_in(core, event, generous=generous)
            case Mail() | Rcpt() | ChunkEnd():
                core.answer(OK if generous or isinstance(event, Mail) else NO)
            case Data():
                core.answer(Reply(354, "", "go on"))
            case DataRefused():
                assert not event.reply.positive
            case _:
                pass


def _log_in(core: SmtpServerCore, event: Event, *, generous: bool) -> None:
    if isinstance(event, Auth) and event.initial is None:
        core.challenge(b"Username:")
    else:
        core.answer(Reply(235, "2.7.0", "welcome") if generous else Reply(535, "5.7.8", "no"))


def make(chance: random.Random) -> bytes:
    """Make an input: a dialogue with damage, or pieces strung together."""
    parts = chance.choices(PIECES, k=chance.randrange(30))
    if chance.random() < 0.7:
        parts[:0] = [b"EHLO a.test\r\n", b"MAIL FROM:<a@b.test>\r\n", b"RCPT TO:<c@d.test>\r\n"]
    if chance.random() < 0.3:
        parts[:0] = [b"EHLO a.test\r\n", b"AUTH PLAIN AGEAYg==\r\n"]
    data = b"".join(parts)
    if chance.random() < 0.3:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(2) + data[at:]
    return chance.randbytes(2) + data


TARGET: Final = Target(check, make)
