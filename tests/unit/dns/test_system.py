"""The resolver that asks over the network, against a server that answers over the network."""

import asyncio
from collections.abc import Awaitable, Callable

from postroad.dns.system import FAILED_SECONDS, NEGATIVE_SECONDS, SystemResolver
from postroad.model.answers import Found, Mx, NoData, NoSuchDomain, TemporaryFailure
from postroad.testing.clock import ManualClock
from tests.unit.dns.server import DnsServer

ZONE = """
x.test. 600 IN MX 10 MX.X.test.
x.test. 600 IN MX 20 mx2.x.test.
x.test. 600 IN TXT "v=spf1 " "-all"
mx.x.test. 600 IN A 192.0.2.1
mx.x.test. 60 IN AAAA 2001:DB8::1
four.x.test. 600 IN A 192.0.2.4
alias.test. 600 IN CNAME x.test.
null.test. 600 IN MX 0 .
1.2.0.192.in-addr.arpa. 600 IN PTR mx.x.test.
"""

Scene = Callable[[SystemResolver, DnsServer, ManualClock], Awaitable[None]]


def play(scene: Scene, zone: str = ZONE, timeout: float = 5.0) -> None:
    """Run a scene between a resolver and a server."""

    async def run() -> None:
        async with DnsServer(zone) as server:
            clock = ManualClock()
            resolver = SystemResolver([server.address], timeout, clock)
            try:
                await scene(resolver, server, clock)
            finally:
                await resolver.close()

    asyncio.run(run())


def test_records_are_values() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        answer = await resolver.mx("x.test")
        assert isinstance(answer, Found)
        assert sorted(answer.records) == [Mx(10, "mx.x.test"), Mx(20, "mx2.x.test")]
        assert await resolver.addresses("mx.x.test") == Found(("2001:db8::1", "192.0.2.1"), 60)
        assert await resolver.addresses("four.x.test") == Found(("192.0.2.4",), 600)
        assert await resolver.txt("x.test") == Found((b"v=spf1 -all",), 600)
        assert await resolver.ptr("192.0.2.1") == Found(("mx.x.test",), 600)
        assert await resolver.mx("null.test") == Found((Mx(0, ""),), 600)

    play(scene)


def test_aliases_are_followed() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        answer = await resolver.mx("alias.test")
        assert isinstance(answer, Found)
        assert len(answer.records) == 2

    play(scene)


def test_there_is_none_in_two_ways() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        assert await resolver.mx("mx.x.test") == NoData()
        assert await resolver.mx("gone.test") == NoSuchDomain()
        assert await resolver.addresses("x.test") == NoData()
        assert await resolver.addresses("gone.test") == NoSuchDomain()
        assert await resolver.mx("no..name") == NoSuchDomain()

    play(scene)


def test_a_server_that_fails_is_no_answer_and_left_alone_for_a_moment() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        server.broken = {"x.test"}
        assert isinstance(await resolver.mx("x.test"), TemporaryFailure)
        server.broken = set()
        assert isinstance(await resolver.mx("x.test"), TemporaryFailure)  # RFC 9520 §3.2
        await clock.advance(FAILED_SECONDS)
        assert isinstance(await resolver.mx("x.test"), Found)

    play(scene)


def test_a_server_that_is_silent_is_not_waited_for() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        server.dead = {"x.test"}
        answer = await resolver.mx("x.test")
        assert isinstance(answer, TemporaryFailure)
        assert "x.test" in answer.reason

    play(scene, timeout=0.1)


def test_while_nothing_is_answered_less_time_is_given() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        server.dead = {"x.test", "y.test", "z.test", "four.x.test"}
        first = await asyncio.gather(*(resolver.mx(name) for name in ("x.test", "y.test", "z.test")))
        assert {str(answer).partition("within ")[2][:5] for answer in first} == {"0.7 s"}
        assert "within 0.5 s" in str(await resolver.txt("x.test"))
        assert isinstance(await resolver.mx("gone.test"), NoSuchDomain)
        assert "within 0.7 s" in str(await resolver.addresses("four.x.test"))

    play(scene, timeout=0.7)


def test_half_an_answer_will_do() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        server.change("h.test. 60 IN A 192.0.2.1")
        answer = await resolver.addresses("h.test")
        assert answer == Found(("192.0.2.1",), 60)

    play(scene)


def test_answers_are_kept_as_long_as_they_hold() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        for _ in range(2):
            for name in ("x.test", "gone.test", "fleeting.test"):
                await resolver.txt(name)
        assert [name for name, _ in server.asked] == ["x.test", "gone.test", "fleeting.test", "fleeting.test"]
        await clock.advance(NEGATIVE_SECONDS + 1)
        await resolver.txt("x.test")
        await resolver.txt("gone.test")
        assert [name for name, _ in server.asked[4:]] == ["gone.test"]

    play(scene, ZONE + "fleeting.test. 0 IN TXT hello\n")


def test_an_answer_too_large_for_a_datagram() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        answer = await resolver.mx("huge.test")
        assert isinstance(answer, Found)
        assert len(answer.records) == 200

    play(scene, "".join(f"huge.test. 60 IN MX {n} mx{n}.huge.test.\n" for n in range(200)))
