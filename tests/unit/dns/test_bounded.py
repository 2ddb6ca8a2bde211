"""A purse of questions and seconds for whatever a message makes us ask."""

import asyncio

from postroad.dns.bounded import BoundedResolver
from postroad.dns.zone import ZoneResolver
from postroad.model.answers import Answer, Found, TemporaryFailure


def test_one_question_too_many_is_not_asked() -> None:
    async def scene() -> None:
        zone = ZoneResolver()
        zone.add_address("host.test", "192.0.2.1")
        bounded = BoundedResolver(zone, questions=3, seconds=60)
        assert await bounded.addresses("host.test") == Found(("192.0.2.1",), 300)
        assert isinstance(await bounded.aaaa("host.test"), type(await zone.aaaa("host.test")))
        assert bounded.asked == 3
        zone.asked.clear()
        for question in (bounded.a, bounded.txt, bounded.mx, bounded.addresses):
            assert isinstance(await question("host.test"), TemporaryFailure)
        assert isinstance(await bounded.ptr("192.0.2.1"), TemporaryFailure)
        assert zone.asked == []

    asyncio.run(scene())


def test_when_the_time_is_over_nobody_can_say() -> None:
    class Silent(ZoneResolver):
        async def a(self, host: str) -> Answer[str]:
            await asyncio.Event().wait()
            raise AssertionError("it is never set")

    async def scene() -> None:
        bounded = BoundedResolver(Silent(), questions=100, seconds=0.01)
        answer = await bounded.a("host.test")
        assert isinstance(answer, TemporaryFailure)
        assert "0.01 s" in answer.reason
        assert isinstance(await bounded.a("host.test"), TemporaryFailure)

    asyncio.run(scene())


def test_a_part_is_paid_from_the_whole() -> None:
    async def scene() -> None:
        whole = BoundedResolver(ZoneResolver(), questions=5, seconds=60)
        part = whole.part(questions=3, seconds=60)
        for _ in range(4):
            await part.a("host.test")
        assert (part.asked, whole.asked) == (3, 3)
        await whole.aaaa("host.test")
        await whole.txt("host.test")
        assert isinstance(await whole.a("host.test"), TemporaryFailure)
        assert isinstance(await whole.part(questions=9, seconds=60).a("host.test"), TemporaryFailure)

    asyncio.run(scene())


def test_a_question_that_waits_goes_on_where_it_was() -> None:
    class Slow(ZoneResolver):
        async def a(self, host: str) -> Answer[str]:
            for _ in range(3):
                await asyncio.sleep(0)
            async with asyncio.timeout(60):
                await asyncio.sleep(0.001)
            return await super().a(host)

    async def scene() -> None:
        zone = Slow()
        zone.add_address("host.test", "192.0.2.1")
        bounded = BoundedResolver(zone, questions=3, seconds=60)
        assert await bounded.a("host.test") == Found(("192.0.2.1",), 300)

    asyncio.run(scene())


def test_who_is_cancelled_has_the_question_cancelled() -> None:
    seen: list[str] = []

    class Silent(ZoneResolver):
        async def a(self, host: str) -> Answer[str]:
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("over")
            raise AssertionError("it is never set")

    async def scene() -> None:
        bounded = BoundedResolver(Silent(), questions=3, seconds=60)
        task = asyncio.create_task(bounded.a("host.test"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(scene())
    assert seen == ["over"]
