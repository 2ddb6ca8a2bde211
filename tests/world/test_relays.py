"""Routes: smarthosts, back ends by LMTP, fall-backs, addresses to come from."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from postroad.directory import routes
from postroad.directory.seal import Seal
from postroad.testing import ThreadedWorld
from postroad.testing.certificate import server_tls
from postroad.testing.remote import RemoteServer
from tests.world.clients import mail, submit
from tests.world.conftest import ADA
from tests.world.test_requiretls import bounce, require

EVE, TOM = "eve@elsewhere.test", "tom@elsewhere.test"
SECRET = "correct horse"
Relay = Callable[..., RemoteServer]


@pytest.fixture
def relay(world: ThreadedWorld) -> Iterator[Relay]:
    """Makes servers that only a route leads to: relay.test, with a certificate that is believed."""
    made: list[RemoteServer] = []

    def make(**options: Any) -> RemoteServer:
        tls = options.pop("tls", world.authority.issue("relay.test").server_context)
        server = RemoteServer("relay.test", "127.0.3.1", tls=tls, **options)
        world.run(server.start())
        made.append(server)
        return server

    world.resolver.add_address("relay.test", "127.0.3.1")
    yield make
    for server in made:
        world.run(server.stop())


def add(world: ThreadedWorld, domain: str, scheme: str, server: RemoteServer | None, **more: Any) -> None:
    target = "mx" if server is None else f"{scheme}://relay.test:{server.port}"
    seal = Seal.of(world.world.data)
    world.change(lambda tx: routes.add_route(tx, domain, target, who="test", seal=seal, **more))


def send(world: ThreadedWorld, *recipients: str) -> None:
    submit(world, mail(), *(recipients or [EVE]))
    world.settle()


def words(world: ThreadedWorld) -> str:
    (queued,) = world.queue()
    return queued.recipients[0].last_words


@pytest.mark.parametrize("domain", ["elsewhere.test", "*"])
def test_a_smarthost_takes_the_mail_of_a_domain_or_of_all(
    world: ThreadedWorld, relay: Relay, domain: str
) -> None:
    direct, smarthost = world.remote("elsewhere.test"), relay()
    add(world, domain, "smtp", smarthost)
    send(world)
    assert (len(direct.messages), len(smarthost.messages)) == (0, 1)
    world.change(lambda tx: routes.remove_route(tx, domain, who="test"))
    send(world)
    assert len(direct.messages) == 1


def test_the_route_of_a_domain_wins_over_that_of_all(world: ThreadedWorld, relay: Relay) -> None:
    direct, smarthost = world.remote("elsewhere.test"), relay()
    add(world, "*", "smtp", smarthost)
    add(world, "elsewhere.test", "mx", None)
    send(world, EVE, "x@third.test")
    assert (len(direct.messages), len(smarthost.messages)) == (1, 1)


def test_a_route_may_be_for_the_mail_of_one_of_our_domains(world: ThreadedWorld, relay: Relay) -> None:
    direct, theirs, narrow = world.remote("elsewhere.test"), relay(), relay()
    world.add_domain("second.test")
    world.add_account("sue@second.test")
    add(world, "*", "smtp", theirs, sender="Second.test")
    submit(world, mail("ours"), EVE)
    submit(world, mail("theirs", sender="sue@second.test"), EVE, "x@third.test", sender="sue@second.test")
    world.settle()
    assert [len(server.messages) for server in (direct, theirs)] == [1, 2]
    add(world, "elsewhere.test", "smtp", narrow)
    submit(world, mail("again", sender="sue@second.test"), EVE, sender="sue@second.test")
    world.settle()
    assert [len(server.messages) for server in (direct, theirs, narrow)] == [1, 2, 1], "the recipient's wins"
    add(world, "elsewhere.test", "mx", None, sender="second.test", sources=["127.0.0.9"])
    submit(world, mail("at last", sender="sue@second.test"), EVE, sender="sue@second.test")
    world.settle()
    assert [len(server.messages) for server in (direct, theirs, narrow)] == [2, 2, 1]
    assert direct.peers == ["127.0.0.1", "127.0.0.9"]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"])
@pytest.mark.parametrize("scheme", ["submission", "smtps"])
def test_a_smarthost_wants_a_login(world: ThreadedWorld, relay: Relay, scheme: str, mechanism: str) -> None:
    smarthost = relay(login=("ada", SECRET), implicit=scheme == "smtps")
    smarthost.mechanisms = [mechanism]
    add(world, "*", scheme, smarthost, login="ada", password=SECRET)
    send(world)
    (message,) = smarthost.messages
    assert message.tls
    assert any(command.startswith(f"AUTH {mechanism}") for command in smarthost.commands)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN", "CRAM-MD5"])
def test_a_login_that_fails_loses_nothing(world: ThreadedWorld, relay: Relay, mechanism: str) -> None:
    smarthost = relay(login=("ada", "another password"))
    smarthost.mechanisms = [mechanism]
    add(world, "*", "submission", smarthost, login="ada", password=SECRET)
    send(world)
    assert smarthost.messages == []
    assert world.mailbox(ADA).messages() == [], "it is our mistake, and it is not told to the sender"
    assert words(world)


@pytest.mark.parametrize("reply", ["235 2.7.0 welcome", "250 2.7.0 welcome"])
def test_who_welcomes_us_without_a_proof_is_not_believed(
    world: ThreadedWorld, relay: Relay, reply: str
) -> None:
    smarthost = relay(login=("ada", SECRET))
    smarthost.mechanisms = ["SCRAM-SHA-256"]
    smarthost.answer("AUTH", reply)
    add(world, "*", "submission", smarthost, login="ada", password=SECRET)
    send(world)
    assert "did not prove that it knows the password" in words(world)


def test_a_password_is_not_said_to_who_cannot_prove_its_name(world: ThreadedWorld, relay: Relay) -> None:
    smarthost = relay(login=("ada", SECRET), tls=server_tls("relay.test"))
    add(world, "*", "submission", smarthost, login="ada", password=SECRET)
    send(world)
    assert smarthost.said("AUTH") == []
    assert "certificate" in words(world)


def test_a_password_is_not_said_in_clear(world: ThreadedWorld, relay: Relay) -> None:
    smarthost = relay(login=("ada", SECRET), tls=None)
    add(world, "*", "submission", smarthost, login="ada", password=SECRET, tls="encrypt")
    send(world)
    assert smarthost.said("AUTH") == []
    assert "does not offer TLS" in words(world)


def test_a_password_is_sealed_in_the_database(world: ThreadedWorld, relay: Relay) -> None:
    add(world, "*", "submission", relay(), login="ada", password=SECRET)
    (sealed,) = world.read(lambda reader: reader.row("SELECT password FROM route"))  # type: ignore[misc]
    assert SECRET.encode() not in sealed
    saved = (world.world.data / "directory.json").read_text()
    assert "relay.test" in saved
    assert SECRET not in saved


def test_a_fall_back_waits_until_so_many_attempts_have_failed(world: ThreadedWorld, relay: Relay) -> None:
    direct, second = world.remote("elsewhere.test"), relay()
    direct.answer("CONNECT", "421 4.3.2 not now")
    add(world, "elsewhere.test", "smtp", second, after=2)
    send(world)
    assert second.messages == []
    world.advance(minutes=6)
    assert second.messages == []
    world.advance(minutes=12)
    assert len(second.messages) == 1


def test_a_back_end_by_lmtp_answers_for_each_recipient(world: ThreadedWorld, relay: Relay) -> None:
    backend = relay(lmtp=True, tls=None)
    backend.answer("RCPT", "550 5.1.1 nobody", to="nobody@")
    backend.answer("END", "452 4.2.2 full", to="tom@")
    add(world, "elsewhere.test", "lmtp", backend)
    send(world, EVE, TOM, "nobody@elsewhere.test")
    assert [m.recipients for m in backend.messages] == [[EVE]]
    assert backend.said("LHLO")
    assert backend.said("EHLO") == backend.said("HELO") == []
    (queued,) = world.queue()
    assert [str(r.address) for r in queued.recipients] == [TOM]
    assert "452 4.2.2 full" in words(world)
    (bounce,) = world.mailbox(ADA).messages()
    assert b"Final-Recipient: rfc822; nobody@elsewhere.test" in bounce.octets


def test_mail_waits_while_a_route_says_lmtp_of_a_server_that_knows_none(
    world: ThreadedWorld, relay: Relay
) -> None:
    backend = relay(lmtp=True, tls=None)
    backend.answer("LHLO", "500 5.5.1 what?")
    add(world, "elsewhere.test", "lmtp", backend)
    send(world)
    assert "500 5.5.1 what?" in words(world)
    assert len(world.queue()) == 1
    assert world.mailbox(ADA).messages() == []


def test_a_back_end_may_have_our_own_name(world: ThreadedWorld, relay: Relay) -> None:
    backend = relay(lmtp=True, tls=None)
    backend.answer("LHLO", f"250 {world.world.settings.hostname} hello\nPIPELINING")
    add(world, "elsewhere.test", "lmtp", backend)
    send(world)
    assert len(backend.messages) == 1


def test_a_back_end_that_leaves_after_the_first_reply_keeps_what_it_took(
    world: ThreadedWorld, relay: Relay
) -> None:
    backend = relay(lmtp=True, tls=None)
    backend.answer("END", "421 4.3.2 going down", to="tom@", times=1)
    add(world, "elsewhere.test", "lmtp", backend)
    send(world, EVE, TOM)
    (queued,) = world.queue()
    assert [str(r.address) for r in queued.recipients] == [TOM]
    world.advance(minutes=10)
    assert [m.recipients for m in backend.messages][-1] == [TOM]


def test_a_connection_comes_from_where_the_route_says(world: ThreadedWorld) -> None:
    direct = world.remote("elsewhere.test")
    add(world, "elsewhere.test", "mx", None, sources=["127.0.5.5", "::1"])
    send(world)
    assert direct.peers == ["127.0.5.5"]


def test_an_address_that_is_not_ours_is_no_place_to_come_from(world: ThreadedWorld) -> None:
    direct = world.remote("elsewhere.test")
    add(world, "elsewhere.test", "mx", None, sources=["192.0.2.1"])
    send(world)
    assert direct.connections == 0
    assert "cannot connect" in words(world)


def test_a_relay_that_cannot_be_found_is_waited_for(world: ThreadedWorld, relay: Relay) -> None:
    add(world, "*", "smtp", relay())
    world.resolver.forget("relay.test")
    send(world)
    assert "cannot be found" in words(world)


def test_with_requiretls_the_relay_has_to_prove_its_name(world: ThreadedWorld, relay: Relay) -> None:
    smarthost = relay(tls=server_tls("relay.test"))
    smarthost.extensions.append("REQUIRETLS")
    add(world, "*", "smtp", smarthost)
    send(world)
    assert len(smarthost.messages) == 1
    require(world)
    assert len(smarthost.messages) == 1
    assert "Status: 5.7.10" in bounce(world)
