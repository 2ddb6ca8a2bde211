"""Clients change their mailboxes while the server is killed: every OK stands, MOVE is whole (SAFETY: A9).

Others watch them by QRESYNC, and come back after each strike with what they remember.
"""

import asyncio
from functools import partial

import pytest

from tests.faults.changes import Changer
from tests.faults.conftest import Start
from tests.faults.crash import UNLIMITED, Modseqs, Restarts
from tests.faults.load import under_load
from tests.faults.returning import Returning
from tests.faults.server import Server

CLIENTS = 8


def kill_and_compare(server: Server, strikes: int, *, seed: int = 0) -> None:
    """Kill everything so often; each client finds what its model says, whenever it comes back."""
    changers = [Changer(seed + n) for n in range(CLIENTS)]
    modseqs, restarts = Modseqs(), Restarts()
    data = server.directory / "data"
    for changer in changers:
        asyncio.run(changer.prepare(server))
    watchers = [Returning(changer.names[n % 2]) for n, changer in enumerate(changers)]

    async def strike(commands: int) -> None:
        while sum(changer.done for changer in changers) < commands:
            await asyncio.sleep(0.005)
        modseqs.look(data)
        server.strike()

    for number in range(1, strikes + 1):
        # Each number of commands is another moment in the groups in which they are committed.
        wanted = sum(changer.done for changer in changers) + 30 + number * 7 % 60
        load = [
            *(partial(changer.work, server) for changer in changers),
            *(partial(watcher.work, server) for watcher in watchers),
        ]
        asyncio.run(under_load(load, partial(strike, wanted)))
        server.wait_until_gone()
        restarts.start(server, "everything")
        modseqs.look(data)
        for watcher in watchers:
            asyncio.run(watcher.compare(server))
    assert sum(watcher.returns for watcher in watchers) > strikes, "nobody had anything to remember"
    for changer in changers:
        asyncio.run(changer.compare(server))
    assert "sound" in server.cli("store", "check")
    assert "Traceback" not in server.log()
    print(f"\n{strikes} strikes, {sum(c.done for c in changers)} changes by {CLIENTS} clients; {restarts}")
    server.stop()


def test_eight_clients_and_six_strikes(start: Start) -> None:
    kill_and_compare(start(more=UNLIMITED), 6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [100, 200])
def test_eight_clients_and_fifty_strikes(start: Start, seed: int) -> None:
    """Half of them each."""
    kill_and_compare(start(more=UNLIMITED), 25, seed=seed)
