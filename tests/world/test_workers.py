"""Two workers are one server: what happens in one is seen in the other."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from postroad.db.transaction import Transaction
from postroad.directory import accounts, aliases, credentials, domains
from postroad.directory.credentials import LEAST_COST, Hasher
from postroad.store.offline import open_offline
from postroad.store.types import NewMessage
from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, imap, mail, subjects, submit
from tests.world.conftest import ADA, BOB

EVE = "eve@elsewhere.test"


def session(world: ThreadedWorld, worker: int) -> Raw:
    """An IMAP session of ada at one worker, with INBOX selected."""
    client = Raw(world.port("imaps", worker), world.tls())
    client.line()
    client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
    client.until(b"a")
    client.until(b"b")
    return client


def command(client: Raw, text: str) -> list[bytes]:
    """What a command is answered with, without `\\Recent`, which one session alone sees."""
    client.send(b"t " + text.encode() + b"\r\n")
    return [line.replace(b" \\Recent", b"").replace(b"\\Recent", b"") for line in client.until(b"t")]


def entries(client: Raw) -> list[bytes]:
    """The whole mailbox as a session sees it."""
    return [line for line in command(client, "UID FETCH 1:* (UID FLAGS)") if b" FETCH " in line]


def change_offline(world: ThreadedWorld, *verbs: Callable[[Transaction], Any]) -> None:
    """Change the directory as the command line does: from outside of all workers."""
    with open_offline(world.data) as database:
        for verb in verbs:
            database.write(verb)


def rcpt(world: ThreadedWorld, worker: int, address: str) -> bytes:
    """What a worker says to a recipient."""
    with Raw(world.port("smtp", worker)) as client:
        client.reply()
        client.say(b"EHLO x.test")
        client.say(b"MAIL FROM:<eve@elsewhere.test>")
        return client.say(b"RCPT TO:<%b>" % address.encode())


def test_idle_sees_what_came_through_the_other_worker(world: ThreadedWorld) -> None:
    with session(world, 1) as idle:
        idle.send(b"i IDLE\r\n")
        assert idle.line().startswith(b"+ ")
        with Raw(world.port("smtp", 0)) as client:
            client.reply()
            for line in (b"EHLO x.test", b"MAIL FROM:<>", b"RCPT TO:<ada@demo.test>", b"DATA"):
                client.say(line)
            assert client.say(mail("news") + b".").startswith(b"250 ")
        assert idle.line() == b"* 1 EXISTS"
        idle.send(b"DONE\r\n")
        assert idle.until(b"i")[-1].startswith(b"i OK")


def test_flags_and_expunges_cross_over(world: ThreadedWorld) -> None:
    for number in range(3):
        world.deliver(ADA, subject=str(number))
    with session(world, 0) as one, session(world, 1) as other:
        command(one, "STORE 2 +FLAGS (\\Flagged $Work)")
        assert b"* 2 FETCH (FLAGS (\\Flagged $Work))" in command(other, "NOOP")
        command(one, "STORE 1 +FLAGS.SILENT (\\Deleted)")
        command(one, "EXPUNGE")
        assert b"* 1 EXPUNGE" in command(other, "NOOP")
        assert b"* SEARCH 2 3" in command(other, "UID SEARCH ALL")


def test_two_sessions_that_change_at_random_end_with_the_same_view(world: ThreadedWorld) -> None:
    chance = random.Random(31)
    for number in range(10):
        world.deliver(ADA, subject=str(number))
    with session(world, 0) as one, session(world, 1) as other:
        for _ in range(80):
            uid = chance.randint(1, 20)
            verb = chance.choice(
                [
                    f"UID STORE {uid} +FLAGS (\\Seen)",
                    f"UID STORE {uid} -FLAGS (\\Seen)",
                    f"UID STORE {uid} FLAGS (k{uid} \\Answered)",
                    f"UID COPY {uid} INBOX",
                    f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)",
                    f"UID MOVE {uid} Archive",
                    "EXPUNGE",
                ]
            )
            assert command(chance.choice([one, other]), verb)[-1].startswith(b"t OK"), verb
        command(one, "NOOP")
        command(other, "NOOP")
        with session(world, 0) as fresh:
            assert entries(one) == entries(other) == entries(fresh)


def test_what_an_operator_changes_holds_at_once_in_every_worker(world: ThreadedWorld) -> None:
    new = "new@new.test"
    hashed = Hasher(LEAST_COST).hash(PASSWORD)
    for worker in (0, 1):
        assert rcpt(world, worker, new).startswith(b"550 5.7.1")
    change_offline(
        world,
        partial(domains.add_domain, name="new.test", who="op"),
        partial(accounts.add_account, address=new, who="op"),
        partial(credentials.set_password, address=new, hashed=hashed, who="op"),
        partial(aliases.add_alias, source="alias@new.test", targets=[new], who="op"),
    )
    for worker in (0, 1):
        assert rcpt(world, worker, new).startswith(b"250 ")
        assert rcpt(world, worker, "alias@new.test").startswith(b"250 ")
        with imap(world, new, worker) as client:
            assert client.select()[0] == "OK"
    change_offline(world, partial(accounts.suspend_account, address=new, on=True, who="op"))
    for worker in (0, 1):
        assert rcpt(world, worker, new).startswith(b"550 5.2.1")
    change_offline(world, partial(accounts.remove_account, address=new, who="op", with_aliases=True))
    for worker in (0, 1):
        assert rcpt(world, worker, new).startswith(b"550 5.1.1")
        assert rcpt(world, worker, "alias@new.test").startswith(b"550 5.1.1")


def test_a_new_password_counts_at_once_and_the_old_one_no_more(world: ThreadedWorld) -> None:
    for worker in (0, 1):
        with imap(world, ADA, worker):
            pass  # both workers remember that it was right
    hashed = Hasher(LEAST_COST).hash("another password")
    change_offline(world, partial(credentials.set_password, address=ADA, hashed=hashed, who="op"))
    for worker in (0, 1):
        with Raw(world.port("imaps", worker), world.tls()) as client:
            client.line()
            client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb LOGIN {ADA} "another password"\r\n'.encode())
            assert client.until(b"a")[-1].startswith(b"a NO [AUTHENTICATIONFAILED]")
            assert client.until(b"b")[-1].startswith(b"b OK")


def test_who_is_suspended_is_shown_the_door(world: ThreadedWorld) -> None:
    with session(world, 0) as one, session(world, 1) as other:
        change_offline(world, partial(accounts.suspend_account, address=ADA, on=True, who="op"))
        for client in (one, other):
            assert b"* BYE" in client.rest()


def test_deliveries_through_both_workers_at_once_are_all_there(world: ThreadedWorld) -> None:
    async def deliver_all() -> None:
        await asyncio.gather(*(world.world.deliver(ADA, BOB, subject=f"n{n}") for n in range(60)))

    world.run(deliver_all())
    for address in (ADA, BOB):
        assert sorted(subjects(world, address)) == sorted(f"n{n}" for n in range(60))
        assert [message.uid for message in world.mailbox(address).messages()] == list(range(1, 61))


def test_append_through_one_worker_while_the_other_delivers(world: ThreadedWorld) -> None:
    async def both() -> None:
        worker = world.world.workers[1]
        account = worker.directory.account(accounts.parsed(ADA))
        assert account is not None
        store = worker.store.account(account.id)
        inbox = store.mailbox("INBOX")
        assert inbox is not None
        await asyncio.gather(
            *(world.world.deliver(ADA, subject=f"d{n}") for n in range(20)),
            *(store.append(inbox.id, [NewMessage(mail(f"a{n}"))]) for n in range(20)),
        )

    world.run(both())
    assert sorted(subjects(world, ADA)) == sorted(f"{kind}{n}" for kind in "ad" for n in range(20))


def test_each_message_leaves_once_though_both_workers_look(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    for number in range(20):
        submit(world, mail(f"n{number}"), EVE)
    world.settle()
    assert len(elsewhere.messages) == 20


def test_a_worker_that_leaves_hands_its_work_to_the_other(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "451 4.2.1 later", times=1)
    submit(world, mail(), EVE)
    world.settle()
    world.run(world.world.workers.pop(0).stop(1.0))
    world.advance(hours=1)
    assert len(elsewhere.messages) == 1
