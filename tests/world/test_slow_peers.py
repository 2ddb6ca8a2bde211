"""Who is slow is waited for so long and no longer, however it drips (SAFETY, the limits of time).

The loop's clock leaps, so nothing here waits; each leap is short of the limit or beyond it.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, raw_submission, subjects
from tests.world.conftest import ADA, no_bugs, peopled
from tests.world.leaping import LIMITS, Leaping

OVER: Final = b"421 4.4.2"


@pytest.fixture(scope="module")
def world() -> Iterator[Leaping]:
    """One for all of them."""
    world = Leaping()
    with no_bugs(), world:
        peopled(world)
        yield world


def drip(world: Leaping, client: Raw, octets: bytes, every: float) -> None:
    """Send one octet now and then."""
    for octet in octets:
        client.send(bytes((octet,)))
        world.leap(every)


def exchange(world: Leaping) -> Raw:
    client = Raw(world.port("smtp"))
    client.reply()
    client.say(b"EHLO x.test")
    return client


def logged_in(world: Leaping, port: str) -> Raw:
    client = Raw(world.port(port), world.tls())
    client.line()
    if port == "imaps":
        client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
        client.until(b"b")
    else:
        client.send(f"USER {ADA}\r\nPASS {PASSWORD}\r\n".encode())
        client.line()
        client.line()
    return client


@pytest.mark.parametrize(
    ("port", "words"), [("smtp", OVER), ("imap", b"* BYE "), ("pop3", b"")], ids=["smtp", "imap", "pop3"]
)
def test_greeting_timeout(world: Leaping, port: str, words: bytes) -> None:
    with Raw(world.port(port)) as client:
        client.line()
        drip(world, client, b"a EHLO x", LIMITS.greeting_timeout / 8 + 0.1)
        rest = client.rest()
    assert rest.startswith(words)
    assert rest.count(b"\n") == bool(words)


PHASES: Final[dict[str, tuple[bytes, ...]]] = {
    "a command": (),
    "after MAIL": (b"MAIL FROM:<eve@elsewhere.test>",),
    "after RCPT": (b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>"),
    "the message": (b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>", b"DATA"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_command_timeout_is_for_the_whole_of_it(world: Leaping, phase: str) -> None:
    with exchange(world) as client:
        for line in PHASES[phase]:
            client.say(line)
        drip(world, client, b"NOOP x", LIMITS.command_timeout / 6 + 0.2)
        assert client.reply().startswith(OVER)
        assert client.rest() == b""


def test_a_chunk_that_drips(world: Leaping) -> None:
    with exchange(world) as client:
        for line in PHASES["after RCPT"]:
            client.say(line)
        client.send(b"BDAT 1000 LAST\r\n")
        drip(world, client, b"Subject", LIMITS.command_timeout / 7 + 0.2)
        assert client.reply().startswith(OVER)


def test_data_timeout_and_data_rate(world: Leaping) -> None:
    with exchange(world) as client:
        for line in PHASES["the message"]:
            client.say(line)
        # Octets buy time at the rate of the setting, but not beyond the end of all patience.
        client.send((b"x" * 98 + b"\r\n") * (2 * int(LIMITS.data_timeout) * LIMITS.data_rate // 100))
        for _ in range(10):
            world.leap(LIMITS.data_timeout / 10 - 1)
            client.send(b"still there\r\n")
        world.leap(11)
        assert client.reply().startswith(OVER)
    assert subjects(world, ADA) == []


def test_an_exchange_of_a_log_in_that_drips(world: Leaping) -> None:
    with Raw(world.port("submissions"), world.tls()) as client:
        client.reply()
        client.say(b"EHLO x.test")
        assert client.say(b"AUTH LOGIN").startswith(b"334 ")
        drip(world, client, base64.b64encode(b"ada@d"), LIMITS.command_timeout / 8 + 0.2)
        assert client.reply().startswith(OVER)


@pytest.mark.parametrize("started", [b"a LOGIN ", b"a AUTHENT", b"a LOGIN {50}\r\nx"])
def test_a_stranger_in_imap(world: Leaping, started: bytes) -> None:
    with Raw(world.port("imaps"), world.tls()) as client:
        client.line()
        client.send(b"z NOOP\r\n")
        client.until(b"z")
        drip(world, client, started, LIMITS.command_timeout / len(started) + 0.2)
        assert b"* BYE" in client.rest()


def test_imap_idle_timeout(world: Leaping) -> None:
    with logged_in(world, "imaps") as client:
        world.leap(LIMITS.imap_idle_timeout - 2)
        client.send(b"c NOOP\r\n")
        assert client.until(b"c")[-1].startswith(b"c OK")
        drip(world, client, b"d FETCH", LIMITS.imap_idle_timeout / 7 + 1)
        assert client.line().startswith(b"* BYE")


def test_a_message_that_drips_into_append(world: Leaping) -> None:
    with logged_in(world, "imaps") as client:
        client.send(b"c APPEND INBOX {1000}\r\n")
        assert client.line().startswith(b"+ ")
        drip(world, client, b"Subject: x", LIMITS.data_timeout / 10 + 1)
        assert client.line().startswith(b"* BYE")
    assert subjects(world, ADA) == []


def test_pop3_timeout_deletes_nothing(world: Leaping) -> None:
    with logged_in(world, "imaps") as client:
        client.send(b"c APPEND INBOX {14+}\r\nSubject: k\r\n\r\n\r\n")
        assert client.until(b"c")[-1].startswith(b"c OK")
    with logged_in(world, "pop3s") as client:
        client.send(b"DELE 1\r\n")
        assert client.line().startswith(b"+OK")
        drip(world, client, b"RETR 1", LIMITS.pop3_timeout / 6 + 1)
        assert client.rest() == b""
    assert subjects(world, ADA) == ["k"]


def test_a_stranger_in_pop3(world: Leaping) -> None:
    with Raw(world.port("pop3s"), world.tls()) as client:
        client.line()
        client.send(b"CAPA\r\n")
        while client.line() != b".":
            pass
        drip(world, client, b"USER ada", LIMITS.command_timeout / 8 + 0.2)
        assert client.rest() == b""


@pytest.mark.parametrize("port", ["submissions", "imaps", "pop3s"])
def test_a_handshake_that_never_begins(world: Leaping, port: str) -> None:
    with Raw(world.port(port)) as client:
        drip(world, client, b"\x16\x03\x01", 10.2)
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("port", "upgrade", "line"),
    [("smtp", b"STARTTLS", Raw.reply), ("imap", b"a STARTTLS", Raw.line), ("pop3", b"STLS", Raw.line)],
)
def test_a_handshake_that_is_asked_for_and_never_begins(
    world: Leaping, port: str, upgrade: bytes, line: Callable[[Raw], bytes]
) -> None:
    with Raw(world.port(port)) as client:
        client.line()
        if port == "smtp":
            client.say(b"EHLO x.test")
        client.send(upgrade + b"\r\n")
        line(client)
        drip(world, client, b"\x16\x03\x01", 20.2)
        assert client.rest() == b""


def test_who_has_half_closed_hears_the_answers_and_is_let_go(world: Leaping) -> None:
    with exchange(world) as client:
        client.send(b"MAIL FROM:<eve@elsewhere.test>\r\nRCPT TO:<ada@demo.test>\r\nNOOP")
        client.half_close()
        assert client.reply().startswith(b"250 ")
        assert client.reply().startswith(b"250 ")
        assert client.rest() == b""


def test_others_are_served_all_the_while(world: Leaping) -> None:
    slow = [exchange(world) for _ in range(10)]
    for client in slow:
        client.send(b"MAIL FR")
    with raw_submission(world) as honest:
        world.leap(LIMITS.command_timeout / 2)
        assert honest.say(b"NOOP").startswith(b"250 ")
        world.leap(LIMITS.command_timeout / 2 + 1)
    for client in slow:
        assert client.reply().startswith(OVER)
        client.__exit__()
