"""Hints between workers: a Unix datagram socket each, in one directory.

A message on the bus says "look again"; the database is the truth. A lost
datagram costs latency and nothing else, so a dead socket is skipped; what
finds no room in a full one is sent later, and what nobody there waits for
(`db.wanted`) not at all.
"""

import os
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import Final

from postroad.db.wanted import SUFFIX, Wanted, look_at, place_of

_MOST: Final = 250  # topics in a datagram; far below the kernel's limit in octets
_OCTETS: Final = 64 * 1024
_SETTLED: Final = 1_000_000_000
"""Nanoseconds after which a change of a directory cannot have the time of the one before any more."""


class Bus:
    """One worker's ear and its voice to the others."""

    def __init__(self, directory: Path, name: str | None) -> None:
        """`name` is this worker's socket; None for one that only speaks (the command line)."""
        directory.mkdir(parents=True, exist_ok=True)
        # Paths of Unix sockets end at 108 octets; /proc/self/fd makes any directory short.
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._name = name
        self._unsaid: dict[str, None] = {}
        self._owed: dict[str, dict[str, None]] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._others: dict[str, mmap | None] = {}
        self._listed = -1
        """When the directory had last changed when it was read; below zero when it has to be read again."""
        self._wanted: Wanted | None = None
        if name is not None:
            self._wanted = self._make_wanted(name)
            self._unlink(name)
            self._socket.bind(self._path(name))

    def listen(self, topic: str) -> None:
        """Somebody here waits for a topic; said once more for each who does."""
        if self._wanted is not None:
            self._wanted.add(topic)

    def ignore(self, topic: str) -> None:
        """One less waits for it."""
        if self._wanted is not None:
            self._wanted.remove(topic)

    def fileno(self) -> int:
        """For the loop's reader."""
        return self._socket.fileno()

    def send(self, topics: Iterable[str]) -> bool:
        """Tell every other worker what it waits for; False when some is still owed: call again, soon.

        A kernel may keep as few as ten datagrams for one that is busy
        (`net.unix.max_dgram_qlen`), so what did not fit is not forgotten.
        """
        self._unsaid.update(dict.fromkeys(topics))
        if not self._unsaid and not self._owed:
            return True
        try:
            self._look_around()
        except OSError:
            return False  # out of descriptors
        places = [(topic, place_of(topic)) for topic in self._unsaid]
        owed, self._owed = self._owed, {}
        for name, wanted in self._others.items():
            topics = [topic for topic, place in places if wanted is None or wanted[place]]
            if name in owed:
                topics = [*owed[name], *topics]
            if topics and (left := self._send_to(name, topics)):
                self._owed[name] = dict.fromkeys(left)
        self._unsaid = {}
        return not self._owed

    def _look_around(self) -> None:
        """See who else is there, when that may be others than before."""
        changed = os.fstat(self._directory).st_mtime_ns
        if changed == self._listed:
            return
        self._forget_others()
        names = os.listdir(self._directory)
        ears = [name for name in names if name != self._name and not name.endswith(SUFFIX)]
        self._others = {name: look_at(self._directory, name) for name in ears}
        if abs(time.time_ns() - changed) > _SETTLED:
            self._listed = changed

    def _forget_others(self) -> None:
        self._listed = -1
        for wanted in self._others.values():
            if wanted is not None:
                wanted.close()
        self._others = {}

    def _make_wanted(self, name: str) -> Wanted | None:
        try:
            return Wanted(self._directory, name)
        except OSError:  # the disk is full: without the file everything is heard
            self._unlink(name + SUFFIX)
            return None

    def _send_to(self, name: str, topics: list[str]) -> list[str]:
        """Send as much as there is room for; give the rest."""
        path = self._path(name)
        for start in range(0, len(topics), _MOST):
            try:
                self._socket.sendto("\n".join(topics[start : start + _MOST]).encode(), path)
            except (ConnectionRefusedError, FileNotFoundError):
                return []  # its worker is gone, and the next one of that name looks for itself
            except OSError:
                return topics[start:]
        return []

    def receive(self) -> list[str]:
        """All topics that have arrived; empty when none have."""
        topics: dict[str, None] = {}
        while True:
            try:
                data = self._socket.recv(_OCTETS)
            except OSError:
                return list(topics)
            topics.update(dict.fromkeys(data.decode(errors="replace").split("\n")))

    def close(self) -> None:
        """Leave the bus."""
        self._socket.close()
        self._forget_others()
        if self._wanted is not None:
            self._wanted.close()
            self._wanted = None
        if self._name is not None:
            self._unlink(self._name)
        os.close(self._directory)

    def _path(self, name: str) -> str:
        return f"/proc/self/fd/{self._directory}/{name}"

    def _unlink(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._directory)
