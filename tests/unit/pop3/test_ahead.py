"""What was looked up ahead is never given when it is not true any more."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from postroad.pop3.ahead import RUN
from postroad.pop3.maildrop import Maildrop
from postroad.store.account import Account
from postroad.store.errors import NoSuchMessage
from tests.unit.pop3.world import Worker, workers

_COUNT = RUN + 10


def _text(number: int) -> bytes:
    return b"Subject: %d\r\n\r\nbody\r\n" % number


def _play(data: Path, use: Callable[[Worker, Maildrop, list[int]], Awaitable[None]]) -> None:
    async def play() -> None:
        async with workers(data) as (worker,):
            uids = await worker.deliver(*map(_text, range(1, _COUNT + 1)))
            maildrop = Maildrop(worker.account(), data / "run")
            try:
                await maildrop.fill()
                await use(worker, maildrop, uids)
            finally:
                maildrop.close()

    asyncio.run(play())


def _whole(maildrop: Maildrop, number: int) -> bytes:
    message = maildrop.open(number)
    return message.read(0, message.size)


def test_all_in_turn_and_out_of_turn(tmp_path: Path) -> None:
    async def use(worker: Worker, maildrop: Maildrop, uids: list[int]) -> None:
        for number in [*range(1, _COUNT + 1), _COUNT, 1, 7, 7, 8, 9, RUN, RUN + 1, 2]:
            assert _whole(maildrop, number) == _text(number)

    _play(tmp_path, use)


def test_a_run_takes_one_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    look_up = Account.open_run

    def counted(self: Account, mailbox_id: int, first: int, last: int) -> object:
        asked.append((first, last))
        return look_up(self, mailbox_id, first, last)

    async def use(worker: Worker, maildrop: Maildrop, uids: list[int]) -> None:
        monkeypatch.setattr(Account, "open_run", counted)
        for number in range(1, _COUNT + 1):
            maildrop.open(number)
            maildrop.open(number)  # TOP, and then RETR
        assert asked == [(uids[0], uids[RUN - 1]), (uids[RUN], uids[-1])]
        maildrop.open(5)
        assert asked[2:] == [(uids[4], uids[4])]

    _play(tmp_path, use)


def test_what_was_expunged_meanwhile_is_not_given(tmp_path: Path) -> None:
    async def use(worker: Worker, maildrop: Maildrop, uids: list[int]) -> None:
        assert _whole(maildrop, 1) == _text(1)
        inbox = worker.account().mailbox("INBOX")
        assert inbox is not None
        await worker.account().expunge(inbox.id, [(uids[1], uids[1])], only_deleted=False)
        with pytest.raises(NoSuchMessage):
            maildrop.open(2)
        assert _whole(maildrop, 3) == _text(3)

    _play(tmp_path, use)


def test_what_was_moved_is_given_until_it_is_gone_from_there_too(tmp_path: Path) -> None:
    async def use(worker: Worker, maildrop: Maildrop, uids: list[int]) -> None:
        account = worker.account()
        inbox, other = account.mailbox("INBOX"), await account.create("Other")
        assert inbox is not None
        assert _whole(maildrop, 1) == _text(1)
        await account.move(inbox.id, [(uids[1], uids[2])], other.id)
        assert _whole(maildrop, 2) == _text(2)
        await account.expunge(other.id, None, only_deleted=False)
        with pytest.raises(NoSuchMessage):
            maildrop.open(2)
        with pytest.raises(NoSuchMessage):
            maildrop.open(3)
        assert _whole(maildrop, 4) == _text(4)

    _play(tmp_path, use)


def test_mail_that_comes_between_changes_no_number(tmp_path: Path) -> None:
    async def use(worker: Worker, maildrop: Maildrop, uids: list[int]) -> None:
        assert _whole(maildrop, 1) == _text(1)
        await worker.deliver(b"Subject: new\r\n\r\n")
        for number in range(2, _COUNT + 1):
            assert _whole(maildrop, number) == _text(number)

    _play(tmp_path, use)
