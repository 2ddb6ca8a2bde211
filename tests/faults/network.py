"""Two machines with a cable between them: network namespaces and a veth pair. Needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.faults.power import checked, libc
from tests.interop.processes import program, run

NEAR: Final = "10.99.0.1"
"""Where we are."""
FAR: Final = "10.99.0.2"
"""The machine at the other end."""
_CLONE_NEWNET: Final = 0x40000000


class Cable:
    """The way to the machine at the other end, which can vanish without a word."""

    def __init__(self, far: int) -> None:
        """`far` is a process there."""
        self._far = far

    @contextmanager
    def at_the_far_end(self) -> Iterator[None]:
        """Sockets that this thread makes within are of the other machine, and stay there."""
        near = _network("thread-self")
        far = _network(str(self._far))
        try:
            checked(libc.setns(far, _CLONE_NEWNET))
            try:
                yield
            finally:
                checked(libc.setns(near, _CLONE_NEWNET))
        finally:
            os.close(far)
            os.close(near)

    def cut(self) -> None:
        """From now on nothing arrives and nothing comes back: no FIN, no RST, no word of the network."""
        with self.at_the_far_end():
            _ip("link", "set", "far", "down")

    def mend(self) -> None:
        """Let all pass again."""
        with self.at_the_far_end():
            _ip("link", "set", "far", "up")


@contextmanager
def own_network() -> Iterator[Cable]:
    """This thread, and threads and processes that it starts within, are on a machine of their own."""
    before = _network("thread-self")
    try:
        checked(libc.unshare(_CLONE_NEWNET))
        far = subprocess.Popen([program("unshare"), "--net", "sleep", "infinity"])
        try:
            _ip("link", "set", "lo", "up")
            cable = Cable(far.pid)
            while os.readlink(f"/proc/{far.pid}/ns/net") == os.readlink("/proc/thread-self/ns/net"):
                os.sched_yield()  # it has not come to its own namespace yet
            _ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(far.pid))
            _ip("address", "add", f"{NEAR}/24", "dev", "near")
            _ip("link", "set", "near", "up")
            with cable.at_the_far_end():
                _ip("address", "add", f"{FAR}/24", "dev", "far")
                _ip("link", "set", "far", "up")
            yield cable
        finally:
            far.kill()
            far.wait()
            checked(libc.setns(before, _CLONE_NEWNET))
    finally:
        os.close(before)


def _network(process: str) -> int:
    return os.open(f"/proc/{process}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _ip(*words: str) -> None:
    run(program("ip"), *words)
