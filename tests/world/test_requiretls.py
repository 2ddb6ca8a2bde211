"""REQUIRETLS and TLS-Required: No, on the way out (RFC 8689 §4.2)."""

import pytest

from postroad.testing import ThreadedWorld
from tests.unit.mailauth.test_dane import tlsa
from tests.world.clients import mail, submission, submit
from tests.world.conftest import ADA
from tests.world.test_sending_securely import EVE, MX, certified, publish, sign


def require(world: ThreadedWorld) -> None:
    """Submit with REQUIRETLS."""
    with submission(world) as client:
        refused = client.sendmail(ADA, [EVE], mail(), ["REQUIRETLS"])
        assert refused == {}
    world.settle()


def bounce(world: ThreadedWorld) -> str:
    """The only message in ada's INBOX."""
    (found,) = world.mailbox(ADA).messages()
    return found.octets.decode()


@pytest.mark.parametrize("how", ["mta-sts", "dane", "signed mx"])
def test_a_server_that_is_authenticated_and_passes_it_on_gets_it(world: ThreadedWorld, how: str) -> None:
    shown = certified(world)
    server = world.remote("elsewhere.test", shows=shown)
    server.extensions.append("REQUIRETLS")
    if how == "mta-sts":
        publish(world)
    else:
        sign(world)
    if how == "dane":
        world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, shown))
    require(world)
    (message,) = server.messages
    assert message.tls
    assert message.mail.endswith(" REQUIRETLS")


def test_a_server_that_does_not_pass_it_on_gets_nothing(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", shows=certified(world))
    publish(world)
    require(world)
    assert server.said("MAIL") == []
    said = bounce(world)
    assert "Status: 5.7.30" in said
    assert "REQUIRETLS support required" in said
    assert "Hello.\n" not in said.replace("\r\n", "\n"), "what must not travel in clear is not returned"


@pytest.mark.parametrize("tls", [False, True], ids=["without TLS", "not trusted"])
def test_a_server_that_cannot_prove_itself_gets_nothing(world: ThreadedWorld, tls: bool) -> None:
    server = world.remote("elsewhere.test", tls=tls)
    server.extensions.append("REQUIRETLS")
    publish(world, mode="testing")
    require(world)
    assert server.said("MAIL") == []
    assert "Status: 5.7.10" in bounce(world)


def test_an_mx_that_nobody_vouches_for_is_not_used(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", shows=certified(world))
    server.extensions.append("REQUIRETLS")
    require(world)
    assert server.commands == []
    assert "Status: 5.7.10" in bounce(world)


def test_another_host_may_be_able_to(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test", host="mx1.elsewhere.test", shows=certified(world, "mx1.elsewhere.test"))
    second = world.remote(
        "elsewhere.test",
        host="mx2.elsewhere.test",
        preference=20,
        shows=certified(world, "mx2.elsewhere.test"),
    )
    second.extensions.append("REQUIRETLS")
    publish(world, mx="*.elsewhere.test")
    require(world)
    assert len(second.messages) == 1


def test_a_server_that_is_away_may_come_back(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", shows=certified(world))
    server.extensions.append("REQUIRETLS")
    publish(world)
    server.answer("CONNECT", "421 4.3.2 not now", times=1)
    require(world)
    assert world.mailbox(ADA).messages() == []
    world.advance(minutes=10)
    assert len(server.messages) == 1


def waive(world: ThreadedWorld) -> None:
    submit(world, mail(more=b"TLS-Required: No\r\n"), EVE)
    world.settle()


def test_with_tls_required_no_policies_are_passed_over(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    publish(world)
    waive(world)
    (message,) = server.messages
    assert message.tls, "it is encrypted all the same, where that is possible"


def test_with_tls_required_no_clear_text_will_do(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", tls=False)
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    waive(world)
    assert not server.messages[0].tls
