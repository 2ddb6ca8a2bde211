"""Addresses that are not written to any more bounce at once, with the reason."""

import pytest

from postroad.config.settings import Queue
from postroad.model.address import parse_mailbox
from postroad.queue.suppression import NotSuppressed, add, listed, remove
from postroad.testing import ThreadedWorld
from tests.world.clients import mail, submit
from tests.world.conftest import ADA, no_bugs, peopled

EVE, TOM = "eve@elsewhere.test", "tom@elsewhere.test"


def send(world: ThreadedWorld, *recipients: str) -> None:
    submit(world, mail(), *recipients)
    world.settle()


def test_mail_for_a_suppressed_address_goes_back_and_other_mail_goes_on(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    world.change(lambda tx: add(tx, parse_mailbox("EVE@elsewhere.test"), who="test", reason="she asked"))
    send(world, EVE, TOM)
    assert [m.recipients for m in server.messages] == [[TOM]]
    (bounce,) = world.mailbox(ADA).messages()
    said = bounce.octets.decode()
    assert "suppression list of this server: she asked" in " ".join(said.split())
    assert "Status: 5.1.1" in said
    assert f"Final-Recipient: rfc822; {EVE}" in said


def test_nobody_is_connected_to_for_suppressed_addresses_alone(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    world.change(lambda tx: add(tx, parse_mailbox(EVE), who="test"))
    send(world, EVE)
    assert server.connections == 0
    world.change(lambda tx: remove(tx, parse_mailbox(EVE)))
    send(world, EVE)
    assert len(server.messages) == 1
    with pytest.raises(NotSuppressed):
        world.change(lambda tx: remove(tx, parse_mailbox(EVE)))


def test_bounces_teach_nothing_unless_that_is_wanted(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    server.answer("RCPT", "550 5.1.1 nobody", times=1)
    send(world, EVE)
    send(world, EVE)
    assert len(server.messages) == 1
    assert world.read(listed) == []


def test_bounces_in_a_row_suppress_an_address() -> None:
    queue = Queue(allow_private_addresses=True, suppress_after=2)
    with no_bugs(), ThreadedWorld(queue=queue) as world:
        server = peopled(world).remote("elsewhere.test")
        for reply in ("550 5.1.1 nobody", "250 OK", "550 5.1.1 nobody", "550 5.7.1 spam", "550 5.1.1 nobody"):
            server.answer("RCPT", reply, times=1)
            send(world, EVE)
        (one,) = world.read(listed)
        assert (one.address, one.bounces, one.who) == (EVE, 2, "")
        tried = len(server.said("RCPT"))
        send(world, EVE)
        assert len(server.said("RCPT")) == tried
        last = world.mailbox(ADA).messages()[-1].octets.decode()
        assert "550 5.1.1 nobody" in " ".join(last.split())
