"""Connections that the kernel has put where there are more than elsewhere go on to another worker.

It spreads them by chance (SO_REUSEPORT): of ten that stay, seven or more are at one of two workers in
one case of three, and that one has a core's work to do while another waits. So a worker with more than
another hands a new one on, before a word was said: its descriptor goes over a socket (unix(7), SCM_RIGHTS).

That costs as much as half a session of one message. Where many are over at once the next one mends what
chance has done to this one, so while connections come and go like that a few more here than there stay here.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

Way: TypeAlias = tuple[socket.socket, socket.socket]
"""Where a worker hears of a connection, and where it is told of one."""

BRIEF: Final = 1.0
"""Seconds: a connection that was over sooner came and went."""
MOMENT: Final = 1.0
"""Seconds in which MANY of these have to end, and after which the next is no longer taken to be like them."""
MANY: Final = 20
"""Somebody who looks whether a port answers, and then comes to stay, is none of them."""
A_FEW: Final = 4
"""How many more connections than another a worker keeps then."""
_OCTETS: Final = 16
"""A hand-over says the number of a listener."""


def ways_between(workers: int) -> list[Way]:
    """Make a way to each worker; none where there is but one. They outlive a worker that dies."""
    ways = []
    for _ in range(workers if workers > 1 else 0):
        way = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in way:
            end.setblocking(False)
        ways.append(way)
    return ways


class Balance:
    """One worker's part in it."""

    def __init__(
        self,
        own: socket.socket,
        others: Mapping[int, socket.socket],
        loads: Callable[[], Mapping[int, int]],
        index: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`own` hears what is handed to this worker (`index`), `others` are where others hear it.

        `loads` gives the open connections of each worker that lives and takes more, `clock` seconds.
        """
        self._own = own
        self._others = others
        self._loads = loads
        self._index = index
        self._clock = clock
        self._brief = 0
        self._counted_until = self._brief_until = float("-inf")
        self._sent: dict[int, tuple[int, int]] = {}
        """Of each worker: its load as it was last seen, and how many it was sent since."""

    def fileno(self) -> int:
        """For the loop's reader."""
        return self._own.fileno()

    def ended(self, seconds: float) -> None:
        """A connection of this worker is over, which it was open for so long."""
        if seconds >= BRIEF:
            return
        now = self._clock()
        if now >= self._counted_until:
            self._counted_until, self._brief = now + MOMENT, 0
        self._brief += 1
        if self._brief >= MANY:
            self._brief_until = now + MOMENT

    def hand_on(self, descriptor: Callable[[], int], listener: int) -> bool:
        """Give a new connection of a listener to a worker with fewer, if there is one; whether it went.

        The descriptor, which is asked for only then, is still the caller's to close.
        """
        loads = self._loads()
        load, worker = min((self._load(worker, loads), worker) for worker in loads)
        more = loads.get(self._index, 0) - load
        if worker not in self._others or more <= (A_FEW if self._clock() < self._brief_until else 0):
            return False
        try:
            socket.send_fds(self._others[worker], [b"%d" % listener], [descriptor()])
        except OSError:
            return False  # it is busy, or out of descriptors: then it stays
        self._sent[worker] = loads[worker], self._sent[worker][1] + 1
        return True

    def handed(self) -> Iterator[tuple[int, socket.socket]]:
        """What others have handed to this worker: the listener and the connection."""
        while True:
            try:
                said, descriptors, _, _ = socket.recv_fds(self._own, _OCTETS, 1, socket.MSG_CMSG_CLOEXEC)
            except OSError:
                return
            for descriptor in descriptors:
                yield int(said), socket.socket(fileno=descriptor)

    def _load(self, worker: int, loads: Mapping[int, int]) -> int:
        """What a worker has with what is on its way to it, which it counts only when it comes to it."""
        seen, sent = self._sent.get(worker, (-1, 0))
        if seen != loads[worker]:
            self._sent[worker] = loads[worker], 0
            sent = 0
        return loads[worker] + sent
