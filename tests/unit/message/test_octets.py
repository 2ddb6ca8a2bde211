"""Looking for octets in maps, also in those behind which there is nothing."""

import ctypes
import mmap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from postroad.message.header import HeaderBlock
from postroad.message.octets import find
from postroad.store.blobs.record import scan

Mapped = Callable[[bytes], mmap.mmap]


@pytest.fixture
def mapped() -> Iterator[Mapped]:
    """Map octets that fill their pages, with a page behind them that ends who reads it (SIGSEGV)."""
    with ExitStack() as cleanup:

        def at_the_edge(octets: bytes) -> mmap.mmap:
            assert len(octets) % mmap.PAGESIZE == 0
            guards = set()
            for _ in range(100):  # most maps lie right below the one that was made before
                guards.add(guard := _address(cleanup.enter_context(closing(mmap.mmap(-1, mmap.PAGESIZE)))))
                assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(guard), mmap.PAGESIZE, 0) == 0
                mine = cleanup.enter_context(closing(mmap.mmap(-1, len(octets))))
                if _address(mine) + len(octets) in guards:
                    mine[:] = octets
                    return mine
            pytest.skip("this kernel puts no map below another")

        yield at_the_edge


def _address(one: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(one))


@pytest.mark.parametrize("needle", [b"\n\n", b"\n\r\n", b"aax", b"x", b"a" * 16 + b"x"])
def test_a_look_for_what_is_not_there_ends_where_the_map_ends(mapped: Mapped, needle: bytes) -> None:
    octets = mapped(b"a" * mmap.PAGESIZE * 6)
    assert all(find(octets, needle, start, len(octets)) == -1 for start in range(40))


def test_a_message_without_an_empty_line_may_fill_its_map(mapped: Mapped) -> None:
    for pages in range(1, 4):
        octets = mapped(b"Subject: ".ljust(pages * mmap.PAGESIZE, b"a"))
        block = HeaderBlock.parse(octets)
        assert (block.body_start, block.count(b"subject")) == (len(octets), 1)


def test_a_pack_may_fill_its_map(mapped: Mapped) -> None:
    octets = mapped(b"a" * mmap.PAGESIZE)
    assert [record for start in range(40) for record in scan(octets, start)] == []


@pytest.mark.parametrize("at", [0, 1, 4094, 4095, 4096, 12_287, 12_288, 300_000, 700_001, 1_000_000])
def test_what_is_there_is_found_wherever_pieces_end(at: int) -> None:
    needle = b"\n\r\n"
    octets = b"a" * at + needle + b"a" * 50 + needle
    with mmap.mmap(-1, len(octets)) as region:
        region[:] = octets
        assert find(region, needle, 0, len(octets)) == at
        assert find(region, needle, at, at + 2) == -1
        assert find(region, needle, at + 1, len(octets)) == at + 53
        assert find(region, needle, at + 54, len(octets)) == -1
