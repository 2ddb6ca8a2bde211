"""Hints between workers: a Unix datagram socket each, in one directory.

A message on the bus says "look again"; the database is the truth. A lost
datagram costs latency and nothing else, so a full or dead socket is skipped.
"""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MOST: Final = 16 * 1024  # octets in a datagram; far below the kernel's limit


class Bus:
    """One worker's ear and its voice to the others."""

    def __init__(self, directory: Path, name: str | None) -> None:
        """`name` is this worker's socket; None for one that only speaks (the command line)."""
        directory.mkdir(parents=True, exist_ok=True)
        # Paths of Unix sockets end at 108 octets; /proc/self/fd makes any directory short.
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        if name is not None:
            self._unlink(name)
            self._socket.bind(self._path(name))

    def fileno(self) -> int:
        """For the loop's reader."""
        return self._socket.fileno()

    def send(self, topics: Iterable[str]) -> None:
        """Tell every other worker."""
        data = "\n".join(topics).encode()
        if not data:
            return
        for name in os.listdir(self._directory):
            if name == self._name:
                continue
            for start in range(0, len(data), _MOST):
                try:
                    self._socket.sendto(data[start : start + _MOST], self._path(name))
                except (ConnectionRefusedError, FileNotFoundError):
                    self._unlink(name)  # its worker was killed
                except OSError:
                    pass  # its buffer is full: it will look by itself

    def receive(self) -> list[str]:
        """All topics that have arrived; empty when none have."""
        topics: dict[str, None] = {}
        while True:
            try:
                data = self._socket.recv(2 * _MOST)
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
