"""Large pieces of memory go back to the kernel (glibc)."""

import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes
from postroad.net.heap import LARGE, keep_large_pieces_apart
if {apart}:
    keep_large_pieces_apart()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(16 * 1024 * 1024))  # as a password hash does
piece = libc.malloc(LARGE)
heap = next((line for line in open("/proc/self/maps") if line.endswith("[heap]\\n")), "0-0 ")
start, end = (int(x, 16) for x in heap.split(" ")[0].split("-"))
print(start <= piece < end)
"""


@pytest.mark.skipif("gnu" not in str(sys.implementation), reason="tells glibc")
@pytest.mark.parametrize("apart", [True, False])
def test_what_was_freed_before_does_not_matter(apart: bool) -> None:
    program = _PROGRAM.format(apart=apart)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout.strip() == str(not apart)
