"""Behind proxies: limits, trail and trace fields go by the client, and nobody else can say who that is."""

import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest

from postroad.config.limits import Limits
from postroad.config.settings import Listener
from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import PATIENCE, Raw, mail
from tests.world.conftest import ADA, no_bugs, peopled

HERE: Final = "127.0.0.1:0"
PROXY: Final = ("127.0.0.0/8",)
LISTENERS: Final = {
    "proxied-smtp": Listener(role="smtp", address=HERE, proxy_from=PROXY),
    "proxied-imap": Listener(role="imap", address=HERE, proxy_from=PROXY),
    "proxied-imaps": Listener(role="imap", address=HERE, tls="implicit", proxy_from=PROXY),
    "proxied-pop3": Listener(role="pop3", address=HERE, proxy_from=PROXY),
    "other-proxy": Listener(role="smtp", address=HERE, proxy_from=("192.0.2.1",)),
    "xclient": Listener(role="smtp", address=HERE, xclient_from=PROXY),
    "xclient-submission": Listener(role="submission", address=HERE, xclient_from=PROXY),
}
TEXT: Final = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n"
BINARY: Final = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x29" + bytes.fromhex(
    "20010db800000000000000000000000720010db80000000000000000000000019c4000190400027879"
)
LOCAL: Final = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"


@pytest.fixture(scope="module")
def world() -> Iterator[ThreadedWorld]:
    limits = Limits(unauthenticated_per_address=1, auth_delay=0, errors_soft=10)
    with no_bugs(), ThreadedWorld(limits=limits, listeners=LISTENERS, workers=1) as world:
        yield peopled(world)


def deliver(client: Raw, sender: str) -> None:
    assert client.say(b"EHLO client.elsewhere.test").startswith(b"250")
    client.say(b"MAIL FROM:<%b>" % sender.encode())
    client.say(b"RCPT TO:<ada@demo.test>")
    client.say(b"DATA")
    assert client.say(mail(sender=sender) + b".").startswith(b"250")


def received(world: ThreadedWorld, sender: str) -> str:
    (found,) = [m for m in world.mailbox(ADA).messages() if m.headers("Return-Path") == [f"<{sender}>"]]
    return found.headers("Received")[0]


@pytest.mark.parametrize(
    ("header", "address"), [(TEXT, "192.0.2.7"), (BINARY, "IPv6:2001:db8::7"), (LOCAL, "127.0.0.1")]
)
def test_the_client_is_in_trace_field_and_trail(world: ThreadedWorld, header: bytes, address: str) -> None:
    sender = f"eve{len(header)}@elsewhere.test"
    with Raw(world.port("proxied-smtp")) as client:
        client.send(header)
        assert client.reply().startswith(b"220")
        deliver(client, sender)
    assert f"([{address}])" in received(world, sender)
    (trail,) = world.trail(sender)
    assert trail.notes[0][1].facts["address"] == address.removeprefix("IPv6:")


def test_limits_go_by_the_client(world: ThreadedWorld) -> None:
    def greeting(client: Raw, last: int) -> bytes:
        client.send(b"PROXY TCP4 192.0.2.%d 198.51.100.1 40000 25\r\n" % last)
        return client.reply()

    with Raw(world.port("proxied-smtp")) as one, Raw(world.port("proxied-smtp")) as two:
        assert greeting(one, 20).startswith(b"220")
        assert greeting(two, 21).startswith(b"220")
        with Raw(world.port("proxied-smtp")) as three:
            assert greeting(three, 20).startswith(b"421")


@pytest.mark.parametrize(
    "octets", [b"EHLO client.test\r\n", b"PROXY TCP4 1.2.3.4\r\n", b"", LOCAL[:14], BINARY[:-1]], ids=repr
)
def test_without_a_whole_header_a_proxy_hears_nothing(world: ThreadedWorld, octets: bytes) -> None:
    with Raw(world.port("proxied-smtp")) as client:
        client.send(octets)
        with suppress(OSError):  # it may be closed already
            client.half_close()
        assert client.rest() == b""


