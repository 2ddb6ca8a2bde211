"""A message on its way in: in memory while small, in an unlinked file when not."""

import errno
import mmap
import os
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Final

from postroad.model.octets import Body, Octets
from postroad.model.refusal import NoSpace, Unavailable

IN_MEMORY: Final = 256 * 1024
"""Octets kept in memory before a file is used."""
PIECE: Final = 64 * 1024
"""Octets written at a time: chunks come by the kilobyte, and each writing asks how full the disk is."""


class Spool:
    """Collects the chunks of one message, or of several, in bounded memory.

    The file has no name, so nothing is left behind by a crash. It lies in the
    data directory, because a full /tmp must not refuse mail.
    """

    __slots__ = ("_chunks", "_fd", "_folder", "_map", "_reserve", "_unwritten", "size")

    def __init__(self, folder: Path, reserve: int = 0) -> None:
        """`reserve` octets of the disk stay free: a store that cannot write cannot delete either."""
        self._folder = folder
        self._reserve = reserve
        self._chunks: list[bytes] = []
        self._fd = -1
        self._map: mmap.mmap | None = None
        self._unwritten = 0
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Add a chunk.

        Raises:
            Unavailable: the disk is full or failing; the spool is of no more use.
        """
        self._chunks.append(chunk)
        self.size += len(chunk)
        self._unwritten += len(chunk)
        if self._unwritten > (IN_MEMORY if self._fd < 0 else PIECE):
            self._spill()

    def finish(self) -> Octets:
        """Give the whole message; it outlives `close` where it is still held on to.

        Raises:
            Unavailable: as for `write`.
        """
        if self._fd < 0:
            if len(self._chunks) != 1:
                self._chunks = [b"".join(self._chunks)]
            return self._chunks[0]
        if self._chunks:
            self._spill()
        if self._map is None:
            self._map = mmap.mmap(self._fd, self.size, prot=mmap.PROT_READ)
        return self._map

    def parts(self, sizes: Sequence[int]) -> list[Body]:
        """Give the messages of these sizes that were written one behind the other."""
        whole = self.finish()
        if len(sizes) == 1:
            return [whole]
        # Slices of a map would be copies, and all of them in memory at once.
        octets = whole if isinstance(whole, bytes) else memoryview(whole)
        ends = list(accumulate(sizes))
        return [octets[end - size : end] for end, size in zip(ends, sizes, strict=True)]

    def close(self) -> None:
        """Drop everything; may be called again."""
        self._chunks = []
        # The map goes with its last user: a session that was cancelled closes its spool while
        # a thread still digests the octets, or the group with them still waits to be written.
        self._map = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _spill(self) -> None:
        try:
            if self._fd < 0:
                self._fd = _nameless(self._folder)
            # Asked as each piece comes: many messages on their way see the same room when they begin.
            status = os.fstatvfs(self._fd)
            if status.f_bavail * status.f_frsize < self._reserve:
                raise NoSpace("disk nearly full")
            data = memoryview(b"".join(self._chunks))
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise (NoSpace("disk full") if full else Unavailable(f"spool: {error}")) from error
        self._chunks = []
        self._unwritten = 0


def _nameless(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
    fd, name = tempfile.mkstemp(dir=folder)
    os.unlink(name)
    return fd
