"""Octets that are not what was filed: never served, and named by whoever looks (SAFETY A14)."""

import asyncio
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from postroad.net.clock import SystemClock
from postroad.store.account import Account
from postroad.store.blobs.proof import Proof, is_as_filed
from postroad.store.blobs.record import BLOB_LINE, blob_line
from postroad.store.errors import Damaged
from postroad.store.messages import StoredMessage
from postroad.store.scrub import Scrub
from postroad.store.store import PACKS, Store
from tests.unit.store.conftest import Desk, message

PIECE = 256 * 1024


def flip(data: Path, octets: bytes, at: int = 0) -> None:
    """Change one bit of a message in its pack."""
    [pack] = (data / PACKS).glob("*.pack")
    place = pack.read_bytes().index(octets) + at
    with pack.open("r+b") as file:
        file.seek(place)
        changed = file.read(1)[0] ^ 1 << random.Random(at).randrange(8)
        file.seek(place)
        file.write(bytes([changed]))


def whole(stored: StoredMessage) -> bytes:
    return stored.read(0, stored.size)


def in_pieces(stored: StoredMessage) -> bytes:
    return b"".join(stored.read(at, at + PIECE) for at in range(0, stored.size, PIECE))


def header(stored: StoredMessage) -> bytes:
    return stored.header()


def last_line(stored: StoredMessage) -> bytes:
    return stored.read(stored.size - 10, stored.size)


@pytest.mark.parametrize(
    ("size", "read"),
    [
        *((100, read) for read in (whole, in_pieces, header, last_line)),
        *((60_000, read) for read in (whole, in_pieces, header, last_line)),
        *((2_000_000, read) for read in (whole, in_pieces)),
    ],
)
def test_a_message_with_one_wrong_bit_is_not_given(
    desk: Desk, size: int, read: Callable[[StoredMessage], bytes]
) -> None:
    async def damaged(account: Account) -> None:
        await account.append(1, [message(1, b"x" * size)])
        stored = account.open(account.entries(1, [(1, 1)])[0].message_id)
        flip(desk.data, b"x" * size, size - 7)
        with pytest.raises(Damaged, match="does not match its digest"):
            read(stored)

    desk.run(damaged)


def test_a_message_that_is_whole_is_given_however_it_is_read(desk: Desk) -> None:
    async def read(account: Account) -> None:
        for number, size in enumerate((0, 100, 60_000, 65_536, 300_000, 2_000_000), 1):
            await account.append(1, [message(number, b"y" * size)])
            stored = account.open(account.entries(1, [(number, number)])[0].message_id)
            for _ in range(2):
                assert in_pieces(stored) == whole(stored)
                assert whole(stored).endswith(b"y" * size)
                assert last_line(stored) == whole(stored)[-10:]

    desk.run(read)


def test_what_nobody_reads_is_looked_at_all_the_same(desk: Desk) -> None:
    async def fill(account: Account) -> None:
        await account.append(1, [message(n, b"%d" % n * 500) for n in range(1, 6)])

    async def look() -> list[int]:
        store = Store(desk.data, SystemClock(), name="w0")
        scrub = Scrub(store.database, desk.data / PACKS)
        try:
            return [await scrub.some(octets) for octets in (1000, 10_000_000, 10_000_000)]
        finally:
            await store.close()

    desk.run(fill)
    flip(desk.data, b"3" * 500)
    with capture_logs() as logs:
        counts = asyncio.run(look())
    assert counts == [5, 0, 5]  # to the end, and from the beginning again
    found = [line for line in logs if line["event"] == "store.damaged"]
    assert len(found) == 2
    assert found[0]["what"].endswith("does not match its digest; account 1, INBOX, UID 3")


@pytest.mark.parametrize("size", [500, 300_000])
@pytest.mark.parametrize("word", [b" crc32=", b" sha256=", b"postroad/1 blob"])
def test_a_message_is_given_where_only_the_line_before_it_has_rotted(
    desk: Desk, word: bytes, size: int
) -> None:
    async def read(account: Account) -> None:
        await account.append(1, [message(1, b"z" * size)])
        flip(desk.data, word, len(word) + 1)
        for give in (in_pieces, whole):
            stored = account.open(account.entries(1, [(1, 1)])[0].message_id)
            assert give(stored).endswith(b"z" * size)
            assert stored.intact()

    desk.run(read)


_BODY = b"one and one is two\r\n"
_DIGEST = hashlib.sha256(_BODY).digest()


def test_the_crc_in_the_line_before_a_message_is_enough() -> None:
    proof = Proof(b"what came before\n" + blob_line(_BODY, _DIGEST, 1_700_000_000.0), _DIGEST)
    assert proof.by_crc
    proof.add(_BODY[:7])
    assert not proof.holds()
    proof.add(_BODY[7:])
    assert proof.holds()


def test_a_line_that_does_not_speak_for_a_message_leaves_it_to_the_digest() -> None:
    line = blob_line(_BODY, _DIGEST, 1_700_000_000.0)
    of_another = blob_line(_BODY, bytes(32), 1_700_000_000.0)
    as_it_was_once_written = line[: line.index(b" crc32=")] + b"\n"
    for before in (of_another, as_it_was_once_written, line[-12:], b""):
        assert not Proof(before, _DIGEST).by_crc
        assert is_as_filed(_BODY, _DIGEST, before)
        assert not is_as_filed(_BODY.replace(b"two", b"ten"), _DIGEST, before)
    assert is_as_filed(_BODY, _DIGEST, line.replace(b"crc32=", b"crc32=x"))  # the line has rotted
    assert not is_as_filed(_BODY.replace(b"two", b"ten"), _DIGEST, line)


def test_the_longest_line_before_a_message_is_read_whole() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 10**10 - 1

    assert len(blob_line(Huge(), bytes(32), 9_999_999_999.0)) <= BLOB_LINE
