"""Pipelines: a client that sends and does not read costs a bounded amount of memory."""

import asyncio
from typing import Final

from postroad.net.connection import WRITE_HIGH_WATER, Connection
from tests.transcripts.imap_setting import setting

COMMANDS: Final = 8_000
ANSWER: Final = 600
"""More than one LIST of a new account takes."""


class _Tls:
    """What a connection asks of its TLS."""

    context = None

    def cipher(self) -> tuple[str, str, int]:
        return "TLS_AES_128_GCM_SHA256", "TLSv1.3", 128

    def version(self) -> str:
        return "TLSv1.3"

    def selected_alpn_protocol(self) -> None:
        return None

    def getpeercert(self) -> None:
        return None


class Deaf(asyncio.Transport):
    """A wire in memory whose far end does not read until it is told to."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"ssl_object": _Tls(), "peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 993)})
        self.protocol = protocol
        self.held = b""
        self.high = 0
        self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.held += data
        if len(self.held) > self.high and not self.paused:
            self.paused = True
            self.protocol.pause_writing()

    def read(self) -> bytes:
        """Let the far end take what is there."""
        held, self.held = self.held, b""
        self.paused = False
        self.protocol.resume_writing()
        return held

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.protocol.connection_lost(None)


def test_answers_wait_for_a_client_that_does_not_read() -> None:
    async def scene() -> None:
        async with setting({}) as run:
            connection = Connection(run, connection_id="c")
            wire = Deaf(connection)
            connection.connection_made(wire)
            connection.data_received(b"a LOGIN ada@demo.test demo\r\n")
            connection.data_received(b'b LIST "" *\r\n' * COMMANDS + b"c LOGOUT\r\n")
            while not wire.paused:
                await asyncio.sleep(0)
            said = b""
            while not said.endswith(b"c OK logged out\r\n"):
                assert len(wire.held) <= WRITE_HIGH_WATER + 64 * 1024 + ANSWER
                said += wire.read()
                await asyncio.sleep(0)
            assert said.count(b"b OK done\r\n") == COMMANDS

    asyncio.run(scene())
