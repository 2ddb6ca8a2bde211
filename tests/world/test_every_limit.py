"""Every limit is a setting that counts, has a test, and says what is wrong."""

import smtplib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

import pytest

from postroad.config.fields import fields_of
from postroad.config.limits import Limits
from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, exchange, raw_submission
from tests.world.conftest import ADA, no_bugs, peopled

TESTS: Final = Path(__file__).parents[1]
LOW: Final = Limits(
    header_size=2000,
    header_fields=20,
    header_field_size=500,
    hop_count=5,
    recipients_authenticated=3,
    imap_line_prelogin=200,
    imap_line=600,
    imap_literal=50,
    imap_literals_size=120,
    imap_literals=4,
    metadata_value=30,
    unknown_recipients=3,
    auth_delay=0,
    errors_soft=10,
)


@pytest.fixture(scope="module")
def world() -> Iterator[ThreadedWorld]:
    """A server whose every limit is near."""
    with no_bugs(), ThreadedWorld(limits=LOW) as world:
        yield peopled(world)


def test_every_setting_has_a_test_that_names_it() -> None:
    """Apart from the page that lists them all."""
    sources = [path.read_text() for path in TESTS.rglob("*.py") if path.name != "limits_page.py"]
    untested = {field.name for field in fields_of(Limits) if not any(field.name in text for text in sources)}
    assert untested == set()


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        (b"X: 1\r\n" * 21, 552, b"5.3.4 header has more than 20 fields"),
        (b"X: " + b"y" * 500 + b"\r\n", 552, b"5.3.4 a header field is longer than 500 octets"),
        ((b"X: " + b"y" * 300 + b"\r\n") * 7, 552, b"5.3.4 header is longer than 2000 octets"),
        (b"Received: by x\r\n" * 6, 554, b"5.4.6 too many hops, the message is in a loop"),
    ],
    ids=["header_fields", "header_field_size", "header_size", "hop_count"],
)
def test_headers(world: ThreadedWorld, message: bytes, code: int, words: bytes) -> None:
    with exchange(world) as client:
        client.mail("eve@elsewhere.test")
        client.rcpt(ADA)
        assert client.data(message + b"\r\nbody\r\n") == (code, words)
        client.mail("eve@elsewhere.test")
        client.rcpt(ADA)
        assert client.data(b"Received: by x\r\n" * 5 + b"\r\nbody\r\n")[0] == 250


def test_recipients_authenticated(world: ThreadedWorld) -> None:
    with raw_submission(world) as client:
        client.say(b"MAIL FROM:<ada@demo.test>")
        said = [client.say(b"RCPT TO:<user%d@elsewhere.test>" % number) for number in range(4)]
    assert [reply[:9] for reply in said[:3]] == [b"250 2.1.5"] * 3
    assert said[3] == b"452 4.5.3 too many recipients for one message"


def test_unknown_recipients(world: ThreadedWorld) -> None:
    with exchange(world) as client:
        client.mail("eve@elsewhere.test")
        assert [client.rcpt(f"user{number}@demo.test")[0] for number in range(3)] == [550] * 3
        assert client.getreply() == (421, b"4.7.0 too many unknown recipients, closing")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def imap(world: ThreadedWorld) -> Raw:
    client = Raw(world.port("imaps"), world.tls())
    client.line()
    client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
    client.until(b"b")
    return client


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (b"c NOOP " + b"x" * 600 + b"\r\n", b"c BAD the command is too long"),
        (b"c CREATE {51}\r\n", b"c NO [TOOBIG] the literal is too long"),
        (
            b"c SEARCH " + b" ".join([b"TEXT {50+}\r\n" + b"x" * 50] * 3) + b"\r\n",
            b"c NO [TOOBIG] the literal is too long",
        ),
        (
            b"c SEARCH " + b" ".join([b"TEXT {1+}\r\nx"] * 5) + b"\r\n",
            b"c NO [TOOBIG] the literal is too long",
        ),
        (
            b"c SETMETADATA INBOX (/private/comment {31+}\r\n" + b"x" * 31 + b")\r\n",
            b"c NO [METADATA MAXSIZE 30] the value is too long",
        ),
    ],
    ids=["imap_line", "imap_literal", "imap_literals_size", "imap_literals", "metadata_value"],
)
def test_lines_and_literals(world: ThreadedWorld, command: bytes, said: bytes) -> None:
    with imap(world) as client:
        client.send(command)
        assert client.until(b"c") == [said]
        client.send(b"d NOOP\r\n")
        assert client.until(b"d") == [b"d OK done"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (b"c LOGIN " + b"x" * 200 + b"\r\n", b"c BAD the command is too long"),
        (
            b"c LOGIN {50+}\r\n" + b"x" * 50 + b" {50+}\r\n" + b"y" * 50 + b"\r\n",
            b"c NO [AUTHENTICATIONFAILED]",
        ),
        (b"c LOGIN " + b"z" * 170 + b" {50}\r\n", b"c NO [TOOBIG] the literal is too long"),
    ],
    ids=["a line", "within", "with its literals"],
)
def test_imap_line_prelogin(world: ThreadedWorld, command: bytes, said: bytes) -> None:
    with Raw(world.port("imaps"), world.tls()) as client:
        client.line()
        client.send(command)
        (line,) = client.until(b"c")
        assert line.startswith(said)


def test_unread_timeout() -> None:
    """Who does not read what was asked for is let go, and keeps nobody else from reading."""
    limits = Limits(unread_timeout=0.2)
    with no_bugs() as entries, ThreadedWorld(limits=limits, workers=1) as world:
        peopled(world)
        for _ in range(3):
            world.deliver(ADA, text=("x" * 70 + "\n") * 60_000)
        with Raw(world.port("imaps"), world.tls()) as client:
            client.line()
            client.send(f'a LOGIN {ADA} "{PASSWORD}"\r\nb SELECT INBOX\r\nc FETCH 1:* BODY[]\r\n'.encode())
            # By its connection: sessions of the world of this module may end only now.
            world.until(lambda: _ended(entries, _conn(entries, "imap.login")))
            assert b"c OK" not in client.rest()


def _conn(entries: list[MutableMapping[str, Any]], event: str) -> object:
    return next((entry["conn"] for entry in entries if entry["event"] == event), None)


def _ended(entries: list[MutableMapping[str, Any]], conn: object) -> bool:
    return any(entry["event"] == "imap.end" and entry["conn"] == conn for entry in entries)
