"""Connections spread evenly over workers, wherever the kernel puts them."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from postroad.config.certificate import certificate_files
from postroad.config.settings import Settings
from postroad.model.crowd import Crowd
from postroad.net.balance import A_FEW, BRIEF, MANY, MOMENT, Balance, Way, ways_between
from postroad.net.connection import Connection
from postroad.net.listener import Front, Service
from postroad.net.tls import ServerTls


class Open:
    """A gate for all; it counts."""

    def __init__(self) -> None:
        self.count = 0

    def enter(self, connection: Connection, address: str, crowd: Crowd) -> None:
        self.count += 1

    def leave(self, connection: Connection) -> None:
        self.count -= 1


def balance(
    ways: Sequence[Way], gates: Sequence[Open], index: int, clock: Callable[[], float] = time.monotonic
) -> Balance:
    others = {number: way for number, (_, way) in enumerate(ways) if number != index}
    return Balance(ways[index][0], others, lambda: {n: g.count for n, g in enumerate(gates)}, index, clock)


def close(ways: Sequence[Way]) -> None:
    for end in (end for way in ways for end in way):
        end.close()


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("implicit_tls", [False, True])
def test_what_comes_to_one_worker_is_shared_with_the_others(
    factory: object, implicit_tls: bool, tmp_path: Path
) -> None:
    async def echo(connection: Connection) -> None:
        connection.write(name[connection.id[:2]])
        await connection.pump(connection.deadline(20))

    name = {f"w{number}": b"%d" % number for number in range(3)}

    async def work() -> None:
        files = certificate_files(Settings(hostname="mx.test", data=tmp_path), datetime.now(UTC))
        ways, gates = ways_between(3), [Open() for _ in range(3)]
        fronts = [
            Front(
                gate,
                ServerTls(files.certificate, files.key),
                name=f"w{number}",
                balance=balance(ways, gates, number),
            )
            for number, gate in enumerate(gates)
        ]
        context = ssl.create_default_context() if implicit_tls else None
        if context is not None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        addresses = []
        for front in fronts:
            for protocol in ("pop3", "imap"):  # the same order everywhere
                listening = socket.create_server(("127.0.0.1", 0))
                listening.setblocking(False)
                addresses.append(listening.getsockname())
                await front.listen(listening, Service(protocol, echo, lambda _: b"", implicit_tls))
            front.hear_others()
        said = []
        streams = []
        for _ in range(9):  # all at the second listener of the first worker
            reader, writer = await asyncio.open_connection(*addresses[1], ssl=context)
            streams.append(writer)
            said.append(await asyncio.wait_for(reader.readexactly(1), 20))
        assert sorted(said) == [b"0"] * 3 + [b"1"] * 3 + [b"2"] * 3
        assert [len(front) for front in fronts] == [3, 3, 3]
        for writer in streams:
            writer.close()
        await asyncio.gather(*(front.drain(20) for front in fronts))
        close(ways)
        assert [gate.count for gate in gates] == [0, 0, 0]

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]  # each makes a loop
        runner.run(work())


def test_a_burst_does_not_go_to_the_other_as_a_whole() -> None:
    ways, gates = ways_between(2), [Open(), Open()]
    here, there = balance(ways, gates, 0), balance(ways, gates, 1)
    with socket.socket() as connection:
        for _ in range(10):  # the other comes to none of them meanwhile
            if not here.hand_on(connection.fileno, 4):
                gates[0].count += 1
    handed = list(there.handed())
    assert gates[0].count == len(handed) == 5
    assert {number for number, _ in handed} == {4}
    for _, one in handed:
        one.close()
    close(ways)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_is_handed_to_a_worker_that_still_opens_its_listeners_waits(
    factory: object, tmp_path: Path
) -> None:
    async def greet(connection: Connection) -> None:
        connection.write(b"+")

    async def work() -> None:
        files = certificate_files(Settings(hostname="mx.test", data=tmp_path), datetime.now(UTC))
        ways, gates = ways_between(2), [Open(), Open()]
        gates[0].count = 1
        tls = ServerTls(files.certificate, files.key)
        front = Front(gates[1], tls, name="w1", balance=balance(ways, gates, 1))
        with socket.create_server(("127.0.0.1", 0)) as server:
            near = socket.create_connection(server.getsockname())
            far, _ = server.accept()
        with far:
            assert balance(ways, gates, 0).hand_on(far.fileno, 1)
        for _ in range(2):
            listening = socket.create_server(("127.0.0.1", 0))
            listening.setblocking(False)
            await front.listen(listening, Service("imap", greet, lambda _: b"", False))
            await asyncio.sleep(0.01)  # the loop would look at what was handed on
        front.hear_others()
        reader, writer = await asyncio.open_connection(sock=near)
        assert await asyncio.wait_for(reader.read(), 20) == b"+"
        writer.close()
        await front.drain(20)
        close(ways)

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]  # each makes a loop
        runner.run(work())


def test_it_stays_where_the_other_is_not_to_be_reached() -> None:
    ways, gates = ways_between(2), [Open(), Open()]
    gates[0].count = 3
    here = balance(ways, gates, 0)
    ways[1][0].close()
    with socket.socket() as connection:
        assert not here.hand_on(connection.fileno, 0)
    close(ways)


@pytest.mark.parametrize(
    ("ended", "lasted", "every", "later", "kept"),
    [
        (MANY, BRIEF / 2, MOMENT / 100, 0.0, A_FEW + 1),
        (MANY, BRIEF / 2, MOMENT / 100, MOMENT, 1),
        (MANY - 1, BRIEF / 2, MOMENT / 100, 0.0, 1),
        (MANY, BRIEF / 2, MOMENT / 10, 0.0, 1),
        (MANY, BRIEF * 2, MOMENT / 100, 0.0, 1),
    ],
)
def test_a_few_more_are_kept_while_many_connections_come_and_go(
    ended: int, lasted: float, every: float, later: float, kept: int
) -> None:
    now = [100.0]
    ways, gates = ways_between(2), [Open(), Open()]
    here = balance(ways, gates, 0, lambda: now[0])
    for _ in range(ended):
        now[0] += every
        here.ended(lasted)
    now[0] += later
    with socket.socket() as connection:
        while not here.hand_on(connection.fileno, 0):
            gates[0].count += 1
    assert gates[0].count == kept
    close(ways)


def test_a_worker_alone_needs_no_way() -> None:
    assert ways_between(1) == []
