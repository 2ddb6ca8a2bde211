"""COMPRESS=DEFLATE (RFC 4978)."""

import os
import zlib

import pytest

from postroad.imap.wire.core import ImapServerCore
from postroad.net.connection import READ_HIGH_WATER
from tests.unit.imap.deflated import Deflated, deflated_client
from tests.unit.imap.world import Server, World, message


def bomb(mebibytes: int) -> bytes:
    """A stream that is inflated to so many MiB of spaces."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packed.compress(b" " * (1 << 20)) + packed.flush(zlib.Z_FULL_FLUSH)
    return block * mebibytes  # a full flush makes each block stand for itself


def resident() -> int:
    """Octets of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_messages_pass_both_ways(world: World) -> None:
    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            large = message(body="0123456789abcdef\r\n" * 50_000)
            small = message("small")
            assert (await client.append(large)).startswith(b"OK")
            assert (await client.append(small)).startswith(b"OK")
            await client.ok(b"SELECT INBOX")
            first, second = await client.ok(b"FETCH 1:2 BODY.PEEK[]")
            assert first == b"1 FETCH (BODY[] {%d}\r\n%b)" % (len(large), large)
            assert second == b"2 FETCH (BODY[] {%d}\r\n%b)" % (len(small), small)

    world.run(work)


def test_it_is_not_offered_again_and_not_begun_again(world: World) -> None:
    async def work(server: Server) -> None:
        async with server.client() as client:
            assert b"COMPRESS=DEFLATE" in (await client.ok(b"CAPABILITY"))[0].split()
        async with deflated_client(server) as client:
            words = (await client.ok(b"CAPABILITY"))[0].split()
            assert b"COMPRESS=DEFLATE" not in words
            assert b"UNAUTHENTICATE" in words
            refused = (await client.do(b"COMPRESS DEFLATE"))[-1]
            assert refused == b"BAD [COMPRESSIONACTIVE] DEFLATE is on already"
            await client.ok(b"NOOP")

    world.run(work)


def test_a_pipeline_octet_by_octet(world: World) -> None:
    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            wire = client.deflated(b"a NOOP\r\nb SELECT INBOX\r\nc NOOP\r\n")
            for at in range(len(wire)):
                await client.send_raw(wire[at : at + 1])
            said = await client.until(b"c")
            assert [line[:4] for line in said if not line.startswith(b"*")] == [b"a OK", b"b OK", b"c OK"]

    world.run(work)


def test_what_is_sent_with_the_command_counts_as_compressed(world: World) -> None:
    async def work(server: Server) -> None:
        async with server.client() as client:
            packed = zlib.compressobj(9, zlib.DEFLATED, -15)
            wire = packed.compress(b"b NOOP\r\n") + packed.flush(zlib.Z_SYNC_FLUSH)
            await client.send(b"a COMPRESS DEFLATE\r\n" + wire)
            assert await client.line() == b"a OK DEFLATE from here on"
            assert await Deflated(client).line() == b"b OK done"

    world.run(work)


def test_idle(world: World) -> None:
    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            await client.ok(b"SELECT INBOX")
            await client.send(b"a IDLE\r\n")
            assert (await client.line()).startswith(b"+ ")
            await server.inbox(message())
            assert [await client.line(), await client.line()] == [b"* 1 EXISTS", b"* 1 RECENT"]
            await client.send(b"DONE\r\n")
            assert await client.line() == b"a OK done"

    world.run(work)


def test_what_is_no_deflate_ends_the_session(world: World) -> None:
    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            await client.send_raw(b"a NOOP\r\n")
            assert await client.rest() == b"* BYE that is no DEFLATE\r\n"

    world.run(work)


def test_nothing_comes_behind_the_end_of_the_stream(world: World) -> None:
    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            packed = zlib.compressobj(9, zlib.DEFLATED, -15)
            await client.send_raw(packed.compress(b"a NOOP\r\n") + packed.flush() + b"more")
            assert await client.rest() == b"a OK done\r\n* BYE that is no DEFLATE\r\n"

    world.run(work)


def test_a_bomb_costs_little_and_ends_the_session(world: World) -> None:
    """SAFETY C14: 512 MiB in 512 KiB, as one line without an end."""

    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            await client.ok(b"NOOP")
            stream = bomb(512)
            before = resident()
            try:
                await client.send(b"a NOOP ")
                await client.send_raw(stream)
            except ConnectionError:
                pass  # closed in the middle of it
            said = await client.rest()
            assert said.startswith(b"a BAD the command is too long\r\n")
            assert said.endswith(b"* BYE that is too much to be dropped\r\n")
            assert resident() - before < 32 << 20

    world.run(work)


def test_imap_inflate_step_bounds_what_is_in_memory(world: World) -> None:
    world.limit(imap_inflate_step=4096)

    async def work(server: Server) -> None:
        async with deflated_client(server) as client:
            await client.send(b"".join(b"a%d NOOP\r\n" % number for number in range(5000)))
            said = await client.until(b"a4999")
            assert said == [b"a%d OK done" % number for number in range(5000)]

    world.run(work)


def test_no_step_holds_more_than_it_may() -> None:
    core = ImapServerCore()
    core.begin_compression(4096)
    core.receive(bomb(1))
    assert core.buffered() < READ_HIGH_WATER
    before = core.buffered()
    assert core.inflate()
    assert core.buffered() <= before + 4096


@pytest.mark.parametrize(
    ("end", "together"),
    [
        ("sync", False),  # without an end to be seen nothing can come behind it but after the answer
        *[
            (end, together)
            for end in ("empty block", "last block", "stored block")
            for together in (True, False)
        ],
    ],
)
def test_unauthenticate_ends_both_streams(world: World, end: str, together: bool) -> None:
    """RFC 8437 §4.1, whichever way the client ends its own."""

    async def work(server: Server) -> None:
        async with server.client() as client:
            await client.ok(b"COMPRESS DEFLATE")
            packed = zlib.compressobj(9, zlib.DEFLATED, -15)
            wire = packed.compress(b"a UNAUTHENTICATE\r\n")
            wire += packed.flush(zlib.Z_FINISH if end == "last block" else zlib.Z_SYNC_FLUSH)
            wire += {"empty block": b"\x03\x00", "stored block": b"\x01\x00\x00\xff\xff"}.get(end, b"")
            login = b'b LOGIN ada@demo.test "correct horse"\r\nc COMPRESS DEFLATE\r\n'
            if together:
                await client.send(wire + login)
            else:
                for at in range(len(wire)):
                    await client.send(wire[at : at + 1])
            unpacked = zlib.decompressobj(-15)
            said = b""
            while not unpacked.eof:
                said += unpacked.decompress(await client.reader.readexactly(1))
            assert said == b"a OK who is next?\r\n"
            if not together:
                await client.send(login)
            assert (await client.until(b"b"))[-1].startswith(b"b OK [CAPABILITY ")
            assert (await client.until(b"c"))[-1] == b"c OK DEFLATE from here on"

    world.run(work)
