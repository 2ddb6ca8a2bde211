"""A resolver with a purse: so many questions, so many seconds, then nobody can say (SAFETY C17).

What a stranger's mail makes us ask is paid from one purse a message. Whoever
is handed this resolver needs no bound of its own: what is asked too much is
answered as if the DNS were down, which every standard has an answer for.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from postroad.model.answers import Answer, Mx, TemporaryFailure, Tlsa
from postroad.model.resolver import Resolver

T = TypeVar("T")


class BoundedResolver:
    """Asks another resolver, at most `questions` times and for at most `seconds` from its making."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        questions: int,
        seconds: float,
        whole: "BoundedResolver | None" = None,
    ) -> None:
        """Must be called in the running loop: time is the loop's, as it is for the network.

        What is asked here is paid from the purse of `whole` as well (see `part`).
        """
        self._resolver = resolver
        self._whole = whole
        self._left = questions
        self._questions = questions
        self._seconds = seconds
        self._until = asyncio.get_running_loop().time() + seconds
        if whole is not None:
            self._until = min(self._until, whole._until)

    def part(self, *, questions: int, seconds: float) -> "BoundedResolver":
        """A smaller purse within this one, so that one kind of question does not use up all of it."""
        return BoundedResolver(self._resolver, questions=questions, seconds=seconds, whole=self)

    @property
    def asked(self) -> int:
        """Questions so far."""
        return self._questions - self._left

    async def mx(self, domain: str) -> Answer[Mx]:
        """See `Resolver.mx`."""
        return await self._ask(self._resolver.mx, domain)

    async def addresses(self, host: str) -> Answer[str]:
        """See `Resolver.addresses`."""
        return await self._ask(self._resolver.addresses, host, cost=2)

    async def a(self, host: str) -> Answer[str]:
        """See `Resolver.a`."""
        return await self._ask(self._resolver.a, host)

    async def aaaa(self, host: str) -> Answer[str]:
        """See `Resolver.aaaa`."""
        return await self._ask(self._resolver.aaaa, host)

    async def txt(self, name: str) -> Answer[bytes]:
        """See `Resolver.txt`."""
        return await self._ask(self._resolver.txt, name)

    async def ptr(self, address: str) -> Answer[str]:
        """See `Resolver.ptr`."""
        return await self._ask(self._resolver.ptr, address)

    async def tlsa(self, name: str) -> Answer[Tlsa]:
        """See `Resolver.tlsa`."""
        return await self._ask(self._resolver.tlsa, name)

    async def alias_is_secure(self, name: str) -> bool | TemporaryFailure:
        """See `Resolver.alias_is_secure`."""
        return await self._ask(self._resolver.alias_is_secure, name)

    async def _ask(
        self, question: Callable[[str], Coroutine[Any, Any, T]], name: str, cost: int = 1
    ) -> T | TemporaryFailure:
        for purse in (self, self._whole):
            if purse is not None and purse._left < cost:
                return TemporaryFailure(f"more than {purse._questions} questions to the DNS")
        self._left -= cost
        if self._whole is not None:
            self._whole._left -= cost
        asked = question(name)
        try:
            waits_for = asked.send(None)
        except StopIteration as answered:  # at once, as most are: who remembers needs no time
            return answered.value  # type: ignore[no-any-return]
        try:
            async with asyncio.timeout_at(self._until):
                return await _going_on(asked, waits_for)
        except TimeoutError:
            return TemporaryFailure(f"{name}: no answer, {self._seconds:g} s for all questions are over")


@coroutine
def _going_on(asked: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Await a coroutine that has been begun by hand, and has said what it waits for."""
    while True:
        try:
            try:
                yield waits_for
            except BaseException as error:
                waits_for = asked.throw(error)  # a cancellation is for it to see
            else:
                waits_for = asked.send(None)
        except StopIteration as answered:
            return answered.value  # type: ignore[no-any-return]
