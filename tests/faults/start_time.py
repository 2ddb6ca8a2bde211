"""How soon a server is there again after kill -9, and what that costs (docs/reliability.md).

python -m tests.faults.start_time [--rounds N] [--messages N]

From the start of `postroad serve` to the first greetings of SMTP and IMAP; CPU and memory of its three
processes once they say that they are ready. Each time it is struck down in the middle of a load.
"""

import argparse
import asyncio
import os
import socket
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from postroad.cli.status import resident
from tests.faults.conftest import people
from tests.faults.load import ADA, Book, append, deliver, under_load
from tests.faults.server import Server
from tests.interop.certificates import make_certificates
from tests.interop.processes import until

MIB: Final = 1024 * 1024
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Starts:
    """What was measured of each start."""

    wall: list[float] = field(default_factory=list)
    """Seconds to the later one of the greetings."""
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    """MiB; what processes share is counted once."""

    def measure(self, server: Server) -> None:
        """Start it."""
        began = time.monotonic()
        with ThreadPoolExecutor() as clients:
            ports = (server.ports.smtp, server.ports.imap)
            greeted = [clients.submit(_greeted, port) for port in ports]
            server.start()
            self.wall.append(max(one.result() for one in greeted) - began)
        pids = [server.pid, *server.workers()]
        self.cpu.append(sum(map(_cpu, pids)))
        self.memory.append(sum(map(resident, pids)) / MIB)

    def __str__(self) -> str:
        return (
            f"{len(self.wall)} starts: greetings after {_spread(self.wall)} s,"
            f" {_spread(self.cpu)} s of CPU, {_spread(self.memory)} MiB"
        )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _greeted(port: int) -> float:
    """Wait for a greeting; give when it came."""
    return until(lambda: _greeting(port), "a greeting")


def _greeting(port: int) -> float | None:
    # Reset: the listening socket was that of a process that is still dying.
    with (
        suppress(ConnectionRefusedError, ConnectionResetError),
        socket.create_connection(("127.0.0.1", port)) as connected,
        connected.makefile("rb") as lines,
    ):
        assert lines.readline().startswith((b"220 ", b"* OK "))
        return time.monotonic()
    return None


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process and its dead children have used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / _TICKS


async def _strike(server: Server, book: Book, messages: int) -> None:
    wanted = len(book.taken) + messages
    while len(book.taken) < wanted:
        await asyncio.sleep(0.01)
    server.strike()


def main() -> None:
    """Start, load, strike, and so on; print what was measured."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.start_time")
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--messages", type=int, default=100, help="before each strike (100)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="postroad-start-time-") as place:
        folder = Path(place)
        server = Server(folder, make_certificates(folder, "localhost", "127.0.0.1"))
        people(folder / "data", ADA)
        book, starts = Book(), Starts()
        for _ in range(given.rounds):
            starts.measure(server)
            load = [partial(deliver, server, book, ADA), partial(append, server, book)]
            asyncio.run(under_load(load, partial(_strike, server, book, given.messages)))
            server.wait_until_gone()
    print(starts)


if __name__ == "__main__":
    main()
