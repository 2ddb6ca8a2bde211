"""Giving the octets of freed messages back to the file system (fallocate(2))."""

import ctypes
import errno
import os
from pathlib import Path
from typing import Final

from postroad.store.blobs.pack import pack_path

_KEEP_SIZE: Final = 0x01
_PUNCH_HOLE: Final = 0x02

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_longlong, ctypes.c_longlong]


def punch(folder: Path, pack: int, offset: int, length: int) -> bool:
    """Free a region of a pack; the file keeps its size and reads zeros there.

    Gives False where the file system cannot do it: the room is then not got back.
    """
    if not length:
        return True  # fallocate(2) calls an empty region a mistake, and a message may be empty
    try:
        fd = os.open(pack_path(folder, pack), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        if _libc.fallocate(fd, _PUNCH_HOLE | _KEEP_SIZE, offset, length) == 0:
            return True
        code = ctypes.get_errno()
        if code in (errno.EOPNOTSUPP, errno.ENOSYS):
            return False
        raise OSError(code, os.strerror(code))
    finally:
        os.close(fd)
