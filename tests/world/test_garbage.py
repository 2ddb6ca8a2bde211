"""Whatever strangers and users send, the server goes on serving (SAFETY C11)."""

import asyncio
import os
import random
import smtplib
from collections.abc import Iterator
from contextlib import suppress

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, exchange, imap, mail, pop3, raw_submission, subjects, submit
from tests.world.conftest import ADA, BOB, no_bugs, peopled
from tests.world.garbage import nonsense

USER = ADA.encode()


@pytest.fixture(scope="module")
def world() -> Iterator[ThreadedWorld]:
    """One server for all of it, with a little mail."""
    with no_bugs(), ThreadedWorld() as world:
        peopled(world)
        for number in range(3):
            world.deliver(ADA, subject=str(number))
        yield world


def tasks(world: ThreadedWorld) -> int:
    return world.call(lambda: len(asyncio.all_tasks()))


def settle_down(world: ThreadedWorld, before: int) -> None:
    """Wait until every session has noticed that its peer is gone."""

    async def gone() -> None:
        async with asyncio.timeout(20):
            while len(asyncio.all_tasks()) > before + 1:
                await asyncio.sleep(0.005)

    world.run(gone())


def probe(world: ThreadedWorld) -> None:
    """Ordinary people are served."""
    with exchange(world) as client:
        assert client.noop()[0] == 250
    with imap(world) as session:
        assert session.select()[0] == "OK"
    with pop3(world, BOB) as drop:
        assert drop.noop().startswith(b"+OK")


def strangers(world: ThreadedWorld, protocol: str, count: int) -> None:
    chance = random.Random(f"{protocol} {count} strangers")
    before, files = tasks(world), len(os.listdir("/proc/self/fd"))
    for _ in range(count):
        with Raw(world.port(protocol)) as client:
            try:
                if chance.random() < 0.9:  # else it comes before the greeting
                    client.line()
                    if protocol in ("smtp", "submission"):
                        client.say(b"EHLO x.test")
                client.send(nonsense(chance, protocol))
                client.half_close()
            except OSError:
                pass  # it had had enough before we were done
            client.rest()  # it comes to an end: no session hangs
    settle_down(world, before)
    assert len(os.listdir("/proc/self/fd")) <= files + 2
    probe(world)


def login(world: ThreadedWorld, protocol: str) -> Raw:
    match protocol:
        case "submission":
            return raw_submission(world)
        case "imap":
            client = Raw(world.port("imaps"), world.tls())
            client.line()
            client.send(b'a LOGIN %b "%b"\r\nb SELECT INBOX\r\n' % (USER, PASSWORD.encode()))
            client.until(b"b")
        case _:
            client = Raw(world.port("pop3s"), world.tls())
            client.line()
            client.send(b"USER %b\r\nPASS %b\r\n" % (USER, PASSWORD.encode()))
            client.line()
            client.line()
    return client


def users(world: ThreadedWorld, protocol: str, count: int) -> None:
    chance = random.Random(f"{protocol} {count} users")
    before = tasks(world)
    for _ in range(count):
        with login(world, protocol) as client:
            try:
                client.send(nonsense(chance, protocol))
            except OSError:
                pass
    settle_down(world, before)
    probe(world)


STRANGERS = [("smtp", 500), ("submission", 200), ("imap", 300), ("pop3", 200)]
USERS = [("submission", 200), ("imap", 400), ("pop3", 200)]


@pytest.mark.parametrize(("protocol", "count"), STRANGERS)
def test_strangers(world: ThreadedWorld, protocol: str, count: int) -> None:
    strangers(world, protocol, count)


@pytest.mark.parametrize(("protocol", "count"), USERS)
def test_users(world: ThreadedWorld, protocol: str, count: int) -> None:
    users(world, protocol, count)


@pytest.mark.soak
@pytest.mark.parametrize(("protocol", "count"), STRANGERS)
def test_fifty_times_as_many_strangers(world: ThreadedWorld, protocol: str, count: int) -> None:
    strangers(world, protocol, 50 * count)


@pytest.mark.soak
@pytest.mark.parametrize(("protocol", "count"), USERS)
def test_fifty_times_as_many_users(world: ThreadedWorld, protocol: str, count: int) -> None:
    users(world, protocol, 50 * count)


@pytest.mark.parametrize("name", ["submissions", "imaps", "pop3s"])
def test_no_handshake_at_all(world: ThreadedWorld, name: str) -> None:
    chance = random.Random(name)
    before = tasks(world)
    for _ in range(40):
        with Raw(world.port(name)) as client:
            try:
                client.send(chance.randbytes(chance.randint(1, 3000)))
                client.half_close()
            except OSError:
                pass
            client.rest()
    settle_down(world, before)
    probe(world)


@pytest.mark.parametrize("protocol", ["smtp", "imap", "pop3"])
def test_messages_that_are_garbage_are_stored_and_served(world: ThreadedWorld, protocol: str) -> None:
    chance = random.Random(protocol)
    for number in range(20):
        noise = chance.randbytes(3000).replace(b"\0", b"").replace(b"\r", b"").replace(b"\n", b"\r\n")
        with suppress(smtplib.SMTPDataError):  # a header of noise may name a From that is not ada's
            submit(world, b"X: 1\r\n" + noise if number % 2 else noise, BOB)
    with imap(world, BOB) as client:
        client.select()
        assert client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE BODY.PEEK[TEXT])")[0] == "OK"
        assert client.search(None, "TEXT", "x")[0] == "OK"


def test_after_all_that_mail_still_goes_round(world: ThreadedWorld) -> None:
    submit(world, mail("the end"), BOB)
    assert subjects(world, BOB)[-1] == "the end"
