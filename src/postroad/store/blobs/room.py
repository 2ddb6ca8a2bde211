"""Room behind the end of a pack, so that few syncs have to change what is known of its file.

The file system writes down in a journal of its own how large a file is and
which of its blocks are in use, and a sync waits for that. A block that is only
allocated counts as changed once more when octets come into it. So there are
zeros where little mail will come next, and its sync brings those octets to the
disk and nothing else (on ext4 68 µs and not 122). Much mail is not worth
writing twice; it finds its blocks allocated, side by side.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LITTLE: Final = 64 * 1024
"""Octets up to which it costs less to write them twice than to have the file changed."""
ZEROED_AHEAD: Final = 256 * 1024
ALLOCATED_AHEAD: Final = 4 * 1024 * 1024
_BLOCK: Final = 4096
_ZEROS: Final = memoryview(bytes(ZEROED_AHEAD))


class Room:
    """What there is behind the end of one pack."""

    __slots__ = ("_allocated_to", "_fd", "_zeroed_to")

    def __init__(self, fd: int, end: int) -> None:
        self._fd = fd
        self._allocated_to = self._zeroed_to = end

    def allocate(self, end: int) -> None:
        """Before much is written up to `end`: have blocks for it and for more."""
        if end <= self._allocated_to:
            return
        start, self._allocated_to = self._allocated_to, end + ALLOCATED_AHEAD
        with _as_far_as_it_goes():
            os.posix_fallocate(self._fd, start, self._allocated_to - start)

    def write_zeros(self, end: int) -> None:
        """When little was written up to `end`: have written blocks for what comes next."""
        if end <= self._zeroed_to:
            return
        self._zeroed_to = end - end % _BLOCK + ZEROED_AHEAD
        self._allocated_to = max(self._allocated_to, self._zeroed_to)
        with _as_far_as_it_goes():
            os.pwrite(self._fd, _ZEROS[: self._zeroed_to - end], end)


@contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    """Do without what there is no space for, or no way: mail that is written has its own errors."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EOPNOTSUPP, errno.EINVAL, errno.EDQUOT, errno.EFBIG):
            raise
