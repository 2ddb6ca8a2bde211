"""A server that somebody kills."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.interop.postroad_server import Postroad
from tests.interop.processes import until


class Server(Postroad):
    """`postroad serve`, all of whose processes can be struck at once."""

    _struck: list[int]

    def strike(self) -> None:
        """Kill every process, now; does not wait."""
        self.kill_these([self.pid, *self.workers()])

    def kill_these(self, pids: Sequence[int]) -> None:
        """Kill some of its processes, now; does not wait."""
        self._struck = [self.pid, *self.workers()] if self.pid in pids else list(pids)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def end_workers(self) -> None:
        """Tell the workers to end, one and all; the supervisor starts others."""
        for pid in self.workers():
            os.kill(pid, signal.SIGTERM)

    def wait_until_gone(self) -> None:
        """Wait for the end of what was struck."""
        self._daemon.wait()
        self.wait_until_struck_are_gone()

    def wait_until_struck_are_gone(self) -> None:
        """The same where another supervisor has been started meanwhile."""
        until(lambda: not any(lives(pid) for pid in self._struck), "all processes to be gone")

    def signal(self, number: int) -> None:
        """Send the supervisor a signal."""
        os.kill(self.pid, number)

    def until_logged(self, event: str, times: int = 1) -> None:
        """Wait until an event has been logged so often."""
        self._daemon.until(lambda: self.log().count(event) >= times, f"{event} in the log")

    def wait(self) -> int:
        """Wait for its end; gives the exit status."""
        return self._daemon.wait()

    @property
    def running(self) -> bool:
        """Whether its supervisor is there."""
        return lives(self.pid)


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
