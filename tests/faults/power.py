"""A disk whose power can be cut: ext4 on a loop device, in mounts of the test's own. Needs root."""

import ctypes
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.interop.processes import program, run, until

_CLONE_NEWNS: Final = 0x00020000
_EXT4_IOC_SHUTDOWN: Final = 0x8004587D
_NO_LOG_FLUSH: Final = 2
"""Not even the journal that is in memory is written: what was not synced is gone."""

libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def own_mounts() -> Iterator[None]:
    """What is mounted within is seen by this thread and its children only, and ends with it."""
    before = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        checked(libc.unshare(_CLONE_NEWNS))
        try:
            run(program("mount"), "--make-rprivate", "/")
            yield
        finally:
            checked(libc.setns(before, _CLONE_NEWNS))
            os.fchdir(here)  # setns(2) has made the root our directory
    finally:
        os.close(here)
        os.close(before)


class Disk:
    """One ext4, in a file beside the folder where it is mounted."""

    def __init__(self, folder: Path, *, megabytes: int = 1024) -> None:
        self.folder = folder
        self._image = folder.with_name(f"{folder.name}.ext4")
        folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(megabytes * 1024 * 1024)
        run(program("mkfs.ext4"), "-q", "-F", self._image)

    def mount(self) -> None:
        """Mount it; the journal is replayed as after any power cut."""
        run(program("mount"), "-o", "loop", self._image, self.folder)

    def cut(self) -> float:
        """Drop all that is not on the disk, for good; give the (monotonic) time just before that began."""
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            began = time.monotonic()
            fcntl.ioctl(fd, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)
        return began

    def unmount(self) -> None:
        """Unmount it, once those who used it are gone."""
        until(self._unmounted, f"{self.folder} to be unmounted")

    def mend(self) -> None:
        """Let fsck look at it: a journal to replay is no damage, anything else is."""
        run(program("fsck.ext4"), "-p", self._image)
        run(program("fsck.ext4"), "-f", "-n", self._image)

    def _unmounted(self) -> bool:
        said = run(program("umount"), self.folder, expect=(0, 32))
        assert "busy" in said or not said, said
        return not said


def checked(result: int) -> None:
    """Raise what the C library has left in errno, unless it says that all is well."""
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
