"""Whether there is disk for one more message.

Mail is refused while a full disk is still ahead: a store that cannot write
cannot delete either, and its users could not make room.
"""

import os
from pathlib import Path

from postroad.config.limits import Limits
from postroad.model.clock import Clock
from postroad.model.refusal import NoSpace


class Space:
    """The free space where mail is kept, looked up at most once a second."""

    def __init__(self, folder: Path, limits: Limits, clock: Clock) -> None:
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._free = 0
        self._looked = float("-inf")

    def free(self) -> int:
        """Octets that are free for us, as of the last second."""
        now = self._clock.monotonic()
        if now - self._looked >= 1.0:
            status = os.statvfs(self._folder)
            self._free = status.f_bavail * status.f_frsize
            self._looked = now
        return self._free

    def has_room(self, size: int | None = None) -> bool:
        """Whether a message of `size` octets may come in; None when it did not say."""
        # The message is written once, and index and log of the database grow with it.
        needed = 1.5 * (self._limits.message_size if size is None else size)
        return self.free() >= max(self._limits.free_space, needed)

    def check(self, size: int | None = None) -> None:
        """Raise NoSpace when there is no room."""
        if not self.has_room(size):
            raise NoSpace("not enough disk space", retry_after=300.0)
