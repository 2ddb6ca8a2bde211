"""Where relayed mail ends: an SMTP server that counts, in a process of its own."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final

import uvloop

from tests.interop.addresses import loopback_address
from tests.interop.processes import answers, until

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_END: Final = b"\r\n.\r\n"
_REPLIES: Final = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n",
    b"MAIL": b"250 ok\r\n",
    b"RCPT": b"250 ok\r\n",
    b"RSET": b"250 ok\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Sink:
    """A sink that runs."""

    def __init__(self, address: str, pid: int, count: "Synchronized[int]") -> None:
        self.address = address
        self._pid = pid
        self._count = count

    @property
    def count(self) -> int:
        """How many messages have come."""
        return self._count.value

    def cpu(self) -> float:
        """Seconds that it has used: part of the load generator's."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def running_sink() -> Iterator[Sink]:
    """Listen on port 25 of an address of our own."""
    address = loopback_address(25)
    context = multiprocessing.get_context("spawn")
    count = context.Value("q", 0)
    process = context.Process(target=_serve, args=(address, count), daemon=True)
    process.start()
    try:
        until(lambda: answers(address, 25), "the sink to answer")
        assert process.pid is not None
        yield Sink(address, process.pid, count)
    finally:
        process.terminate()
        process.join()


def _serve(address: str, count: "Synchronized[int]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(count), address, 25, backlog=1000)
        await server.serve_forever()

    uvloop.run(serve())


class _Session(asyncio.Protocol):
    """Enough of SMTP for a client that keeps to it; anything else gets a 500."""

    def __init__(self, count: "Synchronized[int]") -> None:
        self._count = count
        self._inbox = bytearray()
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        self._write = transport.write
        self._close = transport.close
        self._write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._inbox += data
        replies = b""
        while True:
            if self._in_message:
                end = self._inbox.find(_END)
                if end < 0:
                    break
                del self._inbox[: end + len(_END)]
                self._in_message = False
                self._count.value += 1  # one process writes, one reads
                replies += b"250 counted\r\n"
                continue
            end = self._inbox.find(b"\r\n")
            if end < 0:
                break
            verb = bytes(self._inbox[:4]).upper()
            del self._inbox[: end + 2]
            replies += _REPLIES.get(verb, b"500 no\r\n")
            self._in_message = verb == b"DATA"
            if verb == b"QUIT":
                self._close_after(replies)
                return
        if replies:
            self._write(replies)

    def _close_after(self, replies: bytes) -> None:
        self._write(replies)
        self._close()
