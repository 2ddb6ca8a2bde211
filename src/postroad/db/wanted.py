"""Which topics somebody waits for at an ear of the bus: a mapped file beside its socket.

A hint costs the worker that hears it more than the one that gives it: it has
to wake up. Most hints are about accounts of which nobody waits for news, so
who gives one looks here first. An octet stands for all topics that share it;
one that is set for nothing costs a datagram.
"""

import mmap
import os
from typing import Final
from zlib import crc32

SUFFIX: Final = ".wanted"
_OCTETS: Final = 32 * 1024  # a power of two, several times as many as a worker has sessions


def place_of(topic: str) -> int:
    """Which octet stands for a topic."""
    return crc32(topic.encode()) & (_OCTETS - 1)


class Wanted:
    """The file as its worker sees it."""

    def __init__(self, directory: int, name: str) -> None:
        """Make the file, or clear that of a predecessor, which others may have mapped.

        Raises:
            OSError: there is no room for it.
        """
        fd = os.open(name + SUFFIX, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=directory)
        try:
            # Room is taken now: a mapped page that finds the disk full later would kill its worker.
            os.posix_fallocate(fd, 0, _OCTETS)
            self._map = mmap.mmap(fd, _OCTETS)
        finally:
            os.close(fd)
        self._map[:] = bytes(_OCTETS)
        self._counts: dict[int, int] = {}

    def add(self, topic: str) -> None:
        """Somebody waits for a topic from now on; to be said before the look at what is there already."""
        place = place_of(topic)
        self._counts[place] = self._counts.get(place, 0) + 1
        self._map[place] = 1

    def remove(self, topic: str) -> None:
        """One less waits for it."""
        place = place_of(topic)
        self._counts[place] -= 1
        if not self._counts[place]:
            del self._counts[place]
            self._map[place] = 0

    def close(self) -> None:
        """Unmap it."""
        self._map.close()


def look_at(directory: int, name: str) -> mmap.mmap | None:
    """The file of another worker; None where it has none, or not for us: then it wants everything."""
    try:
        fd = os.open(name + SUFFIX, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
        try:
            return mmap.mmap(fd, _OCTETS, prot=mmap.PROT_READ)
        finally:
            os.close(fd)
    except (OSError, ValueError):  # ValueError: it is shorter, just being made
        return None
