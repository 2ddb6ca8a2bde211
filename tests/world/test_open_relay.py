"""No stranger sends anything to elsewhere through this server (SAFETY C7), at whatever port."""

from collections.abc import Iterator

import pytest

from postroad.net.sockets import open_sockets
from postroad.testing import ThreadedWorld
from postroad.testing.world import LISTENERS
from tests.unit.directory.test_open_relay import REACHES_ADA, REFUSED
from tests.world.clients import Raw, mail, subjects
from tests.world.conftest import no_bugs

SENDERS = [b"", b"ada@example.org", b"eve@elsewhere.example", b"postmaster@mx.world.test", b"x@[127.0.0.1]"]


@pytest.fixture(scope="module")
def relay() -> Iterator[ThreadedWorld]:
    """The server that the list is about: example.org, ada, and an alias to elsewhere."""
    with no_bugs(), ThreadedWorld() as world:
        world.add_account("ada@example.org")
        world.add_alias("out@example.org", "carol@third.example")
        yield world


def replies_behind(client: Raw, *lines: bytes) -> list[bytes]:
    """Everything that is said to some lines and a QUIT behind them, but for the QUIT's."""
    client.send(b"".join(line + b"\r\n" for line in (*lines, b"QUIT")))
    said = []
    while (reply := client.reply()) and not reply.startswith(b"221"):
        said.append(reply)
    return said


@pytest.mark.parametrize("path", REFUSED)
def test_no_recipient_elsewhere_is_taken(relay: ThreadedWorld, path: bytes) -> None:
    with Raw(relay.port("smtp")) as client:
        client.reply()
        client.say(b"EHLO [127.0.0.1]")
        client.say(b"MAIL FROM:<eve@elsewhere.example> SMTPUTF8")
        said = replies_behind(client, b"RCPT TO:<" + path + b">", b"DATA")
    assert said, path
    assert all(reply[:1] in b"45" for reply in said), said


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("hello", [b"HELO mx.world.test", b"EHLO example.org", b"HELO localhost"])
def test_whoever_says_to_be_us_is_a_stranger_all_the_same(
    relay: ThreadedWorld, sender: bytes, hello: bytes
) -> None:
    with Raw(relay.port("smtp")) as client:
        client.reply()
        client.say(hello)
        client.say(b"MAIL FROM:<" + sender + b">")
        assert client.say(b"RCPT TO:<eve@elsewhere.example>").startswith(b"5")


def test_the_machine_itself_is_a_stranger_over_ipv6_too(relay: ThreadedWorld) -> None:
    async def listen() -> int:
        worker = relay.world.workers[0]
        (sock,) = open_sockets("::1", 0, 1)
        await worker._front.listen(sock, worker._service(LISTENERS["smtp"]))
        port: int = sock.getsockname()[1]
        return port

    with Raw(relay.run(listen()), host="::1") as client:
        client.reply()
        client.say(b"EHLO [IPv6:::1]")
        for sender in SENDERS:
            client.say(b"MAIL FROM:<" + sender + b">")
            for path in (b"eve@elsewhere.example", b"eve%elsewhere.example@example.org", b"eve@[IPv6:::1]"):
                assert client.say(b"RCPT TO:<" + path + b">").startswith(b"550 ")
            client.say(b"RSET")


@pytest.mark.parametrize("port", ["submission", "submissions"])
def test_submission_takes_nothing_without_a_log_in(relay: ThreadedWorld, port: str) -> None:
    context = relay.tls()
    with Raw(relay.port(port), context if port == "submissions" else None) as client:
        client.reply()
        client.say(b"EHLO x.test")
        if port == "submission":
            client.say(b"STARTTLS")
            client.start_tls(context)
            client.say(b"EHLO x.test")
        for line in (b"MAIL FROM:<ada@example.org>", b"RCPT TO:<eve@elsewhere.example>", b"DATA"):
            assert client.say(line)[:3] in (b"530", b"503")


def test_what_does_reach_ada_reaches_nobody_else(relay: ThreadedWorld) -> None:
    for number, path in enumerate(REACHES_ADA):
        with Raw(relay.port("smtp")) as client:
            client.reply()
            client.say(b"EHLO x.test")
            client.say(b"MAIL FROM:<eve@elsewhere.example> SMTPUTF8")
            assert client.say(b"RCPT TO:<" + path + b">").startswith(b"250 "), path
            client.say(b"DATA")
            assert client.say(mail(f"n{number}") + b".").startswith(b"250 ")
    assert subjects(relay, "ada@example.org") == [f"n{number}" for number in range(len(REACHES_ADA))]


def test_nothing_of_all_that_is_on_its_way(relay: ThreadedWorld) -> None:
    relay.settle()
    assert relay.queue() == []
    assert relay.resolver.asked == []