def test_a_header_from_anybody_else_ends_the_connection(world: ThreadedWorld) -> None:
    for port in ("smtp", "other-proxy"):
        with Raw(world.port(port)) as client:
            client.send(TEXT)
            said = client.rest()
            assert b"250" not in said
            assert said.count(b"\n") <= 2, said


def test_commands_in_clear_behind_the_header_do_not_survive_starttls(world: ThreadedWorld) -> None:
    with Raw(world.port("proxied-smtp")) as client:
        client.send(TEXT.replace(b".7", b".30"))
        client.reply()
        client.say(b"EHLO client.test")
        client.send(b"STARTTLS\r\n" + TEXT + b"MAIL FROM:<eve@elsewhere.test>\r\n")
        assert client.reply().startswith(b"220")
        client.start_tls(world.tls())
        assert client.say(b"NOOP").startswith(b"250")
        assert client.say(b"RCPT TO:<ada@demo.test>").startswith(b"503")


def test_imap_in_clear_and_in_tls_and_pop3(world: ThreadedWorld) -> None:
    with socket.create_connection(("127.0.0.1", world.port("proxied-imaps")), timeout=PATIENCE) as plain:
        plain.sendall(BINARY)
        with world.tls().wrap_socket(plain, server_hostname="localhost") as secured:
            client = _Imap(secured)
            assert client.login(ADA, PASSWORD)[0] == "OK"
            client.logout()
    for port, greeting in (("proxied-imap", b"* OK"), ("proxied-pop3", b"+OK")):
        with Raw(world.port(port)) as raw:
            raw.send(TEXT.replace(b".7", b".40") if port == "proxied-imap" else TEXT.replace(b".7", b".41"))
            assert raw.line().startswith(greeting)


class _Imap(imaplib.IMAP4):
    """Over a connection that is there already."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._there = sock
        super().__init__()

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._there


def test_what_xclient_says_is_believed_and_counts(world: ThreadedWorld) -> None:
    with Raw(world.port("xclient")) as client:
        client.reply()
        client.say(b"EHLO proxy.test")
        said = b"XCLIENT NAME=spike.test ADDR=192.0.2.50 HELO=spike DESTADDR=198.51.100.1"
        assert client.say(said).startswith(b"220")
        deliver(client, "xc@elsewhere.test")
        with Raw(world.port("xclient")) as another:
            another.reply()
            another.say(b"EHLO proxy.test")
            assert another.say(b"XCLIENT ADDR=192.0.2.51").startswith(b"220")
            with Raw(world.port("xclient")) as third:
                third.reply()
                third.say(b"EHLO proxy.test")
                assert third.say(b"XCLIENT ADDR=192.0.2.51").startswith(b"421")
                assert third.rest() == b""
    assert "from spike (spike.test [192.0.2.50])" in received(world, "xc@elsewhere.test")


def test_a_login_at_the_proxy_is_one_here(world: ThreadedWorld) -> None:
    with Raw(world.port("xclient-submission")) as client:
        client.reply()
        client.say(b"EHLO proxy.test")
        assert client.say(b"STARTTLS").startswith(b"220")
        client.start_tls(world.tls())
        client.say(b"EHLO proxy.test")
        assert client.say(b"XCLIENT LOGIN=nobody@demo.test").startswith(b"550")
        assert client.say(b"XCLIENT ADDR=192.0.2.60 LOGIN=ada@demo.test").startswith(b"220")
        client.say(b"EHLO laptop.test")
        assert client.say(b"MAIL FROM:<bob@demo.test>").startswith(b"550")
        assert client.say(b"MAIL FROM:<ada@demo.test>").startswith(b"250")


def test_nobody_else_is_offered_xclient(world: ThreadedWorld) -> None:
    with Raw(world.port("smtp")) as client:
        client.reply()
        assert b"XCLIENT" not in client.say(b"EHLO client.test")
        assert client.say(b"XCLIENT ADDR=192.0.2.70").startswith(b"500")
