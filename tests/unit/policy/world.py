"""Counts of several workers on one file, and a clock that moves when told."""

from pathlib import Path

from postroad.config.limits import Limits
from postroad.policy.counts_file import create
from postroad.policy.shared_counts import Admission, SharedCounts, UserSession


class HeldClock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.time = 100_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Workers:
    """The counts of so many workers."""

    def __init__(self, folder: Path, count: int = 2, limits: Limits | None = None) -> None:
        self.clock = HeldClock()
        self.limits = limits or Limits()
        self._path = folder / "counts"
        create(self._path, count)
        self.counts = [self.start(number) for number in range(count)]

    def start(self, number: int) -> SharedCounts:
        return SharedCounts(self._path, number, self.limits, self.clock)

    def close(self) -> None:
        for counts in self.counts:
            counts.close()


def admitted(counts: SharedCounts, address: str = "192.0.2.1") -> Admission:
    admission = counts.admit(address)
    assert isinstance(admission, Admission)
    return admission


def opened(counts: SharedCounts, account_id: int, address: str) -> UserSession:
    session = counts.open_session(account_id, address)
    assert isinstance(session, UserSession)
    return session
