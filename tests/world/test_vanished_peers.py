"""A peer vanishes without FIN or RST, in every phase: its session ends all the same, and leaves nothing.

Server and peers are in two network namespaces. Either the loop's clock leaps over all limits of time,
or the system's keepalive, made quick, finds out first.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.net import sockets
from postroad.smtp.client import SmtpClient
from postroad.smtp.exchange import Held, Outgoing
from postroad.smtp.outcome import Outcome, Unusable, Verdict
from postroad.smtp.timeouts import Timeouts
from postroad.testing import ThreadedWorld
from postroad.testing import world as module
from postroad.testing.world import PASSWORD
from tests.faults.network import FAR, NEAR, Cable, own_network
from tests.interop.processes import until
from tests.world.clients import PATIENCE, Raw, mail
from tests.world.conftest import ADA, BOB, no_bugs, peopled
from tests.world.leaping import LIMITS, Leaping

FOR_EVER: Final = 2000.0
"""Longer than any limit of time, in seconds: RFC 3501 §5.4 asks for 30 minutes."""
LINGERING: Final = 70.0
"""Longer than the last words of a session, and the end of TLS, may take."""
MIB: Final = 1024 * 1024

LOGIN: Final = f'a LOGIN {ADA} "{PASSWORD}"\r\n'.encode()
PASS_BOB: Final = f"USER {BOB}\r\nPASS {PASSWORD}\r\n".encode()
PASS: Final = f"USER {ADA}\r\nPASS {PASSWORD}\r\n".encode()
HELLO: Final = b"EHLO x.test"
TO_ADA: Final = (HELLO, b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>")

SMTP_PHASES: Final[dict[str, tuple[str, tuple[bytes, ...], bytes]]] = {
    "smtp, connected": ("smtp", (), b""),
    "smtp, greeted": ("smtp", (HELLO,), b""),
    "smtp, in a command": ("smtp", (HELLO,), b"MAIL FR"),
    "smtp, after RCPT": ("smtp", TO_ADA, b""),
    "smtp, in DATA": ("smtp", (*TO_ADA, b"DATA"), b"Subject: x\r\n"),
    "smtp, in BDAT": ("smtp", TO_ADA, b"BDAT 1000\r\nSubject: x\r\n"),
    "smtp, before the handshake": ("smtp", (HELLO, b"STARTTLS"), b""),
    "submissions, in AUTH": ("submissions", (HELLO, b"AUTH LOGIN"), b"YWRh"),
}
"""A port, commands that are answered, and what is sent behind them."""

PHASES: Final[dict[str, tuple[str, bytes, bytes]]] = {
    "imaps, connected": ("imaps", b"", b"* OK"),
    "imaps, in a command": ("imaps", b"a LOGIN {50}\r\n", b"+ "),
    "imaps, logged in": ("imaps", LOGIN, b"a OK"),
    "imaps, selected": ("imaps", LOGIN + b"b SELECT INBOX\r\n", b"b OK"),
    "imaps, in IDLE": ("imaps", LOGIN + b"b SELECT INBOX\r\nc IDLE\r\n", b"+ "),
    "imaps, in APPEND": ("imaps", LOGIN + b"b APPEND INBOX {1000}\r\n", b"+ "),
    "imaps, in FETCH": ("imaps", LOGIN + b"b SELECT INBOX\r\nc FETCH 1:* BODY[]\r\n", b"* 1 FETCH"),
    "pop3s, connected": ("pop3s", b"", b"+OK"),
    "pop3s, before PASS": ("pop3s", f"USER {ADA}\r\n".encode(), b"+OK"),
    "pop3s, in a transaction": ("pop3s", PASS + b"CAPA\r\n", b"+OK capabilities"),
    "pop3s, in RETR": ("pop3s", PASS_BOB + b"RETR 1\r\nRETR 2\r\nRETR 3\r\n", b"Subject: "),
}
"""A port, what is sent, and the line up to which is read."""


_ALL: Final = len(PHASES) + len(SMTP_PHASES) + 1


@pytest.fixture
def cable() -> Iterator[Cable]:
    """The test runs on one machine of two."""
    with own_network() as cable:
        yield cable


@pytest.fixture(autouse=True)
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are reached from the other machine too; both are the test's own."""
    real = sockets.open_sockets
    monkeypatch.setattr(module, "open_sockets", lambda _, port, workers: real("0.0.0.0", port, workers))


