"""Processes are killed with SIGKILL, at any moment: what was acknowledged is there (SAFETY: A1)."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Start
from tests.faults.crash import UNLIMITED, Crashes
from tests.faults.outbound import Sink
from tests.interop.processes import until


@pytest.fixture
def sink() -> Iterator[Sink | None]:
    """Somewhere for mail to go; only root can open port 25, so nobody else sends any."""
    if os.geteuid() != 0:
        yield None
        return
    with Sink() as opened:
        yield opened


def strike(crashes: Crashes, number: int) -> None:
    """Kill everything, the supervisor alone, or one worker: each in its turn."""
    server = crashes.server
    match number % 4:
        case 0:
            worker = crashes.chance.choice(server.workers())
            before = set(server.workers())
            crashes.kill([worker])
            until(lambda: len(server.workers()) == 2 and not before & set(server.workers()), "new workers")
        case 1:
            # Its workers notice, and end what they have begun; the next server waits for them.
            crashes.kill([server.pid])
            server.wait()
            crashes.restarts.start(server, "supervisor")
            server.wait_until_struck_are_gone()
        case _:
            crashes.kill([server.pid, *server.workers()])
            server.wait_until_gone()
            crashes.restarts.start(server, "everything")


def strike_and_look(crashes: Crashes, strikes: int, *, look_every: int) -> None:
    """Strike so often, in the middle of everything."""
    for number in range(1, strikes + 1):
        strike(crashes, number)
        if number % look_every == 0:
            crashes.look()
    crashes.look_at_all()
    changes = sum(changer.done for changer in crashes.changers)
    assert len(crashes.book.taken) > strikes * crashes.messages / 2, "the load was no load"
    assert changes > strikes, "there were no changes"
    print(
        f"\n{strikes} strikes, {len(crashes.book.taken)} messages in, {len(crashes.out.taken)} out, "
        f"{changes} changes; after {crashes.restarts}"
    )
    crashes.server.stop()


def test_a_thousand_messages_survive_twenty_strikes(start: Start, sink: Sink | None) -> None:
    strike_and_look(Crashes(start(more=UNLIMITED), sink, messages=55), 20, look_every=10)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_messages_survive_two_hundred_strikes(
    start: Start, sink: Sink | None, seed: int
) -> None:
    """A quarter of them each."""
    strike_and_look(Crashes(start(more=UNLIMITED), sink, seed=seed, messages=55), 50, look_every=10)
