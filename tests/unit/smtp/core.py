"""A core that has got somewhere, and a session that agrees to everything."""

from collections.abc import Callable, Iterator

from postroad.smtp.wire.events import (
    Auth,
    AuthResponse,
    ChunkEnd,
    Data,
    DataEnd,
    Event,
    Mail,
    Rcpt,
    StartTls,
)
from postroad.smtp.wire.replies import Reply
from postroad.smtp.wire.server import SmtpServerCore
from postroad.smtp.wire.terms import Terms

TERMS = Terms("mx.ours.test", message_size=100_000, recipients=10, starttls=True)
OK = Reply(250, "2.0.0", "ok")
GO_ON = Reply(354, "", "go on")


def agree(event: Event) -> Reply | None:
    """The answer of a session that agrees to everything."""
    match event:
        case Mail() | Rcpt() | DataEnd() | ChunkEnd():
            return OK
        case Data():
            return GO_ON
        case Auth() | AuthResponse():
            return Reply(235, "2.7.0", "welcome")
        case StartTls():
            return Reply(220, "2.0.0", "ready")
        case _:
            return None


def feed(
    core: SmtpServerCore, octets: bytes, answer: Callable[[Event], Reply | None] = agree
) -> Iterator[Event]:
    """Give a core octets; yield its events, each answered once the next one is asked for."""
    core.receive(octets)
    while (event := core.next_event()) is not None:
        yield event
        if (reply := answer(event)) is not None:
            core.answer(reply)


def core_at(*lines: str, terms: Terms = TERMS) -> SmtpServerCore:
    """A core behind its greeting, EHLO and these commands, its replies said."""
    core = SmtpServerCore(terms)
    core.greet()
    for line in ("EHLO client.test", *lines):
        for _ in feed(core, line.encode() + b"\r\n"):
            pass
    core.data_to_send()
    return core


def core_in_data(terms: Terms = TERMS) -> SmtpServerCore:
    """A core that waits for the octets of a message."""
    core = core_at("MAIL FROM:<a@bar.test>", "RCPT TO:<b@ours.test>", "DATA", terms=terms)
    assert core.receiving
    return core


def said(core: SmtpServerCore) -> list[str]:
    """The lines that a core has said since it was last asked."""
    return core.data_to_send().decode().split("\r\n")[:-1]


def codes(core: SmtpServerCore) -> list[int]:
    """The codes of the replies since it was last asked."""
    return [int(line[:3]) for line in said(core) if line[3:4] == " "]
