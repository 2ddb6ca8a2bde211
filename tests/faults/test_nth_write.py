"""The Nth write or sync fails, N = 1, 2, …: every verb is done or undone, never half (SAFETY A4, A6, A7)."""

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from structlog.testing import capture_logs

from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.domains import add_domain
from postroad.model.flags import Flag
from postroad.model.refusal import Unavailable
from postroad.net.clock import SystemClock
from postroad.store.account import EVERYTHING, Account
from postroad.store.check import check
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import Mailbox, NewMessage
from tests.faults.faulty_disk import FAULTS, FaultyDisk, faulty_disk

State: TypeAlias = dict[str, tuple[int, int, tuple[tuple[int, int, str, bytes], ...]]]
"""Mailbox: UIDVALIDITY, UIDNEXT, and of each message UID, flags, keywords, digest."""
Verb: TypeAlias = Callable[[Account], Awaitable[None]]
MOST: Final = 400


@pytest.fixture(scope="module")
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as disk, capture_logs():
        yield disk


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one account."""
    data = tmp_path_factory.mktemp("template") / "data"
    prepare_data(data)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "demo.test", who="test"))
        database.write(lambda tx: add_account(tx, "ada@demo.test", who="test"))
    return data


def message(subject: str, size: int = 0) -> NewMessage:
    return NewMessage(f"Subject: {subject}\r\n\r\nHello.\r\n".encode() + b"x" * 70 * (size // 70) + b"\r\n")


def mailbox(account: Account, name: str = "INBOX") -> Mailbox:
    found = account.mailbox(name)
    assert found is not None
    return found


def nth(account: Account, number: int) -> list[tuple[int, int]]:
    """The UID of the nth message of INBOX as a range; nothing if there are not so many."""
    entries = account.entries(mailbox(account).id, EVERYTHING)
    return [(entries[number].uid, entries[number].uid)] if len(entries) > number else []


async def several(account: Account) -> None:
    inbox = mailbox(account).id
    await account.append(inbox, [message("one"), message("two"), message("three")])


async def large(account: Account) -> None:
    await account.append(mailbox(account).id, [message("large", 300_000)])


async def flag(account: Account) -> None:
    await account.store_flags(mailbox(account).id, nth(account, 0), "add", Flag.FLAGGED, frozenset({"work"}))


async def copy(account: Account) -> None:
    await account.copy(mailbox(account).id, nth(account, 0), mailbox(account, "Archive").id)


async def move(account: Account) -> None:
    await account.move(mailbox(account).id, nth(account, 1), mailbox(account, "Archive").id)


async def replace(account: Account) -> None:
    inbox = mailbox(account)
    for uid, _ in nth(account, 0):
        await account.replace(inbox.id, uid, account, inbox.id, message("in its place"))


async def expunge(account: Account) -> None:
    await account.expunge(mailbox(account).id, nth(account, 0), only_deleted=False)


async def create(account: Account) -> None:
    if account.mailbox("New/Below") is None:
        await account.create("New/Below")


VERBS: Final[list[Verb]] = [
    *(several, large, flag, copy, move, replace, expunge, create, several),
]


def state(store: Store, account: Account) -> State:
    """Everything that IMAP could show."""
    found: State = {}
    for box in account.mailboxes():
        rows = []
        for entry in account.entries(box.id, EVERYTHING):
            stored = account.open(entry.message_id)
            digest = hashlib.sha256(stored.read(0, stored.size)).digest()
            rows.append((entry.uid, entry.flags, entry.keywords, digest))
        found[box.name] = (box.uidvalidity, box.uidnext, tuple(rows))
    return found


@dataclass(slots=True)
class Run:
    """All verbs, one after the other, on a disk that fails somewhere in between."""

    disk: FaultyDisk
    data: Path
    states: list[State] = field(default_factory=list)
    """At the beginning, and after each verb that was done."""
    done_before: int | None = None
    """How many verbs were done before the first that was refused."""
    passed: bool = False
    """Whether there were fewer operations than the one that was to fail."""

    async def all_verbs(self, crashed: Path | None = None) -> None:
        """Do everything once; with `crashed` the data is copied there before anything is closed."""
        store = Store(self.data, SystemClock(), name="w0")
        try:
            account = store.account(1)
            self.states.append(state(store, account))
            for verb in VERBS:
                await self._one(store, account, verb)
            if crashed is not None:
                shutil.copytree(self.data, crashed, ignore=shutil.ignore_patterns("bus"))
        finally:
            self.passed = self.disk.passed
            self.disk.heal()
            await store.close()

    async def _one(self, store: Store, account: Account, verb: Verb) -> None:
        failures = self.disk.failed
        try:
            await verb(account)
        except Unavailable:
            assert self.disk.failed > failures, "refused for no reason"
            assert state(store, account) == self.states[-1], "refused, and yet something was done"
            if self.done_before is None:
                self.done_before = len(self.states) - 1
        else:
            self.states.append(state(store, account))


async def reopened(data: Path) -> State:
    """What the next start finds; the store has to be sound."""
    store = Store(data, SystemClock(), name="w0")
    try:
        assert store.database.read(lambda reader: list(check(reader, store.packs))) == []
        return state(store, store.account(1))
    finally:
        await store.close()


@FAULTS
def test_one_operation_fails(disk: FaultyDisk, template: Path, tmp_path: Path, fault: int) -> None:
    """What was refused left nothing, and the store goes on working without a restart."""
    for fail_at in range(1, MOST):
        run = Run(disk, _copy(template, tmp_path / f"{fail_at}"))
        disk.arm(fail_at, fault, for_good=False)
        asyncio.run(run.all_verbs())
        assert asyncio.run(reopened(run.data)) == run.states[-1], f"operation {fail_at}"
        shutil.rmtree(run.data)
        if run.passed:
            assert fail_at > len(VERBS), "too little was counted"
            return
    raise AssertionError("the verbs never come to an end")


@FAULTS
def test_the_disk_is_gone_and_the_machine_goes_down(
    disk: FaultyDisk, template: Path, tmp_path: Path, fault: int
) -> None:
    """From some operation on nothing works; the next start finds what had been acknowledged.

    A commit whose sync failed may be found as well: all that was to be in it.
    """
    whole = Run(disk, _copy(template, tmp_path / "whole"))
    asyncio.run(whole.all_verbs())
    for fail_at in range(1, MOST):
        run, crashed = Run(disk, _copy(template, tmp_path / f"{fail_at}")), tmp_path / f"{fail_at}-crashed"
        disk.arm(fail_at, fault, for_good=True)
        asyncio.run(run.all_verbs(crashed))
        found = asyncio.run(reopened(crashed))
        refused = [] if run.done_before is None else [whole.states[run.done_before + 1]]
        assert _shown(found) in map(_shown, [run.states[-1], *refused]), f"operation {fail_at}"
        shutil.rmtree(run.data)
        shutil.rmtree(crashed)
        if run.passed:
            return
    raise AssertionError("the verbs never come to an end")


def _shown(found: State) -> State:
    """Without the UIDVALIDITY of mailboxes that were made by the clock of this run."""
    return {name: (0 if name.startswith("New") else box[0], *box[1:]) for name, box in found.items()}


def _copy(template: Path, data: Path) -> Path:
    shutil.copytree(template, data)
    return data
