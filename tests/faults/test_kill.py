"""Processes are killed with SIGKILL, at any moment: what was acknowledged is there (SAFETY A1)."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from tests.faults.conftest import Start
from tests.faults.load import ADA, Book, append, deliver, move, under_load
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.interop.processes import until

BOB = "bob@ours.test"


def strike(server: Server, book: Book, chance: random.Random) -> None:
    """Kill every process of the server in the middle of its work."""

    async def kill() -> None:
        # When it falls is what this is about: anywhere in the work that goes on.
        await asyncio.sleep(chance.uniform(0.02, 0.7))
        server.strike()

    asyncio.run(under_load(load(server, book), kill))
    server.wait_until_gone()


def load(server: Server, book: Book) -> list[Callable[[], Awaitable[None]]]:
    """SMTP to one and to two recipients, APPEND and MOVE, all at once."""
    return [
        *(partial(deliver, server, book, ADA) for _ in range(3)),
        *(partial(deliver, server, book, ADA, BOB) for _ in range(2)),
        *(partial(append, server, book) for _ in range(2)),
        partial(move, server),
    ]


def strike_and_look(server: Server, strikes: int, *, look_every: int = 1) -> None:
    chance = random.Random(strikes)
    book, history = Book(), History()
    for number in range(1, strikes + 1):
        strike(server, book, chance)
        server.start()
        if number % look_every == 0:
            check(server, book, history)
            assert "sound" in server.cli("store", "check")
    assert len(book.taken) > 10 * strikes, "the load was no load"
    check(server, book, history, bodies=True)
    assert "Traceback" not in server.log()
    server.stop()


def test_everything_is_killed_ten_times(start: Start) -> None:
    strike_and_look(start(), 10)


@pytest.mark.soak
def test_everything_is_killed_two_hundred_times(start: Start) -> None:
    # A log-in counts as failed until it has succeeded, so those that were struck down add up.
    limits = "[limits]\nauth_per_minute_address = 100_000\nauth_per_day_address = 100_000\n"
    limits += "auth_per_hour_account = 100_000\n"
    strike_and_look(start(more=limits), 200, look_every=5)


def test_a_worker_is_killed_and_comes_back(start: Start) -> None:
    server = start()
    book, history = Book(), History()
    for _ in range(3):
        killed, ended = server.workers()
        asyncio.run(under_load(load(server, book), partial(one_by_one, killed, ended)))
        until(partial(replaced, server, {killed, ended}), "two new workers")
        check(server, book, history)
    assert "sound" in server.cli("store", "check")
    server.stop()


async def one_by_one(killed: int, ended: int) -> None:
    """Kill one worker; while the load goes on at the other, end that one too, but gently."""
    await asyncio.sleep(0.3)
    os.kill(killed, signal.SIGKILL)
    await asyncio.sleep(0.3)
    os.kill(ended, signal.SIGTERM)


def replaced(server: Server, before: set[int]) -> bool:
    return len(server.workers()) == 2 and not before & set(server.workers())
