"""What users delete with their programs, an operator brings back beside the running server."""

import imaplib
from collections.abc import Callable
from typing import Any

import pytest

from postroad.cli.main import run
from postroad.store import kept
from postroad.store.kept import Which
from postroad.testing import ThreadedWorld
from tests.world.clients import Raw, imap, pop3, subjects
from tests.world.conftest import ADA, BOB

DAY = 86400


def restorable(world: ThreadedWorld) -> list[str]:
    """Subjects of what ada can get back, by mailbox."""
    found = world.read(lambda reader: kept.find(reader, 1, Which()))
    return sorted(f"{one.mailbox}: {one.subject}" for one in found)


def postroad(world: ThreadedWorld, *words: str) -> None:
    assert run([*words, "--data", str(world.data)]) == 0


def by_expunge(client: imaplib.IMAP4) -> None:
    client.expunge()


def by_uid_expunge(client: imaplib.IMAP4) -> None:
    client.uid("EXPUNGE", "1:*")


def by_close(client: imaplib.IMAP4) -> None:
    client.close()


@pytest.mark.parametrize("end", [by_expunge, by_uid_expunge, by_close], ids=lambda end: end.__name__)
def test_what_imap_expunges_is_kept(world: ThreadedWorld, end: Callable[[imaplib.IMAP4], Any]) -> None:
    for subject in ("One", "Two"):
        world.deliver(ADA, subject=subject)
    with imap(world) as client:
        client.select()
        client.store("1", "+FLAGS", "(\\Deleted)")
        end(client)
    assert restorable(world) == ["INBOX: One"]
    postroad(world, "account", "restore", ADA, "--all")
    assert subjects(world, ADA) == ["Two", "One"]
    assert restorable(world) == []


def test_what_pop3_deletes_is_kept_when_it_quits(world: ThreadedWorld) -> None:
    world.deliver(ADA, subject="One")
    with pop3(world) as client:
        client.dele(1)
        assert restorable(world) == []
    assert restorable(world) == ["INBOX: One"]


def test_a_deleted_mailbox_is_kept_and_moves_are_not(world: ThreadedWorld) -> None:
    for subject in ("One", "Two"):
        world.deliver(ADA, subject=subject)
    with imap(world) as client:
        client.create("Plans")
        client.select()
        client._simple_command("MOVE", "1", "Plans")
        client._simple_command("MOVE", "1", "Archive")
        assert restorable(world) == []
        client.delete("Plans")
        assert restorable(world) == ["Plans: One"]
        postroad(world, "account", "restore", ADA, "--mailbox", "Plans")
        assert client.status("Plans", "(MESSAGES UIDNEXT)")[1] == [b"Plans (MESSAGES 1 UIDNEXT 2)"]


def test_an_open_session_is_told_of_what_comes_back(world: ThreadedWorld) -> None:
    for subject in ("One", "Two"):
        world.deliver(ADA, subject=subject)
    with imap(world) as client:
        client.select()
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    for worker in (0, 1):
        with Raw(world.port("imaps", worker), world.tls()) as session:
            session.line()
            session.send(f'a LOGIN {ADA} "correct horse battery"\r\nb SELECT INBOX\r\nc IDLE\r\n'.encode())
            session.until(b"b")
            assert session.line().startswith(b"+")
            postroad(world, "account", "restore", ADA, "--all")
            assert session.line() == b"* %d EXISTS" % (2 + worker)
            session.send(b"DONE\r\n")
            session.until(b"c")
        with imap(world) as client:
            client.select()
            client.store("1", "+FLAGS", "(\\Deleted)")
            client.expunge()
            world.deliver(ADA, subject="Another")


def test_after_its_time_it_is_gone(world: ThreadedWorld) -> None:
    world.deliver(ADA, BOB, subject="To both")
    with imap(world) as client:
        client.select()
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    postroad(world, "account", "remove", BOB)
    world.advance(minutes=16)
    assert restorable(world) == ["INBOX: To both"]
    for table in ("kept", "kept_account"):
        world.change(lambda tx, table=table: tx.run(f"UPDATE {table} SET at = at - 31 * {DAY}"))  # type: ignore[misc]

    def swept() -> bool:
        # Again and again: a worker still at its last round begins to wait for the next one after that.
        world.advance(minutes=16)
        return restorable(world) == []

    world.until(swept)
    world.until(lambda: world.read(lambda r: r.value("SELECT count(*) FROM kept_account")) == 0)
    assert world.read(lambda r: r.rows("SELECT refs, freed_at > 0 FROM blob")) == [(0, 1)]
    assert world.read(lambda r: r.value("SELECT count(*) FROM credential")) == 1
