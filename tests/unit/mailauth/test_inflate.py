"""What others compressed is inflated in steps (SAFETY C14)."""

import random
import tracemalloc

import pytest

from postroad.mailauth.inflate import MOST, BadReport, gunzip, gzip


@pytest.mark.parametrize("members", [1, 2])
def test_what_takes_several_steps_is_whole(members: int) -> None:
    plain = b"".join(random.Random(at).randbytes(200) + b"y" * 8000 for at in range(400))
    assert gunzip(gzip(plain) * members + b"\0\0") == plain * members


def test_too_much_is_in_memory_once() -> None:
    bomb = gzip(bytes(2 * MOST))
    tracemalloc.start()
    try:
        with pytest.raises(BadReport, match="more than"):
            gunzip(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1.3 * MOST
    finally:
        tracemalloc.stop()
