"""A whole maildrop is read over POP3."""

from collections.abc import Iterator

from bench.clients import pop3_client
from bench.dialogue import Ask, ask
from bench.fill import fill
from bench.replies import Retrieved
from bench.sample import Measure, Sample, Scale, Unit, Work, measured, times
from bench.servers.side import Side

_MESSAGES = 1000
_SIZE = 10 * 1024


def _prepare(side: Side, scale: Scale) -> None:
    fill(side, "pop", "INBOX", scale(_MESSAGES), _SIZE)


def _all(*, pipelined: bool) -> Measure:
    def measure(side: Side, scale: Scale) -> Sample:
        count = scale(_MESSAGES)
        commands = [b"RETR %d\r\n" % number for number in range(1, count + 1)]
        replies = [Retrieved(count)] if pipelined else [Retrieved() for _ in commands]
        wires = [b"".join(commands)] if pipelined else commands
        client = pop3_client(side, "pop")
        with measured(side.tree, count) as sample:
            ask(client, *(Ask(wire, reply) for wire, reply in zip(wires, replies, strict=True)))
        client.close()
        octets = sum(reply.octets for reply in replies)
        assert octets >= count * _SIZE, f"only {octets} octets came"
        return sample.milliseconds()

    return measure


def works() -> Iterator[Work]:
    """The rows."""
    ms = Unit.MILLISECONDS
    yield Work(
        "pop3", "POP3, 1,000 messages one by one", ms, *times(1, 1.5), _all(pipelined=False), prepare=_prepare
    )
    yield Work(
        "pop3-pipelined",
        "POP3, 1,000 messages pipelined",
        ms,
        *times(1, 1.5),
        _all(pipelined=True),
        prepare=_prepare,
    )