def vanishing(world: ThreadedWorld, cable: Cable, phase: str) -> Raw:
    """A client at the far end that has come as far as the phase."""
    name, said, heard = PHASES[phase]
    client = far_client(world, cable, name)
    client.send(said)
    while not (line := client.line()).startswith(heard):
        assert line, f"{phase}: the end came too early"
    return client


def vanishing_from_smtp(world: ThreadedWorld, cable: Cable, phase: str) -> Raw:
    """The same for SMTP."""
    name, commands, behind = SMTP_PHASES[phase]
    client = far_client(world, cable, name)
    replies = [client.reply(), *(client.say(command) for command in commands)]
    assert all(reply.startswith((b"2", b"3")) for reply in replies), replies
    client.send(behind)
    return client


def far_client(world: ThreadedWorld, cable: Cable, name: str) -> Raw:
    """A client at the far end."""
    with cable.at_the_far_end():
        return Raw(world.port(name), world.tls() if name.endswith("s") else None, host=NEAR)


def silent(world: ThreadedWorld, cable: Cable) -> Raw:
    """One that has not even begun its handshake."""
    with cable.at_the_far_end():
        return Raw(world.port("imaps"), host=NEAR)


def connections(world: ThreadedWorld) -> int:
    """How many the workers hold, and count against the limits."""
    return world.call(lambda: sum(len(worker._front) for worker in world.world.workers))


