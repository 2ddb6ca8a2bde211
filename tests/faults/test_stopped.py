"""Processes that stand still (SIGSTOP), clients that lose patience, and what is true after (SAFETY: A3)."""

import asyncio
import os
import signal
from collections.abc import Sequence

import pytest

from tests.faults.conftest import Start
from tests.faults.crash import UNLIMITED, Crashes
from tests.faults.load import ADA, GONE, Book, Line, Refused
from tests.faults.server import Server
from tests.interop.processes import until

PATIENCE = 0.5
"""Seconds until such a client gives up and tries the same message again."""


async def insist(server: Server, book: Book, stop: asyncio.Event) -> int:
    """Deliver one message after the other; the one that was not answered is sent again, as clients do.

    Gives how often patience was lost.
    """
    lost = 0
    while not stop.is_set():
        name, octets = book.write("again")
        while name not in book.taken and not stop.is_set():
            try:
                async with asyncio.timeout(PATIENCE):
                    await _once(server, book, name, octets)
            except TimeoutError:
                lost += 1
            except (*GONE, Refused):
                pass
    return lost


async def _once(server: Server, book: Book, name: str, octets: bytes) -> None:
    line = await Line.open(server.ports.smtp)
    try:
        await line.reply()
        await line.send(b"HELO load.test\r\n")
        await line.reply()
        await line.send(b"MAIL FROM:<eve@elsewhere.test>\r\n")
        await line.reply()
        await line.send(f"RCPT TO:<{ADA}>\r\nDATA\r\n".encode())
        await line.reply()
        if not (reply := await line.reply()).startswith(b"354"):
            raise Refused(reply.decode())
        book.sends(name, octets)
        await line.send(octets + b".\r\n")
        if (await line.reply()).startswith(b"250"):
            book.takes(name)
    finally:
        line.abort()


def stop_and_look(server: Server, rounds: int, *, seed: int = 3) -> None:
    """Let processes stand still so often; half of the time they go on, half of the time they are killed."""
    crashes, lost = Crashes(server, seed=seed), 0
    for number in range(1, rounds + 1):
        stopped = server.workers()[number % 2 :]
        before = set(server.workers())
        lost += asyncio.run(stop_once(crashes, stopped, kill=number % 4 >= 2))
        until(lambda: len(server.workers()) == 2 and not before & set(server.workers()), "new workers")  # noqa: B023
        crashes.look()
    crashes.look_at_all()
    assert len(crashes.book.taken) > rounds * 20, "the load was no load"
    more = sum(tries > 1 for tries in crashes.book.tries.values())
    assert lost > rounds, "nobody lost patience"
    print(
        f"\n{rounds} rounds, {len(crashes.book.taken)} messages in, patience lost {lost} times,"
        f" {more} messages sent to their end more than once"
    )
    server.stop()


async def stop_once(crashes: Crashes, stopped: Sequence[int], *, kill: bool) -> int:
    """Stop one worker or both in the middle of a load; later kill them or let them go on, then end all.

    Gives how often clients lost patience.
    """
    server, over = crashes.server, asyncio.Event()
    patient = asyncio.gather(*(work() for work in crashes.load()), return_exceptions=True)
    impatient = asyncio.gather(*(insist(server, crashes.book, over) for _ in range(4)))
    await asyncio.sleep(crashes.chance.uniform(0.3, 0.9))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(2.5 * PATIENCE)
    for pid in stopped:
        os.kill(pid, signal.SIGKILL if kill else signal.SIGCONT)
    await asyncio.sleep(crashes.chance.uniform(0.3, 0.6))
    over.set()
    lost = await impatient
    server.end_workers()
    bad = [r for r in await patient if isinstance(r, BaseException) and not isinstance(r, (*GONE, Refused))]
    assert not bad, bad
    return sum(lost)


def test_four_times_still(start: Start) -> None:
    stop_and_look(start(more=UNLIMITED), 4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_fifty_times_still(start: Start, seed: int) -> None:
    """Half of them each."""
    stop_and_look(start(more=UNLIMITED), 25, seed=seed)
