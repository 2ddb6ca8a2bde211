"""TLS that breaks, at every step and in every way, against what the domain demands of it.

Where nothing is demanded the message goes in clear or over what there is, and
once. Where something is, nothing of it is ever said in clear, it waits, and
goes once when the server has been put right.
"""

import ssl
import warnings
from collections.abc import Callable
from typing import Final

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.authority import Authority
from postroad.testing.remote import Drop, Raw, RemoteServer
from tests.unit.mailauth.test_dane import tlsa
from tests.world.clients import mail, subjects, submit
from tests.world.conftest import ADA
from tests.world.test_sending_securely import EVE, MX, certified, publish, sign

Break = Callable[[ThreadedWorld, RemoteServer], None]


def refused(world: ThreadedWorld, server: RemoteServer) -> None:
    server.answer("STARTTLS", "454 4.7.0 not now")


def dropped_behind_220(world: ThreadedWorld, server: RemoteServer) -> None:
    server.answer("STARTTLS", Drop(b"220 2.0.0 go ahead\r\n"))


def half_a_reply(world: ThreadedWorld, server: RemoteServer) -> None:
    server.answer("STARTTLS", Drop(b"220 2.0"))


def no_handshake(world: ThreadedWorld, server: RemoteServer) -> None:
    server.answer("STARTTLS", Raw(b"220 2.0.0 go ahead\r\nthis is no handshake\r\n"))


def alert_in_the_handshake(world: ThreadedWorld, server: RemoteServer) -> None:
    context = certified(world).server_context
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
    server.tls = context


def old_version(world: ThreadedWorld, server: RemoteServer) -> None:
    context = certified(world).server_context
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # Python says that it is old, and so it should be
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server.tls = context


def gone_behind_the_handshake(world: ThreadedWorld, server: RemoteServer) -> None:
    first = f"250 {MX} greets you\nPIPELINING\nSTARTTLS"
    for _ in range(20):
        server.answer("EHLO", first, Drop(), times=1)


def closed_behind_the_handshake(world: ThreadedWorld, server: RemoteServer) -> None:
    first = f"250 {MX} greets you\nPIPELINING\nSTARTTLS"
    for _ in range(20):
        server.answer("EHLO", first, "421 4.3.2 closing", times=1)


NO_TLS: Final[list[Break]] = [
    refused,
    dropped_behind_220,
    half_a_reply,
    no_handshake,
    alert_in_the_handshake,
    old_version,
]
BEHIND_IT: Final[list[Break]] = [gone_behind_the_handshake, closed_behind_the_handshake]


def expired(world: ThreadedWorld, server: RemoteServer) -> None:
    server.tls = world.authority.issue(MX, days=(-20, -10)).server_context


def not_yet_good(world: ThreadedWorld, server: RemoteServer) -> None:
    server.tls = world.authority.issue(MX, days=(10, 20)).server_context


def unknown_authority(world: ThreadedWorld, server: RemoteServer) -> None:
    server.tls = Authority("Nobody knows it").issue(MX).server_context


def another_name(world: ThreadedWorld, server: RemoteServer) -> None:
    server.tls = certified(world, "mx.other.test").server_context


PROVES_NOTHING: Final[list[Break]] = [expired, not_yet_good, unknown_authority, another_name]


def in_clear(server: RemoteServer) -> list[str]:
    """What was said of a message before there was TLS, or without it."""
    return [command for command in server.commands if command.startswith(("MAIL", "RCPT", "DATA"))]


@pytest.mark.parametrize("how", [*NO_TLS, *BEHIND_IT, *PROVES_NOTHING])
def test_where_nothing_is_demanded_it_goes_all_the_same(world: ThreadedWorld, how: Break) -> None:
    server = world.remote("elsewhere.test")
    how(world, server)
    submit(world, mail(), EVE)
    world.settle()
    if how in BEHIND_IT:  # there is TLS, and it is the server that is not well: it is tried again
        assert len(world.queue()) == 1
        server.forget_rules()
        world.advance(hours=1)
    assert [message.tls for message in server.messages] == [how not in NO_TLS]
    assert (world.queue(), subjects(world, ADA)) == ([], [])


@pytest.mark.parametrize("how", [*NO_TLS, *BEHIND_IT, *PROVES_NOTHING])
@pytest.mark.parametrize("demand", ["MTA-STS", "DANE"])
def test_where_tls_is_demanded_nothing_goes_without(world: ThreadedWorld, how: Break, demand: str) -> None:
    good = certified(world)
    server = world.remote("elsewhere.test", shows=good)
    if demand == "DANE":
        sign(world)
        world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, good))
    else:
        publish(world, max_age=30 * 86400)
    how(world, server)
    submit(world, mail(), EVE)
    world.settle()
    world.advance(hours=1)
    assert server.messages == []
    assert in_clear(server) == []
    assert len(world.queue()) == 1, "it waits: the server may be put right"
    world.run(server.stop())
    server.forget_rules()
    server.tls = good.server_context
    world.run(server.start())
    world.advance(hours=5)
    assert [message.tls for message in server.messages] == [True]
    assert world.queue() == []


def test_of_a_certificate_that_dane_names_nothing_else_counts(world: ThreadedWorld) -> None:
    """RFC 7672 §3.1.1: with DANE-EE neither its name nor its time matters, nor who issued it."""
    shown = Authority("Nobody knows it").issue("mx.other.test", days=(-20, -10))
    server = world.remote("elsewhere.test", shows=shown)
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, shown))
    submit(world, mail(), EVE)
    world.settle()
    assert [message.tls for message in server.messages] == [True]


@pytest.mark.parametrize("how", [expired, another_name])
def test_of_an_authority_that_dane_names_the_rest_has_to_be_right(world: ThreadedWorld, how: Break) -> None:
    """RFC 7672 §3.1.2, §3.2.2."""
    server = world.remote("elsewhere.test", shows=certified(world))
    how(world, server)
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(2, 0, 1, world.authority.own))
    submit(world, mail(), EVE)
    world.settle()
    assert server.messages == []
    assert in_clear(server) == []