def descriptors(world: ThreadedWorld) -> int:
    """Descriptors of accepted connections: those whose own port is one of the server's."""
    ours = {f":{world.port(name, worker):04X}" for name in module.LISTENERS for worker in (None, 0)}
    listed = [line.split() for line in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
    # State 0A is a listener's; an inode of 0 is a socket that no process has any more.
    return sum(line[1][-5:] in ours and line[3] != "0A" and line[9] != "0" for line in listed)


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_sessions_end_in_every_phase_by_their_limits_of_time(cable: Cable, rounds: int) -> None:
    with no_bugs(), Leaping() as world:
        stocked(world)
        held: list[int] = []
        for _ in range(rounds):
            with ExitStack() as cleanup:
                for phase in PHASES:
                    cleanup.enter_context(vanishing(world, cable, phase))
                for phase in SMTP_PHASES:
                    cleanup.enter_context(vanishing_from_smtp(world, cable, phase))
                cleanup.enter_context(silent(world, cable))
                until(lambda: connections(world) == descriptors(world) == _ALL, "all to be let in")
                cable.cut()
                world.deliver(ADA, text="news for who is in IDLE\n")
                world.leap(FOR_EVER)
                until(lambda: none_left(world), "all sessions to end")
            cable.mend()
            assert served(world)
            world.advance(minutes=2)  # else the far end has connected too often
            held.append(resident())
        assert held[-1] - held[0] < 16 * MIB, held


def none_left(world: ThreadedWorld) -> bool:
    """Whether all sessions have ended; what saying goodbye to nobody takes is not waited for."""
    if isinstance(world, Leaping):
        world.leap(LINGERING)
    return connections(world) == descriptors(world) == 0


def stocked(world: ThreadedWorld) -> None:
    """Two accounts with mail that no buffer takes in whole."""
    peopled(world)
    for address in (ADA, BOB):
        for _ in range(3):
            world.deliver(address, text=("x" * 70 + "\n") * 60_000)


def served(world: ThreadedWorld) -> bool:
    """Whether somebody near is served, and neither maildrop is locked any more."""
    for address in (ADA, BOB):
        with Raw(world.port("pop3s"), world.tls()) as client:
            client.line()
            client.send(f"USER {address}\r\nPASS {PASSWORD}\r\n".encode())
            client.line()
            assert client.line().startswith(b"+OK")
            client.send(b"QUIT\r\n")
            client.rest()
    until(lambda: none_left(world), "their sessions to end")
    return True


def resident() -> int:
    """Octets of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_who_may_be_silent_for_long_is_asked_by_the_system(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing leaps here: IMAP's thirty minutes and POP3's ten are not waited for."""
    for name in ("KEEPALIVE_IDLE", "KEEPALIVE_EVERY", "KEEPALIVE_COUNT"):
        monkeypatch.setattr(sockets, name, 1)
    with no_bugs(), ThreadedWorld(workers=1, limits=LIMITS) as world:
        stocked(world)
        quiet = ("imaps, logged in", "imaps, selected", "imaps, in IDLE", "pop3s, in a transaction")
        with ExitStack() as cleanup:
            for phase in quiet:
                cleanup.enter_context(vanishing(world, cable, phase))
            assert connections(world) == len(quiet)
            cable.cut()
            until(lambda: connections(world) == descriptors(world) == 0, "all sessions to end")
        assert served(world)


_TALK: Final = (b"220 far.test\r\n", b"250 far.test\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")
HEARD: Final = {
    "connected": 0,
    "greeted": 1,
    "after EHLO": 2,
    "after MAIL": 3,
    "after RCPT": 4,
    "in the message": 5,
}
"""How many answers a server at the far end gives before it vanishes."""

HASTY: Final = Timeouts(connect=1, tls=1, greeting=1, command=1, data=1, block=1, end=1, goodbye=1)
MESSAGE: Final = Outgoing(
    sender=parse_mailbox(ADA),
    recipients=(Recipient(parse_mailbox("eve@far.test")),),
    source=Held(mail() + (b"y" * 70 + b"\r\n") * 200_000),
)


def talk(listening: socket.socket, answers: int, cable: Cable) -> None:
    """Answer so often, then be gone."""
    peer, _ = listening.accept()
    with peer:
        peer.settimeout(PATIENCE)
        for answer in _TALK[:answers]:
            peer.sendall(answer)
            if answer is not _TALK[answers - 1] or answers == len(_TALK):
                peer.recv(4096)
        cable.cut()


async def hand_over(port: int, timeouts: Timeouts = HASTY) -> Outcome:
    """Try to hand a large message to the far end; give what became of it."""
    try:
        client = await SmtpClient.open(
            "far.test", FAR, port, hostname="near.test", tls=None, timeouts=timeouts
        )
        (outcome,) = await client.send(MESSAGE)
    except Unusable as unusable:
        return unusable.outcome
    await client.close()
    return outcome


@pytest.mark.parametrize("phase", HEARD)
def test_our_client_gives_up_and_defers_in_every_phase(cable: Cable, phase: str) -> None:
    with cable.at_the_far_end():
        listening = socket.create_server((FAR, 0))
    before = len(os.listdir("/proc/self/fd"))
    with listening:
        talker = threading.Thread(target=talk, args=(listening, HEARD[phase], cable))
        talker.start()
        # It is the server that vanishes: that it could not be reached in time is another test.
        outcome = asyncio.run(hand_over(listening.getsockname()[1], replace(HASTY, connect=PATIENCE)))
        talker.join()
        assert len(os.listdir("/proc/self/fd")) == before
    assert (outcome.verdict, outcome.enhanced) == (Verdict.DEFERRED, "4.4.2")
    assert " within 1 s" in outcome.text or "for 1 s" in outcome.text, outcome


def test_our_client_finds_nobody_at_the_far_end(cable: Cable) -> None:
    cable.cut()
    outcome = asyncio.run(hand_over(25))
    assert (outcome.verdict, outcome.enhanced) == (Verdict.DEFERRED, "4.4.1")
