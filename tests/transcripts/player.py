"""Plays golden dialogues against a session, through real sockets on loopback.

A *setting* is what a protocol's test module writes: an async context manager
that gets the options of a script (its `@ name: value` lines), builds a session
with whatever it needs, and yields its `run(conn)`:

    @asynccontextmanager
    async def setting(options: Mapping[str, str]) -> AsyncIterator[Run]:
        yield Pop3Session(...).run

    @pytest.mark.parametrize(("script", "way"), performances(FOLDER))
    def test_dialogue(script: Script, way: Way) -> None:
        play(script, way, setting)

Each connection of a script gets a `Connection` with that `run`. What the
server says is compared line by line. At the end of the script the server has
nothing more to say, and no session may end in an exception.

The ways: every turn of the client in one write; each octet by itself; cut at
random; and in one write over TLS, from the first octet, on a real socket. A
script that begins TLS itself (`T:`), or says `@ tls: none`, is not played over
TLS; one that says `@ tls: implicit` is played over TLS always. `@ ways: whole`
is for a dialogue that is about octets that come together.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from postroad.net.connection import Connection
from tests.transcripts.script import ClientCloses, Expect, Script, Send, ServerCloses, StartTls, Step, scripts
from tests.transcripts.tls import client_context, server_context

Run: TypeAlias = Callable[[Connection], Awaitable[None]]
Setting: TypeAlias = Callable[[Mapping[str, str]], AbstractAsyncContextManager[Run]]

PATIENCE: Final = 30.0
"""Seconds after which a dialogue counts as hung; a passing one takes milliseconds."""


class Way(Enum):
    """How the client's octets get to the server."""

    WHOLE = "whole"
    OCTETS = "octets"
    CUTS = "cuts"
    TLS = "tls"


class Mismatch(AssertionError):
    """The server said something else."""


def performances(folder: Path) -> Sequence[object]:
    """Every script of a folder with every way that makes sense for it."""
    return [
        pytest.param(script, way, id=f"{script.name}-{way.value}")
        for script in scripts(folder)
        for way in Way
        if _makes_sense(script, way)
    ]


def play(script: Script, way: Way, setting: Setting, *, seed: int = 0) -> None:
    """Play a script one way; raises Mismatch, or what a session ended with."""
    implicit = way is Way.TLS or script.options.get("tls") == "implicit"
    asyncio.run(_play(script, way, setting, seed, implicit=implicit))


def _makes_sense(script: Script, way: Way) -> bool:
    if way.value not in script.options.get("ways", way.value).split():
        return False
    if way is not Way.TLS:
        return True
    begins_tls = any(isinstance(step, StartTls) for step in script.steps)
    # What is played over TLS always has been played this way already.
    return not begins_tls and script.options.get("tls") not in ("none", "implicit")


async def _play(script: Script, way: Way, setting: Setting, seed: int, *, implicit: bool) -> None:
    async with asyncio.timeout(PATIENCE), setting(script.options) as run:
        stage = _Stage(run)
        loop = asyncio.get_running_loop()
        context = server_context() if implicit else None
        server = await loop.create_server(stage.connection, "127.0.0.1", 0, ssl=context)
        player = _Player(script, way, server.sockets[0].getsockname()[1], seed, implicit=implicit)
        try:
            await player.play()
        finally:
            await player.close()
            server.close()
            await stage.curtain()
            await server.wait_closed()


