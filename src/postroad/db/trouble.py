"""Trouble with the disk, as the services are told of it."""

import errno
from typing import Final

import apsw

from postroad.model.refusal import NoSpace, Unavailable

DISK: Final = (OSError, apsw.FullError, apsw.IOError, apsw.CorruptError)
"""What a read or a write fails with. A file that lost pages under us looks corrupt before it looks failed."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def as_unavailable(error: BaseException) -> Unavailable:
    """What waiters are told."""
    full = isinstance(error, apsw.FullError) or getattr(error, "errno", 0) in _FULL
    return NoSpace("disk full") if full else Unavailable(f"storage: {error}")
