"""Mail comes in: how much, how soon it is seen, how long the 250 takes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench import mail
from bench.clients import HELLO, envelope, imap_client, message_count, smtp_client, smtp_open
from bench.dialogue import Ask, Client, Dialogue, run
from bench.replies import Codes
from bench.sample import Measure, Sample, Scale, Target, Unit, Work, measured, percentile, times
from bench.servers.side import Side

KIB = 1024


@dataclass(slots=True)
class Delivery:
    """What one measurement was."""

    sample: Sample
    waits: list[float] = field(default_factory=list)
    """Seconds from the last octet of a message to its 250."""


def deliver(side: Side, sessions: int, count: int, size: int, *, reconnect: bool = False) -> Delivery:
    """Send so many messages, each session to a user of its own, until IMAP shows them all."""
    users = [f"u{number}" for number in range(sessions)]
    readers = [imap_client(side, user) for user in users]
    before = [message_count(reader) for reader in readers]
    share = count // sessions
    work: list[Dialogue] = []
    waits: list[float] = []
    for user in users:
        octets = [message + b".\r\n" for message in mail.messages(share, size)]
        work.append(_session(side, envelope(side.address(user)), octets, waits, reconnect=reconnect))
    clients = [Client() if reconnect else smtp_client(side) for _ in users]
    with measured(side.tree, share * sessions) as sample:
        run(clients, work)
        _until_visible(readers, [number + share for number in before])
    for client in (*clients, *readers):
        client.close()
    return Delivery(sample, waits)


def _session(
    side: Side, start: bytes, octets: Sequence[bytes], waits: list[float], *, reconnect: bool
) -> Dialogue:
    for message in octets:
        if reconnect:
            yield smtp_open(side)
            yield Ask(HELLO, Codes(b"250"))
        yield Ask(start, Codes(b"250", b"250", b"354"))
        sent = time.perf_counter()
        yield Ask(message, Codes(b"250"))
        waits.append(time.perf_counter() - sent)
        if reconnect:
            yield Ask(b"QUIT\r\n", Codes(b"221"))


def _until_visible(readers: Sequence[Client], wanted: Sequence[int]) -> None:
    deadline = time.monotonic() + 120
    for reader, number in zip(readers, wanted, strict=True):
        while (seen := message_count(reader)) < number:
            assert time.monotonic() < deadline, f"{seen} of {number} messages came"
            time.sleep(0.005)  # looking costs the server something; this bounds it
        assert seen == number, f"{seen} messages came of {number}"


def _rate(sessions: int, count: int, size: int = 10 * KIB, *, reconnect: bool = False) -> Measure:
    def measure(side: Side, scale: Scale) -> Sample:
        return deliver(side, sessions, scale(count, sessions), size, reconnect=reconnect).sample.per_second()

    return measure


def _p99(side: Side, scale: Scale) -> Sample:
    done = deliver(side, 50, scale(1000, 50), 10 * KIB)
    done.sample.value = 1000 * percentile(done.waits, 0.99)
    return done.sample


def works() -> Iterator[Work]:
    """The rows."""
    rate = Unit.MESSAGES
    yield Work("smtp-10", "SMTP in, 10 KiB, 10 sessions", rate, *times(4, 10, aim_cpu_ms=0.6), _rate(10, 600))
    yield Work(
        "smtp-50", "SMTP in, 10 KiB, 50 sessions", rate, *times(4, 10, aim_cpu_ms=0.6), _rate(50, 1000)
    )
    yield Work("smtp-1", "SMTP in, 10 KiB, one session", rate, *times(1.5, 4), _rate(1, 250))
    yield Work(
        "smtp-connect",
        "SMTP in, a connection per message, 10 sessions",
        rate,
        *times(3, 6),
        _rate(10, 400, reconnect=True),
    )
    yield Work("smtp-100k", "SMTP in, 100 KiB, 10 sessions", rate, *times(3, 6), _rate(10, 400, 100 * KIB))
    yield Work("smtp-5m", "SMTP in, 5 MiB, 4 sessions", rate, *times(1, 2), _rate(4, 24, 5 * KIB * KIB))
    yield Work(
        "smtp-p99",
        "p99 of the 250, 50 sessions",
        Unit.MILLISECONDS,
        Target(most=100),
        Target(most=30),
        _p99,
    )