class _Stage:
    """Makes connections with the session under test and sees how they end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ends: list[asyncio.Future[None]] = []

    def connection(self) -> Connection:
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ends.append(end)

        async def watched(conn: Connection) -> None:
            try:
                await self._run(conn)
            except ConnectionError:
                end.set_result(None)
            except BaseException as error:
                end.set_exception(error)
            else:
                end.set_result(None)

        return Connection(watched, connection_id=f"c{len(self._ends)}")

    async def curtain(self) -> None:
        """Wait for the sessions; raises what one of them ended with."""
        await asyncio.gather(*self._ends)


@dataclass(slots=True)
class _Peer:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Player:
    """The client's side of one script."""

    def __init__(self, script: Script, way: Way, port: int, seed: int, *, implicit: bool) -> None:
        self._script = script
        self._way = way
        self._port = port
        self._random = random.Random(seed)
        self._implicit = implicit
        self._peers: dict[int, _Peer] = {}
        self._said: list[str] = []

    async def play(self) -> None:
        skipping = False
        for step in self._script.steps:
            peer = await self._peer(step.peer)
            match step:
                case Send():
                    await self._send(peer, step)
                case Expect(pattern=None):
                    skipping = True
                    continue
                case Expect():
                    await self._expect(peer, step, skipping=skipping)
                case StartTls():
                    await peer.writer.start_tls(client_context(), server_hostname="localhost")
                case ServerCloses():
                    await self._expect_end(peer, step)
                case ClientCloses():
                    peer.writer.close()
            skipping = False
        for peer in self._peers.values():
            await self._expect_silence(peer)

    async def close(self) -> None:
        for peer in self._peers.values():
            peer.writer.close()
            try:
                await peer.writer.wait_closed()
            except (ConnectionError, ssl.SSLError):
                pass  # the server had closed first, with octets of ours unread

    async def _peer(self, number: int) -> _Peer:
        """Connections begin when the script first speaks of them."""
        if number not in self._peers:
            context = client_context() if self._implicit else None
            name = "localhost" if self._implicit else None
            opened = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=context, server_hostname=name, limit=2**20
            )
            self._peers[number] = _Peer(*opened)
        return self._peers[number]

    async def _send(self, peer: _Peer, step: Send) -> None:
        self._said.append(f"C{step.peer}: {step.octets!r}")
        try:
            for piece in self._pieces(step.octets):
                peer.writer.write(piece)
                await peer.writer.drain()
                await asyncio.sleep(0)  # so that the server sees this piece before the next one
        except ConnectionError:
            pass  # the server closed in the middle of it; what it said is judged by the next steps

    def _pieces(self, octets: bytes) -> Iterator[bytes]:
        match self._way:
            case Way.WHOLE | Way.TLS:
                yield octets
            case Way.OCTETS:
                for at in range(len(octets)):
                    yield octets[at : at + 1]
            case Way.CUTS:
                cuts = sorted(self._random.randrange(len(octets) + 1) for _ in range(5))
                for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
                    if start < end:
                        yield octets[start:end]

    async def _expect(self, peer: _Peer, step: Expect, *, skipping: bool) -> None:
        assert step.pattern is not None
        while True:
            line = await self._line(peer)
            if line is not None and step.pattern.fullmatch(line):
                return
            if not skipping or line is None:
                raise self._mismatch(step, f"S{step.peer}: {step.text}", line)

    async def _line(self, peer: _Peer) -> bytes | None:
        """One line without its CR LF; None if the server has closed."""
        try:
            line = await peer.reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                return None
            line = error.partial + b" (closed in the middle of a line)\r\n"
        except ConnectionError:
            return None
        self._said.append(f"S: {line!r}")
        return line[:-2]

    async def _expect_end(self, peer: _Peer, step: ServerCloses) -> None:
        line = await self._line(peer)
        if line is not None:
            raise self._mismatch(step, "the end of the connection", line)

    async def _expect_silence(self, peer: _Peer) -> None:
        """Behind the last line the client says that it is done, and hears nothing more."""
        if peer.writer.is_closing() or not peer.writer.can_write_eof():
            return  # TLS has no half-closed connections
        try:
            peer.writer.write_eof()
            rest = await peer.reader.read()
        except (ConnectionError, OSError):
            return
        if rest:
            raise self._mismatch(self._script.steps[-1], "silence", rest)

    def _mismatch(self, step: Step, wanted: str, got: bytes | None) -> Mismatch:
        where = f"{self._script.name}.txt:{step.line}"
        said = "\n  ".join(self._said)
        return Mismatch(f"{where}\n  wanted {wanted}\n  got    {got!r}\nthe dialogue:\n  {said}")
