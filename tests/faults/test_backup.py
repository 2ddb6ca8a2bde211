"""Backups while mail flows, and what becomes of them when something dies (SAFETY: A15)."""

import asyncio
import imaplib
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from postroad.db.unfinished import UNFINISHED
from postroad.store.blobs.hold import may_punch
from tests.faults.conftest import Start
from tests.faults.load import ADA, Book, Refused, append, deliver, move
from tests.faults.mounted import small_disk
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.faults.vault import Vault, inside
from tests.interop.postroad_server import PASSWORD
from tests.interop.processes import run, until

BOB: Final = "bob@ours.test"


async def keep_backing_up(vault: Vault, book: Book, times: int, every: float) -> list[tuple[str, set[str]]]:
    """Make backups under load; gives their ids, each with what had been acknowledged before it began."""
    server = vault.server
    work = [
        keep_delivering(server, book, ADA, BOB),
        keep_delivering(server, book, ADA, size=200_000, kind="large"),
        *(append(server, book), append(server, book), move(server)),
    ]
    tasks = [asyncio.ensure_future(one) for one in work]
    made = []
    try:
        for _ in range(times):
            began, had = time.monotonic(), len(book.taken)
            while len(book.taken) < had + 50:
                await asyncio.sleep(0.01)
            before = set(book.taken)
            answer = await asyncio.to_thread(vault.ask, "create")
            assert len(book.taken) > len(before), "the backup held the mail up"
            made.append((answer["id"], before))
            await asyncio.sleep(max(0.0, began + every - time.monotonic()))
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
    return made


async def keep_delivering(server: Server, book: Book, *recipients: str, **how: Any) -> None:
    """Deliver, in another session when one has had enough."""
    while True:
        try:
            await deliver(server, book, *recipients, **how)
        except Refused as refused:
            if "enough messages for one session" not in str(refused):
                raise


def back_up_under_load(start: Start, tmp_path: Path, times: int, every: float) -> Book:
    server = start()
    vault, book = Vault(server, tmp_path), Book()
    made = asyncio.run(keep_backing_up(vault, book, times, every))
    server.stop()
    for number, (backup_id, before) in enumerate(made):
        data = tmp_path / f"restored-{number}"
        vault.restore(backup_id, data)
        assert "sound" in server.cli("store", "check", "--data", str(data))
        found = inside(data, book)
        lost = before - found.keys()
        assert not lost, f"{len(lost)} of {len(before)} are not in backup {number}: {sorted(lost)[:5]}"
        assert max(found.values()) == 1
    return book


def test_backups_under_load_hold_what_was_acknowledged_before(start: Start, tmp_path: Path) -> None:
    book = back_up_under_load(start, tmp_path, 2, 0.0)
    # And the last of them is a server that goes on.
    place = tmp_path / "again"
    place.mkdir()
    (tmp_path / "restored-1").rename(place / "data")
    server = start(place)
    book.taken &= set(inside(place / "data", book))
    history = History()
    check(server, book, history, bodies=True)
    server.stop()


@pytest.mark.soak
def test_backups_every_ten_seconds_for_two_minutes(start: Start, tmp_path: Path) -> None:
    book = back_up_under_load(start, tmp_path, 12, 10.0)
    print(f"\n12 backups, {len(book.taken)} messages acknowledged")


@pytest.fixture
def filled(start: Start, tmp_path: Path) -> tuple[Server, Vault, Book]:
    """A server with some megabytes of mail."""
    server = start()
    book = Book()

    async def fill() -> None:
        tasks = [asyncio.ensure_future(deliver(server, book, ADA, size=300_000)) for _ in range(2)]
        while len(book.taken) < 25:
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(fill())
    return server, Vault(server, tmp_path), book


def test_a_backup_that_was_killed_is_none_and_the_next_one_goes_on(
    filled: tuple[Server, Vault, Book], tmp_path: Path
) -> None:
    server, vault, book = filled
    for chunks in (0, 2, 5):
        process = vault.begin("create")
        until(partial(reached, vault, chunks), f"{chunks} chunks")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for whole in vault.ask("list"):  # it was quicker than the kill
            assert vault.ask("verify", whole["id"], "--quick")["problems"] == []
    there = vault.chunks()
    assert there >= 5
    with may_punch(server.directory / "data" / "packs") as free:
        assert free, "a backup that was killed keeps octets from being freed"
    made = vault.ask("create")
    assert vault.chunks() == there + made["added_chunks"]
    assert list(vault.target.glob("incoming/*")) == []
    assert list((server.directory / "data" / "backup.scratch").iterdir()) == []
    assert vault.ask("verify", "--key", str(vault.key))["problems"] == []
    server.stop()
    vault.restore("", tmp_path / "restored")
    assert inside(tmp_path / "restored", book).keys() >= book.taken


def reached(vault: Vault, chunks: int) -> bool:
    return vault.chunks() >= chunks


def test_two_backups_at_once_exclude_each_other(filled: tuple[Server, Vault, Book]) -> None:
    server, vault, _ = filled
    first = vault.begin("create")
    until(partial(reached, vault, 1), "the first to have begun")
    os.kill(first.pid, signal.SIGSTOP)
    assert "another backup of this server is being made" in run(*vault.command("create"), expect=(1,))
    os.kill(first.pid, signal.SIGCONT)
    assert first.wait() == 0
    assert len(vault.ask("list")) == 1
    server.stop()


def test_a_restore_that_was_killed_is_not_taken_for_a_server(
    filled: tuple[Server, Vault, Book], tmp_path: Path
) -> None:
    server, vault, book = filled
    vault.ask("create")
    server.stop()
    data = tmp_path / "restored"
    process = vault.begin("restore", "--key", str(vault.key), "--data", str(data))
    until(lambda: (data / UNFINISHED / "packs").exists(), "the restore to have begun")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    program, *_ = vault.command()
    settings = tmp_path / "elsewhere.toml"  # where no other server listens
    settings.write_text(f'data = "{data}"\n[[listener]]\nrole = "smtp"\naddress = "127.0.0.1:0"\n')
    said = run(program, "serve", "--config", settings, expect=(78,))
    assert "a restore that was interrupted" in said
    vault.restore("", data)
    assert inside(data, book).keys() >= book.taken


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of our own for the target."""
    with small_disk(tmp_path / "disk", "6m") as folder:
        yield folder


def test_a_target_that_is_full_is_named_and_the_next_run_goes_on(
    start: Start, tmp_path: Path, disk: Path
) -> None:
    server = start()
    vault = Vault(server, tmp_path)
    vault.target = disk
    (disk / "filler").write_bytes(bytes(5 * 1024 * 1024))
    append_noise(server, 1_500_000)
    said = run(*vault.command("create"), expect=(1,))
    assert "No space left on device" in said
    assert str(disk) in said
    assert len(said.strip().splitlines()) == 1
    assert vault.ask("list") == []
    assert list(disk.glob("incoming/*")) == []
    (disk / "filler").unlink()
    vault.ask("create")
    assert vault.ask("verify", "--key", str(vault.key))["problems"] == []
    server.stop()


def append_noise(server: Server, octets: int) -> None:
    """Append a message that does not get smaller than so many octets."""
    client = imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context(), timeout=60)
    with client:
        client.login(ADA, PASSWORD)
        noise = b"Subject: noise\r\n\r\n" + os.urandom(octets).hex().encode() + b"\r\n"
        assert client.append("INBOX", "", "", noise)[0] == "OK"
