"""Mail passes through: in by an alias, into the queue, out to a sink that counts."""

import time
from collections.abc import Iterator

from bench import mail
from bench.clients import envelope, smtp_client
from bench.dialogue import Ask, Dialogue, run
from bench.replies import Codes
from bench.sample import Measure, Sample, Scale, Unit, Work, measured, times
from bench.servers.side import RELAYED, Side
from bench.sink import Sink

_SESSIONS = 10


def relaying(sink: Sink) -> Measure:
    def dialogue(start: bytes, octets: list[bytes]) -> Dialogue:
        for message in octets:
            yield Ask(start, Codes(b"250", b"250", b"354"))
            yield Ask(message, Codes(b"250"))

    def measure(side: Side, scale: Scale) -> Sample:
        share = scale(1000, _SESSIONS) // _SESSIONS
        clients = [smtp_client(side) for _ in range(_SESSIONS)]
        start = envelope(f"{RELAYED}@{side.domain}")
        octets = [message + b".\r\n" for message in mail.messages(share, 10 * 1024)]
        wanted, cpu = sink.count + share * _SESSIONS, sink.cpu()
        with measured(side.tree, share * _SESSIONS) as sample:
            run(clients, [dialogue(start, octets) for _ in clients])
            _until(sink, wanted)
        assert sink.count == wanted, "the sink got more than was sent"
        sample.own += sink.cpu() - cpu
        for client in clients:
            client.close()
        return sample.per_second()

    return measure


def _until(sink: Sink, wanted: int) -> None:
    deadline = time.monotonic() + 120
    while sink.count < wanted:
        assert time.monotonic() < deadline, f"the sink waits for {wanted - sink.count} messages"
        time.sleep(0.002)


def works(sink: Sink) -> Iterator[Work]:
    """The row."""
    title = "relay: in, queue, out, 10 KiB, 10 sessions"
    yield Work("relay", title, Unit.MESSAGES, *times(2, 4), relaying(sink), ("mdbox",))
