"""Who waits: how soon news arrives, and what an idle session costs."""

import time
from collections.abc import Iterator
from typing import Final

from bench import mail
from bench.clients import command, envelope, imap_client, message_count, smtp_client
from bench.dialogue import Ask, Client, ask
from bench.replies import Codes, Tagged, Untagged
from bench.sample import Measure, Sample, Scale, Unit, Work, at_most, measured, percentile
from bench.servers.side import Side

_SESSIONS: Final = 300
_FIRST: Final = 200
_SETTLE: Final = 1.0
"""Seconds in which a server may put away what it needed for the log-ins."""
_PSS_UNIT: Final = 1024
"""Octets: the kernel tells PSS in KiB."""


def _news(side: Side, scale: Scale) -> Sample:
    """From the 250 to EXISTS in an IDLE session, the median of some."""
    count = scale(8)
    reader, sender = imap_client(side, "idle"), smtp_client(side)
    before = message_count(reader)
    command(reader, b"SELECT INBOX")
    begin_idle(reader)
    start, waits = envelope(side.address("idle")), list[float]()
    with measured(side.tree, count) as sample:
        for number, message in enumerate(mail.messages(count, 10 * 1024)):
            ask(sender, Ask(start, Codes(b"250", b"250", b"354")), Ask(message + b".\r\n", Codes(b"250")))
            accepted = time.perf_counter()
            ask(reader, Ask(b"", Untagged(rb"\* %d EXISTS\r\n" % (before + number + 1))))
            waits.append(time.perf_counter() - accepted)
    ask(reader, Ask(b"DONE\r\n", Tagged(b"t")))
    reader.close()
    sender.close()
    sample.value = 1000 * percentile(waits, 0.5)
    return sample


def begin_idle(client: Client) -> None:
    ask(client, Ask(b"t IDLE\r\n", Untagged(rb"(?:\A|\n)\+ ")))


def _idle_memory(*, tls: bool) -> Measure:
    """What the whole tree holds more, for each session in IDLE, than before they came."""

    def measure(side: Side, scale: Scale) -> Sample:
        count = scale(_SESSIONS, 30)
        side.restart()
        # What the first ones load of code, and of mailboxes for all workers, is not the others' cost.
        for number in range(scale(_FIRST, 4)):
            client = imap_client(side, f"u{number % 50}", tls=tls)
            command(client, b"SELECT INBOX")
            client.close()
        time.sleep(_SETTLE)
        before = side.tree.memory()
        clients = []
        with measured(side.tree, count) as sample:
            for number in range(count):
                client = imap_client(side, f"u{number % 50}", tls=tls)
                command(client, b"SELECT INBOX")
                begin_idle(client)
                clients.append(client)
        time.sleep(_SETTLE)
        sample.value = growth(before, side.tree.memory()) / count / 1024
        for client in clients:
            client.close()
        return sample

    return measure


def growth(before: int, after: int) -> int:
    """Octets that came to be held, at least the least that can be told.

    A few sessions may cost less than the server gives back meanwhile; that is not the same as nothing.
    """
    return max(after - before, _PSS_UNIT)


def _whole_server(side: Side, _: Scale) -> Sample:
    side.restart()
    time.sleep(_SETTLE)
    with measured(side.tree, 1) as sample:
        sample.value = side.tree.memory() / 2**20
    return sample


def works() -> Iterator[Work]:
    """The rows."""
    yield Work(
        "news", "250 to EXISTS in an IDLE session, p50", Unit.MILLISECONDS, *at_most(20, 5), _news, ("mdbox",)
    )
    for name, title, tls, targets, mox in (
        ("memory", "memory of an idle IMAP session, plain", False, at_most(32, 12), 46.0),
        ("memory-tls", "memory of an idle IMAP session, TLS", True, at_most(36, 30), 30.0),
    ):
        measure = _idle_memory(tls=tls)
        yield Work(name, title, Unit.KIBIBYTES, *targets, measure, ("mdbox",), pairs=2, mox=mox)
    yield Work(
        "memory-server",
        "whole idle server",
        Unit.MEBIBYTES,
        *at_most(200, 120),
        _whole_server,
        ("mdbox",),
        pairs=2,
    )
