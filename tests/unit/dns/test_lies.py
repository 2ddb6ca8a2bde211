"""A DNS that lies, babbles or says nothing: an answer within the time-out, in bounded memory (SAFETY C17)."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import dns.message
import dns.rrset
import pytest

from postroad.dns.route import HOSTS, SILENT, NoRoute, Route, find_route
from postroad.dns.system import SystemResolver
from postroad.model.answers import Answer, Found, Mx, TemporaryFailure
from postroad.testing.clock import ManualClock
from tests.unit.dns.server import DnsServer
from tests.unit.dns.test_system import play

MANY = "".join(f"many.test. 600 IN MX {n} mx{n}.many.test.\n" for n in range(450))
MANY += "".join(f"mx{n}.many.test. 600 IN A 198.51.100.{n % 250 + 1}\n" for n in range(450))
LONG = "long.test. 600 IN TXT " + " ".join('"' + "x" * 250 + '"' for _ in range(250))

Lie = Callable[[bytes, bytes], bytes | None]


class Liar(asyncio.DatagramProtocol):
    """Says to each question what `lie` makes of the question and of an honest answer."""

    def __init__(self, lie: Lie) -> None:
        self._lie = lie
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question, recursion_available=True)
        name = question.question[0].name
        answer.answer.append(dns.rrset.from_text(name, 600, "IN", "A", "203.0.113.66"))
        lie = self._lie(data, answer.to_wire())
        if lie is not None:
            self.transport.sendto(lie, addr)


def other_id(_: bytes, honest: bytes) -> bytes:
    return bytes([honest[0] ^ 0xFF]) + honest[1:]


def other_question(question: bytes, honest: bytes) -> bytes:
    return honest.replace(b"\x04host", b"\x04evil")


def half(_: bytes, honest: bytes) -> bytes:
    return honest[: len(honest) // 2]


def circle(question: bytes, _: bytes) -> bytes:
    answer = dns.message.make_response(dns.message.from_wire(question), recursion_available=True)
    for n in range(40):
        target = "host.test." if n == 39 else f"c{n + 1}.test."
        name = "host.test." if n == 0 else f"c{n}.test."
        answer.answer.append(dns.rrset.from_text(name, 600, "IN", "CNAME", target))
    return answer.to_wire()


def garbage(question: bytes, _: bytes) -> bytes:
    return question[:2] + random.Random(5).randbytes(500)


def the_question_again(question: bytes, _: bytes) -> bytes:
    return question


def nothing(_: bytes, __: bytes) -> None:
    return None


@pytest.mark.parametrize(
    "lie", [other_id, other_question, half, garbage, circle, the_question_again, nothing]
)
def test_a_lie_is_no_answer(lie: Lie) -> None:
    async def ask() -> Answer[str]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Liar(lie), ("127.0.0.1", 0))
        host, port = transport.get_extra_info("sockname")
        resolver = SystemResolver([f"{host}:{port}"], 1.0, ManualClock())
        try:
            async with asyncio.timeout(30):
                return await resolver.addresses("host.test")
        finally:
            await resolver.close()
            transport.close()

    answer = asyncio.run(ask())
    assert not isinstance(answer, Found), answer
    assert isinstance(answer, TemporaryFailure) or lie in (circle, the_question_again)


def test_of_a_list_without_end_the_first_hosts_are_tried() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        way = await find_route(
            resolver, "many.test", own_names=(), chance=random.Random(1), allow_private=True
        )
        assert isinstance(way, Route)
        assert [host.name for host in way.hosts] == [f"mx{n}.many.test" for n in range(HOSTS)]
        assert len(server.asked) <= 100

    play(scene, MANY)


def test_a_list_without_end_is_not_kept() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        for _ in range(2):
            mx, txt = await resolver.mx("many.test"), await resolver.txt("long.test")
            assert isinstance(mx, Found)
            assert len(mx.records) == 450
            assert Mx(449, "mx449.many.test") in mx.records
            assert isinstance(txt, Found)
            assert len(txt.records[0]) == 250 * 250
        assert [name for name, _ in server.asked].count("long.test") >= 2
        assert len(resolver._cache) == 0

    play(scene, MANY + LONG)


def test_of_silent_name_servers_not_all_are_waited_for() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        server.dead = {f"mx{n}.many.test" for n in range(450)}
        way = await find_route(
            resolver, "many.test", own_names=(), chance=random.Random(1), allow_private=True
        )
        assert isinstance(way, NoRoute)
        assert not way.permanent
        assert len({name for name, _ in server.asked if name.startswith("mx")}) == SILENT

    play(scene, MANY, timeout=1.0)
