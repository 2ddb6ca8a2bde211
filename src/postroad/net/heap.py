"""How the C library hands out large pieces of memory, where it can be told (glibc)."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # malloc.h
LARGE: Final = 256 * 1024
"""Octets from which a piece is mapped by itself. The buffer of a TLS connection in uvloop has as many."""


def keep_large_pieces_apart() -> None:
    """Have large pieces come fresh from the kernel, and go back to it when they are freed.

    Left alone, glibc takes them from the heap once it has seen one freed that
    was larger still, as the first password hash does. A TLS connection that uses
    a page of its buffer then holds what others have written to before: 63 KiB
    when idle instead of 30.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
    except (AttributeError, OSError):
        pass  # another C library, which has ways of its own
