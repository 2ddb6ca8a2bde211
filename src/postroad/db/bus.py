"""Hints between workers: a Unix datagram socket each, in one directory.

A message on the bus says "look again"; the database is the truth. A lost
datagram costs latency and nothing else, so a dead socket is skipped; what
finds no room in a full one is sent later.
"""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MOST: Final = 250  # topics in a datagram; far below the kernel's limit in octets
_OCTETS: Final = 64 * 1024


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
        if name is not None:
            self._unlink(name)
            self._socket.bind(self._path(name))

    def fileno(self) -> int:
        """For the loop's reader."""
        return self._socket.fileno()

    def send(self, topics: Iterable[str]) -> bool:
        """Tell every other worker; False when some of it is still owed: call again, soon.

        A kernel may keep as few as ten datagrams for one that is busy
        (`net.unix.max_dgram_qlen`), so what did not fit is not forgotten.
        """
        self._unsaid.update(dict.fromkeys(topics))
        if not self._unsaid and not self._owed:
            return True
        try:
            names = [name for name in os.listdir(self._directory) if name != self._name]
        except OSError:
            return False  # out of descriptors
        owed, self._owed = self._owed, {}
        for name in names:
            left = self._send_to(name, [*owed.get(name, ()), *self._unsaid])
            if left:
                self._owed[name] = dict.fromkeys(left)
        self._unsaid = {}
        return not self._owed

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
        if self._name is not None:
            self._unlink(self._name)
        os.close(self._directory)

    def _path(self, name: str) -> str:
        return f"/proc/self/fd/{self._directory}/{name}"

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._directory)
        except FileNotFoundError:
            pass
