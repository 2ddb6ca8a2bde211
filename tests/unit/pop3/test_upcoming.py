"""The reply that is made before it is asked for is given only where it is the one that would be made now."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from postroad.pop3.maildrop import Gone, Maildrop
from postroad.pop3.upcoming import LARGEST, Upcoming
from postroad.pop3.wire.core import Pop3Core
from postroad.store.errors import Damaged, NoSuchMessage
from postroad.store.messages import StoredMessage
from tests.unit.pop3.world import Worker, workers


def _text(number: int) -> bytes:
    return b"Subject: %d\r\n\r\n.body\r\n" % number


class _Session:
    """What a session does with RETR, and how often messages are read."""

    def __init__(self, maildrop: Maildrop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.maildrop = maildrop
        self.upcoming = Upcoming(Pop3Core(secure=True, tls_offered=False))
        self.reads = 0
        whole = StoredMessage.whole

        def counted(message: StoredMessage) -> bytes:
            self.reads += 1
            return whole(message)

        monkeypatch.setattr(StoredMessage, "whole", counted)

    def retrieve(self, number: int) -> bytes:
        return b"".join(self.upcoming.reply(number, self.maildrop.open(number)))

    def wait(self) -> None:
        """The client reads."""
        self.upcoming.prepare(self.maildrop)


def _expected(number: int) -> bytes:
    text = _text(number)
    return b"+OK %d octets\r\n%b.\r\n" % (len(text), text.replace(b"\n.", b"\n.."))


_Use = Callable[[Worker, _Session, list[int]], Awaitable[None]]


def _play(data: Path, monkeypatch: pytest.MonkeyPatch, use: _Use, *bodies: bytes) -> None:
    async def play() -> None:
        async with workers(data) as (worker,):
            uids = await worker.deliver(*(bodies or map(_text, range(1, 6))))
            maildrop = Maildrop(worker.account(), data / "run")
            try:
                await maildrop.fill()
                await use(worker, _Session(maildrop, monkeypatch), uids)
            finally:
                maildrop.close()

    asyncio.run(play())


def test_what_is_asked_for_in_turn_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(worker: Worker, session: _Session, uids: list[int]) -> None:
        for number in range(1, 6):
            assert session.reads == (0 if number == 1 else number)
            assert session.retrieve(number) == _expected(number)
            session.wait()
        assert session.reads == 5  # each once, and nothing behind the last
        assert session.retrieve(5) == _expected(5)
        assert session.reads == 6

    _play(tmp_path, monkeypatch, use)


def test_nothing_is_made_ready_for_who_picks_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(worker: Worker, session: _Session, uids: list[int]) -> None:
        for number in (3, 5, 2, 4):
            assert session.retrieve(number) == _expected(number)
            session.wait()
        assert session.reads == 4

    _play(tmp_path, monkeypatch, use)


def test_who_stops_going_through_all_gets_what_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(worker: Worker, session: _Session, uids: list[int]) -> None:
        for number in (1, 2, 4, 3, 1):
            assert session.retrieve(number) == _expected(number)
            session.wait()

    _play(tmp_path, monkeypatch, use)


def test_what_is_gone_meanwhile_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(worker: Worker, session: _Session, uids: list[int]) -> None:
        session.retrieve(1)
        session.wait()
        session.maildrop.delete(2)
        with pytest.raises(Gone):
            session.retrieve(2)
        session.wait()
        session.maildrop.reset()
        inbox = worker.account().mailbox("INBOX")
        assert inbox is not None
        session.retrieve(2)
        session.wait()
        await worker.account().expunge(inbox.id, [(uids[2], uids[2])], only_deleted=False)
        with pytest.raises(NoSuchMessage):
            session.retrieve(3)
        session.wait()
        assert session.retrieve(4) == _expected(4)

    _play(tmp_path, monkeypatch, use)


def test_damage_is_told_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(worker: Worker, session: _Session, uids: list[int]) -> None:
        [pack] = (tmp_path / "packs").glob("*.pack")
        octets = pack.read_bytes()
        with pack.open("r+b") as file:
            file.seek(octets.index(_text(2)))
            file.write(b"subject")
        session.retrieve(1)
        session.wait()
        with pytest.raises(Damaged):
            session.retrieve(2)
        session.wait()
        assert session.retrieve(3) == _expected(3)

    _play(tmp_path, monkeypatch, use)


def test_a_large_one_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(worker: Worker, session: _Session, uids: list[int]) -> None:
        session.retrieve(1)
        session.wait()
        assert session.reads == 1

    _play(tmp_path, monkeypatch, use, _text(1), _text(2) + b"x" * LARGEST)
