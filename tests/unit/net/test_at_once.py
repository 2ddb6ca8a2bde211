"""What comes while a session waits may be answered in its place."""

import asyncio
from collections.abc import Awaitable, Callable

from postroad.net.connection import Connection
from postroad.net.wake import Wake


class _Core:
    """Says again what it hears."""

    def __init__(self) -> None:
        self.heard = b""

    def receive(self, data: bytes) -> None:
        self.heard += data

    def data_to_send(self) -> bytes:
        return b""

    def buffered(self) -> int:
        return 0


class _Wire(asyncio.Transport):
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0


def _played(scene: Callable[[Connection, _Core], Awaitable[None]], *, answers: bool = True) -> list[Wake]:
    """Why a session woke that waits with an answer at hand, while the scene is played."""
    woken: list[Wake] = []
    core = _Core()

    async def talk(conn: Connection) -> None:
        def at_once() -> bool:
            conn.extend(3600)
            core.heard += b"."
            return answers

        conn.attach(core)
        while (wake := await conn.pump(conn.deadline(60), at_once=at_once)) is not Wake.CLOSED:
            woken.append(wake)

    async def work() -> None:
        conn = Connection(talk, connection_id="c")
        conn.connection_made(_Wire())
        await asyncio.sleep(0)
        await scene(conn, core)
        await asyncio.sleep(0)
        conn.connection_lost(None)
        await asyncio.sleep(0)

    asyncio.run(work())
    return woken


async def _say(conn: Connection, core: _Core) -> None:
    conn.data_received(b"a")


def test_a_session_sleeps_on_where_all_is_answered() -> None:
    assert _played(_say) == []


def test_and_is_woken_where_something_is_left() -> None:
    assert _played(_say, answers=False) == [Wake.DATA]


def test_an_answer_moves_the_deadline() -> None:
    async def scene(conn: Connection, core: _Core) -> None:
        before = conn.due
        conn.data_received(b"a")
        assert conn.due > before + 3000

    assert _played(scene) == []


def test_nothing_is_answered_while_the_peer_does_not_read() -> None:
    async def scene(conn: Connection, core: _Core) -> None:
        conn.pause_writing()
        conn.data_received(b"a")
        assert core.heard == b"a"
        conn.resume_writing()
        await asyncio.sleep(0)

    assert _played(scene) == [Wake.DATA]


def test_who_reads_nothing_that_was_answered_at_once_is_let_go() -> None:
    async def talk(conn: Connection) -> None:
        conn.attach(_Core(), unread=0.0)
        woken.append(await conn.pump(conn.deadline(3600), at_once=lambda: True))

    async def work() -> None:
        conn = Connection(talk, connection_id="c")
        conn.connection_made(Wire(conn))
        await asyncio.sleep(0)
        conn.pause_writing()
        conn.data_received(b"a")
        async with asyncio.timeout(20):
            while not woken:
                await asyncio.sleep(0)

    class Wire(_Wire):
        def __init__(self, conn: Connection) -> None:
            super().__init__()
            self._conn = conn

        def abort(self) -> None:
            self._conn.connection_lost(None)

    woken: list[Wake] = []
    asyncio.run(work())
    assert woken == [Wake.CLOSED]


def test_nor_once_the_session_is_woken() -> None:
    async def scene(conn: Connection, core: _Core) -> None:
        conn.poke()
        conn.data_received(b"a")
        assert core.heard == b"a"
        await asyncio.sleep(0)
        conn.data_received(b"b")
        assert core.heard == b"ab."

    assert _played(scene) == [Wake.DATA, Wake.POKED]


def test_nor_when_the_server_stops() -> None:
    async def talk(conn: Connection) -> None:
        conn.attach(core)
        assert await conn.pump(conn.deadline(60), drain=False, at_once=lambda: True) is Wake.DATA
        assert await conn.pump(conn.deadline(60), at_once=lambda: True) is Wake.DRAIN

    async def work() -> None:
        conn = Connection(talk, connection_id="c")
        conn.connection_made(_Wire())
        await asyncio.sleep(0)
        conn.drain()
        await asyncio.sleep(0)
        conn.data_received(b"a")
        await asyncio.sleep(0)
        conn.connection_lost(None)

    core = _Core()
    asyncio.run(work())
