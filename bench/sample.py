"""One measurement of one side, and what a row of the table asks of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bench.servers.side import Side
from bench.tree import Tree


@dataclass(slots=True)
class Sample:
    """What was done, how long it took and what it cost."""

    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of the server's whole tree."""
    own: float = 0.0
    """Seconds of the load generator, which runs on the same cores."""
    memory: int = 0
    """Octets of the server's whole tree (PSS) when it was done, its clients still there."""
    value: float = 0.0
    """The figure that is compared, in the row's unit."""

    def per_second(self) -> "Sample":
        """Compare how many were done in a second."""
        self.value = self.count / self.seconds
        return self

    def milliseconds(self) -> "Sample":
        """Compare how long it took."""
        self.value = 1000 * self.seconds
        return self


@contextmanager
def measured(tree: Tree, count: int) -> Iterator[Sample]:
    """Take the time of the body and the CPU time of both ends of the wire."""
    sample = Sample(count)
    cpu, own, start = tree.cpu(), time.process_time(), time.perf_counter()
    yield sample
    sample.seconds = time.perf_counter() - start
    sample.cpu = tree.cpu() - cpu
    sample.own = time.process_time() - own
    sample.memory = tree.memory()


def percentile(waits: Sequence[float], share: float) -> float:
    """The wait that this share of them did not exceed."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Unit(Enum):
    """What a figure counts."""

    MESSAGES = "messages/s"
    LOGINS = "log-ins/s"
    COMMANDS = "commands/s"
    MEGABYTES = "MB/s"
    MILLISECONDS = "ms"
    KIBIBYTES = "KiB"
    MEBIBYTES = "MiB"

    @property
    def more_is_better(self) -> bool:
        """Rates are to be high, times and sizes low."""
        return self.value.endswith("/s")


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached: so many times the peer, or at most so much, or both."""

    times: float | None = None
    most: float | None = None
    cpu_ms: float | None = None
    """CPU milliseconds an operation, at most."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: 1 for the figures that are published, little for a test that it works."""

    factor: float = 1.0

    def __call__(self, count: int, least: int = 1) -> int:
        """Scale a number of things."""
        return max(least, round(count * self.factor))


Measure = Callable[[Side, Scale], Sample]
NOTHING: Final[Callable[[Side, Scale], None]] = lambda _side, _scale: None  # noqa: E731


@dataclass(frozen=True, slots=True)
class Work:
    """A row of the table."""

    name: str
    """As it is named on the command line."""
    title: str
    unit: Unit
    must: Target
    aim: Target
    measure: Measure
    against: tuple[str, ...] = ("mdbox", "maildir")
    prepare: Callable[[Side, Scale], None] = NOTHING
    """Done once for each side, not measured."""
    pairs: int | None = None
    """How many pairs at most, where one takes long."""
    mox: float | None = None
    """What mox 0.0.17 did on another such machine; it is not in Debian and not run here."""
    judged_by_mox: bool = False
    """Whether mox was the best of the peers there: then the targets are multiples of its figure too."""
    needs: bytes = b""
    """An IMAP capability without which there is nothing to measure."""


def times(must: float, aim: float, *, aim_cpu_ms: float | None = None) -> tuple[Target, Target]:
    """Make targets that are multiples of the peer."""
    return Target(times=must), Target(times=aim, cpu_ms=aim_cpu_ms)


def at_most(must: float, aim: float) -> tuple[Target, Target]:
    """Make targets in the row's own unit."""
    return Target(most=must), Target(most=aim)
