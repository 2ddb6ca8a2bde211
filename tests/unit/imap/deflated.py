"""A client that has said COMPRESS DEFLATE and speaks so (RFC 4978)."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.unit.imap.world import Client, Server


class Deflated(Client):
    """The same client; what it sends is compressed, or raw where a test wants it so."""

    def __init__(self, client: Client) -> None:
        super().__init__(asyncio.StreamReader(limit=1 << 26), client.writer)
        self._wire = client.reader
        self._deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        self._inflate = zlib.decompressobj(-15)
        self.pumping = asyncio.create_task(self._pump())

    async def send(self, octets: bytes) -> None:
        await self.send_raw(self.deflated(octets))

    async def send_raw(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    def deflated(self, octets: bytes) -> bytes:
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    async def _pump(self) -> None:
        while data := await self._wire.read(1 << 16):
            self.reader.feed_data(self._inflate.decompress(data))
        self.reader.feed_eof()


@asynccontextmanager
async def deflated_client(server: Server) -> AsyncIterator[Deflated]:
    """A client that has logged in and compresses."""
    async with server.client() as client:
        assert (await client.do(b"COMPRESS DEFLATE"))[-1] == b"OK DEFLATE from here on"
        deflated = Deflated(client)
        try:
            yield deflated
        finally:
            deflated.pumping.cancel()
