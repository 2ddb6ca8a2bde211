"""Numbers that all workers share: a mapped file in which each worker writes its own region.

No locks: a region has one writer, everybody adds up all regions. A region
counts while the process that wrote it lives, so a killed worker's connections
are forgotten without anybody tidying up; its successor clears the region.

A region is a head and a table of slots, one for each address (or account)
that has something to count. The table has a fixed size, and a key may lie
only in a few places in it, so neither memory nor time grow under attack; the
places follow from a keyed digest, so an attacker cannot aim at them.
"""

import mmap
import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from typing import Final

_KEY_SIZE: Final = 32
_FILE_HEAD: Final = 64
_SLOTS: Final = 16 * 1024
_WINDOW: Final = 16
"""Places that a key may have, side by side."""
_WORDS: Final = 8
"""64-bit words of a slot, a line of the processor's cache."""
_HEAD_WORDS: Final = 8
_REGION_WORDS: Final = _HEAD_WORDS + (_SLOTS + _WINDOW) * _WORDS
_REGION: Final = _REGION_WORDS * 8
_MASK: Final = 2**64 - 1

_PID, _OPEN, _WAITING, _LEAVING = range(4)
"""Words of a region's head."""
_WAITING_OF, _TOTAL, _PERIOD, _NOW, _BEFORE, _USED = range(1, 7)
"""Words of a slot behind its key: two counts; events in a period and the one before; second of last use."""


def create(path: Path, workers: int) -> None:
    """Make the file for so many workers, empty; done once, before they start."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(token_bytes(_KEY_SIZE))
        # Room is taken now: a mapped page that finds the disk full later would kill its worker.
        os.posix_fallocate(file.fileno(), 0, _FILE_HEAD + workers * _REGION)
    new.replace(path)


@lru_cache(maxsize=1024)  # asked for each recipient of a peer
def _digest(secret: bytes, key: str) -> int:
    return int.from_bytes(blake2b(key.encode(errors="replace"), key=secret, digest_size=8).digest()) or 1


class CountsFile:
    """The file as one worker sees it: its own region to write, all to read."""

    def __init__(self, path: Path, worker: int) -> None:
        """Take over the region of `worker` (0, 1, …) and clear it."""
        with path.open("r+b") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0))
        self._key = bytes(mapped[:_KEY_SIZE])
        self._words = mapped[_FILE_HEAD:].cast("Q")
        self._regions = len(self._words) // _REGION_WORDS
        self._pids_at = float("-inf")
        self._alive: list[int] = []
        self._own = worker * _REGION_WORDS
        self._words[self._own : self._own + _REGION_WORDS] = memoryview(bytes(_REGION)).cast("Q")
        self._words[self._own + _PID] = os.getpid()

    def close(self) -> None:
        """Give up the region. What transports that close later still take off goes to a copy."""
        self._words[self._own + _PID] = 0
        self._words = memoryview(bytearray(self._words)).cast("Q")

    def digest(self, key: str) -> int:
        """Return what stands for a key in this file; never 0."""
        return _digest(self._key, key)

    def look(self, now: float) -> None:
        """Find out which workers live, at most once a second of the given clock."""
        if now - self._pids_at < 1.0:
            return
        self._pids_at = now
        self._alive = [
            base
            for base in range(0, self._regions * _REGION_WORDS, _REGION_WORDS)
            if base == self._own or _lives(self._words[base + _PID])
        ]

    def totals(self) -> tuple[int, int]:
        """Open connections, and those that wait for a log-in, over all workers."""
        words, opened, waiting = self._words, 0, 0
        for base in self._alive:
            opened += words[base + _OPEN]
            waiting += words[base + _WAITING]
        return opened, waiting

    def leave(self) -> None:
        """This worker takes no more connections; those that it has count on."""
        self._words[self._own + _LEAVING] = 1

    def open_by_worker(self) -> dict[int, int]:
        """Open connections of this worker, and of each other that lives and is not about to leave."""
        return {
            base // _REGION_WORDS: self._words[base + _OPEN]
            for base in self._alive
            if base == self._own or not self._words[base + _LEAVING]
        }

    def add_totals(self, opened: int, waiting: int) -> None:
        """Change this worker's totals."""
        self._words[self._own + _OPEN] += opened
        self._words[self._own + _WAITING] += waiting

    def sums(self, digest: int) -> tuple[int, int]:
        """Waiting and total of a key over all workers."""
        waiting = total = 0
        for slot in self._slots_of(digest):
            waiting += self._words[slot + _WAITING_OF]
            total += self._words[slot + _TOTAL]
        return waiting, total

    def rate(self, digest: int, now: float, period: float) -> float:
        """Events of a key in the last `period` seconds over all workers, by two adjoining periods."""
        number, fraction = divmod(now, period)
        current = before = 0
        for slot in self._slots_of(digest):
            behind = int(number) - self._words[slot + _PERIOD]
            if behind == 0:
                current += self._words[slot + _NOW]
                before += self._words[slot + _BEFORE]
            elif behind == 1:
                before += self._words[slot + _NOW]
        return current + before * (1 - fraction / period)

    def add(self, digest: int, waiting: int, total: int, now: float) -> bool:
        """Change this worker's counts of a key; False when the table has no room for the key.

        A key whose total is above 0 keeps its room, so what was added can be taken off.
        """
        slot = self._own_slot(digest, now)
        if slot is None:
            return False
        self._words[slot + _WAITING_OF] += waiting
        self._words[slot + _TOTAL] += total
        return True

    def count(self, digest: int, now: float, period: float) -> None:
        """Count an event of a key for `rate`."""
        slot = self._own_slot(digest, now)
        if slot is None:
            return
        words, number = self._words, int(now // period)
        behind = number - words[slot + _PERIOD]
        if behind:
            words[slot + _BEFORE] = words[slot + _NOW] if behind == 1 else 0
            words[slot + _NOW] = 0
            words[slot + _PERIOD] = number
        words[slot + _NOW] += 1

    def _slots_of(self, digest: int) -> Iterator[int]:
        place = _HEAD_WORDS + digest % _SLOTS * _WORDS
        for base in self._alive:
            first = base + place
            keys = self._words[first : first + _WINDOW * _WORDS : _WORDS].tolist()
            if digest in keys:
                yield first + keys.index(digest) * _WORDS

    def _own_slot(self, digest: int, now: float) -> int | None:
        """The slot of a key in this worker's region; a new key takes the place that was idle longest."""
        words = self._words
        first = self._own + _HEAD_WORDS + digest % _SLOTS * _WORDS
        idle: int | None = None
        for slot in range(first, first + _WINDOW * _WORDS, _WORDS):
            if words[slot] == digest:
                words[slot + _USED] = int(now)
                return slot
            if not words[slot + _TOTAL] and (idle is None or words[slot + _USED] < words[idle + _USED]):
                idle = slot
        if idle is not None:
            for word in range(_WORDS):
                words[idle + word] = 0
            words[idle + _USED] = int(now)
            words[idle] = digest
        return idle


def _lives(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
