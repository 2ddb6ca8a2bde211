"""All processes of one server: what they have used and what they hold.

A control group counts the CPU time of every process that was ever in it, also
of those that ended: a server that forks for each step hides nothing. Where no
group can be made, the times that parents inherit from the children they waited
for are added up instead, in ticks of 10 ms.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE: Final = 10.0
_ENTER: Final = 'echo $$ > "$0/cgroup.procs" && exec setsid "$@"'


class Tree:
    """The processes that were started by way of `wrapper`, and all that came of them."""

    def __init__(self, name: str) -> None:
        self._group = _group(name)
        self._roots: list[int] = []

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def wrapper(self) -> Sequence[str]:
        """What stands before the command that starts the server; Ctrl-C is for us alone, who stop it."""
        return ("setsid",) if self._group is None else ("sh", "-c", _ENTER, str(self._group))

    def started(self, pid: int) -> None:
        """Say which process is at a root; needed only where there is no control group."""
        self._roots.append(pid)

    def cpu(self) -> float:
        """User and system time so far, in seconds."""
        if self._group is not None:
            used = (self._group / "cpu.stat").read_text().split(maxsplit=2)
            return int(used[1]) / 1e6
        return sum(_ticks(pid) for pid in self.pids()) / _TICKS

    def memory(self) -> int:
        """Octets that the processes hold, what they share divided among them (PSS)."""
        return sum(_pss(pid) for pid in self.pids())

    def pids(self) -> list[int]:
        """The processes that live."""
        if self._group is not None:
            return [int(pid) for pid in (self._group / "cgroup.procs").read_text().split()]
        return _living(self._roots)

    def remove(self) -> None:
        """Remove the control group of a server that was stopped; what would not stop is killed."""
        if self._group is None:
            return
        deadline = time.monotonic() + _PATIENCE
        while self.pids() and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.pids():
            (self._group / "cgroup.kill").write_text("1")
        while self.pids():
            time.sleep(0.02)
        self._group.rmdir()


def _group(name: str) -> Path | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            group = Path(where) / f"postroad-bench-{os.getpid()}-{name}"
            try:
                group.mkdir()
            except OSError:
                return None  # not ours to make: no root, or a container
            return group
    return None


def _living(roots: Sequence[int]) -> list[int]:
    found = [pid for pid in roots if Path(f"/proc/{pid}").exists()]
    for pid in found:  # grows while it is walked
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue  # ended meanwhile; its parent has inherited its times
    return found


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])  # utime stime cutime cstime


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
