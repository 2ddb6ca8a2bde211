"""Trouble with the disk, as the services are told of it."""

import errno
from typing import Final

import apsw

from postroad.model.refusal import NoSpace, Unavailable

INDEX: Final = (apsw.FullError, apsw.IOError, apsw.CorruptError)
"""What the file of the index fails with. One that lost pages looks corrupt before it looks failed."""

DISK: Final = (OSError, *INDEX)
"""What a write fails with, to the index or to a pack."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def as_unavailable(error: BaseException) -> Unavailable:
    """What waiters are told."""
    full = isinstance(error, apsw.FullError) or getattr(error, "errno", 0) in _FULL
    return NoSpace("disk full") if full else Unavailable(f"storage: {error}")
