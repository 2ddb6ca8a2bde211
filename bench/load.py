"""What the load generators share: a line-protocol client without frills, and the figures of a run."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
LINE: Final = b"The quick brown fox jumps over the lazy dog, again and again and on.\r\n"


def message(subject: str, size: int) -> bytes:
    """Make a plain message of about this size."""
    head = f"From: Load <load@elsewhere.test>\r\nTo: ada@ours.test\r\nSubject: {subject}\r\n"
    head += f"Date: Thu, 1 Feb 2024 03:04:05 +0000\r\nMessage-ID: <{subject}@elsewhere.test>\r\n\r\n"
    return head.encode() + LINE * max(1, (size - len(head)) // len(LINE))


def plural(sessions: int) -> str:
    """How many sessions, for people."""
    return "1 session" if sessions == 1 else f"{sessions} sessions"


@dataclass(slots=True)
class Figures:
    """One row of the table."""

    name: str
    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    waits: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The wait, in milliseconds, that this share of the requests did not exceed."""
        ordered = sorted(self.waits)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time that these processes have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


@contextmanager
def measured(figures: Figures, pids: Sequence[int]) -> Iterator[None]:
    """Take wall-clock and CPU time around the body."""
    cpu, start = cpu_seconds(pids), time.perf_counter()
    yield
    figures.seconds = time.perf_counter() - start
    figures.cpu = cpu_seconds(pids) - cpu


class Line:
    """A client's connection: write bytes, read up to the line that answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def until(self, begin: bytes) -> bytes:
        """Read on to the line that begins so; anything that cannot follow ends the run."""
        while True:
            line = await self.reader.readline()
            if line.startswith(begin):
                return line
            if not line or line[:1] in (b"4", b"5") or b" NO " in line[:12] or b" BAD " in line[:12]:
                raise ConnectionError(f"waited for {begin!r}, got {line!r}")

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        await self.writer.wait_closed()


async def share(count: int, sessions: int, work: Callable[[int, range], Awaitable[None]]) -> None:
    """Deal `count` pieces of work to so many sessions that run side by side."""
    numbers = [range(number, count, sessions) for number in range(sessions)]
    await asyncio.gather(*(work(session, part) for session, part in enumerate(numbers)))
