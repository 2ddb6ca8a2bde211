"""Which server gets the mail for a domain (RFC 5321 §5.1, RFC 7505)."""

import pytest

from postroad.config.settings import Queue
from postroad.queue.pace import WIDTH_FIRST
from postroad.smtp.timeouts import Timeouts
from postroad.testing import ThreadedWorld
from postroad.testing.remote import Drop, Hold, Raw
from tests.world.clients import mail, subjects, submit
from tests.world.conftest import ADA, no_bugs, peopled

EVE = "eve@elsewhere.test"


def send(world: ThreadedWorld, *recipients: str) -> None:
    submit(world, mail(), *(recipients or [EVE]))
    world.settle()


def bounced(world: ThreadedWorld) -> str:
    """The only message in ada's INBOX."""
    (bounce,) = world.mailbox(ADA).messages()
    return bounce.octets.decode()


def test_the_lowest_preference_comes_first(world: ThreadedWorld) -> None:
    second = world.remote("elsewhere.test", host="second.elsewhere.test", preference=20)
    first = world.remote("elsewhere.test", host="first.elsewhere.test", preference=10)
    send(world)
    assert (len(first.messages), len(second.messages)) == (1, 0)


def test_the_next_host_is_asked_when_the_first_is_dead(world: ThreadedWorld) -> None:
    first = world.remote("elsewhere.test", host="first.elsewhere.test", preference=10)
    second = world.remote("elsewhere.test", host="second.elsewhere.test", preference=20)
    world.run(first.stop())
    send(world)
    assert len(second.messages) == 1


@pytest.mark.parametrize("greeting", ["421 4.3.2 full house", "554 5.3.2 no mail here"])
def test_the_next_host_is_asked_when_the_first_turns_us_away(world: ThreadedWorld, greeting: str) -> None:
    first = world.remote("elsewhere.test", host="first.elsewhere.test", preference=10)
    second = world.remote("elsewhere.test", host="second.elsewhere.test", preference=20)
    first.answer("CONNECT", greeting)
    send(world)
    assert len(second.messages) == 1


def test_equal_preferences_share_the_load(world: ThreadedWorld) -> None:
    servers = [world.remote("elsewhere.test", host=f"mx{n}.elsewhere.test") for n in range(2)]
    for domain in range(24):
        world.resolver.add_mx(f"d{domain}.test", "mx0.elsewhere.test")
        world.resolver.add_mx(f"d{domain}.test", "mx1.elsewhere.test")
    send(world, *(f"eve@d{domain}.test" for domain in range(24)))
    assert all(server.messages for server in servers)
    assert sum(len(server.messages) for server in servers) == 24


def test_a_domain_without_mx_is_its_own_server(world: ThreadedWorld) -> None:
    server = world.remote("other.test", host="elsewhere.test")
    send(world)
    assert len(server.messages) == 1


def test_a_host_with_several_addresses_is_tried_at_all_of_them(world: ThreadedWorld) -> None:
    world.resolver.add_address("mx.elsewhere.test", "127.0.9.9")
    server = world.remote("elsewhere.test")
    send(world)
    assert len(server.messages) == 1


def test_aliases_in_the_dns_are_followed(world: ThreadedWorld) -> None:
    server = world.remote("real.test")
    world.resolver.add_alias("elsewhere.test", "real.test")
    send(world)
    assert server.messages[0].recipients == [EVE]


def test_the_null_mx_is_the_end_of_it(world: ThreadedWorld) -> None:
    world.resolver.add_mx("elsewhere.test", "", 0)
    send(world)
    assert "5.1.10" in bounced(world)


def test_a_domain_that_does_not_exist(world: ThreadedWorld) -> None:
    send(world)
    assert "5.1.2" in bounced(world)
    assert "elsewhere.test does not exist" in " ".join(bounced(world).split())


def test_a_domain_whose_dns_is_down_is_asked_again(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    world.resolver.broken.add("elsewhere.test")
    send(world)
    assert len(world.queue()) == 1
    world.resolver.broken.clear()
    world.advance(hours=1)
    assert len(server.messages) == 1


def test_a_dead_host_is_tried_until_the_end(world: ThreadedWorld) -> None:
    world.run(world.remote("elsewhere.test").stop())
    send(world)
    (waiting,) = world.queue()
    assert "cannot connect" in waiting.recipients[0].last_words
    world.advance(days=5)
    assert subjects(world, ADA) == ["Delayed: Hello", "Undelivered: Hello"]


def test_an_mx_that_is_ourselves_is_left_out_and_what_is_worse_too(world: ThreadedWorld) -> None:
    worse = world.remote("elsewhere.test", host="worse.elsewhere.test", preference=30)
    world.resolver.add_mx("elsewhere.test", "mx.world.test", 20)
    send(world)
    assert "5.4.6" in bounced(world)
    assert worse.connections == 0


@pytest.mark.parametrize("alias", [False, True], ids=["by its address", "as an alias"])
def test_an_mx_that_turns_out_to_be_ourselves_is_the_end_too(world: ThreadedWorld, alias: bool) -> None:
    """RFC 5321 §5.1: by whatever name it is listed, what is worse would only lead back here."""
    server = world.remote("us.test", host="other.elsewhere.test")
    server.name = "mx.world.test"  # as we greet others
    if alias:
        world.resolver.add_alias("alias.elsewhere.test", "other.elsewhere.test")
    world.resolver.add_mx("elsewhere.test", f"{'alias' if alias else 'other'}.elsewhere.test", 20)
    worse = world.remote("elsewhere.test", host="worse.elsewhere.test", preference=30)
    send(world)
    assert server.said("MAIL") == []
    assert worse.connections == 0
    assert "5.4.6" in bounced(world)


def test_private_addresses_are_not_contacted(logs: object) -> None:
    with no_bugs(), ThreadedWorld(queue=Queue()) as world:
        peopled(world)
        server = world.remote("elsewhere.test")
        send(world)
        assert server.connections == 0
        assert "private addresses" in " ".join(bounced(world).split())


@pytest.mark.parametrize("reply", ["454 4.7.0 not now", "502 5.5.1 not any more"])
def test_encryption_that_is_refused_is_done_without(world: ThreadedWorld, reply: str) -> None:
    server = world.remote("elsewhere.test")
    server.answer("STARTTLS", reply)
    send(world)
    assert [taken.tls for taken in server.messages] == [False]


def test_encryption_that_fails_is_done_without(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    server.answer("STARTTLS", Raw(b"220 2.0.0 go ahead\r\nthis is no handshake\r\n"), times=1)
    send(world)
    world.advance(hours=1)
    assert len(server.messages) == 1


def test_replies_that_came_in_clear_behind_starttls_are_not_believed(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    injected = b"250-mx.elsewhere.test\r\n250 DSN\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"
    server.answer("STARTTLS", Raw(b"220 2.0.0 go ahead\r\n" + injected))
    send(world)
    assert server.messages == []
    assert len(world.queue()) == 1
    server.forget_rules()
    world.advance(hours=1)
    assert len(server.messages) == 1


def test_a_server_that_greets_and_hangs_up_costs_nobody_else_anything(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("CONNECT", Drop())
    third = world.remote("third.test")
    send(world, EVE, "carol@third.test")
    assert len(third.messages) == 1
    assert [waiting.recipients[0].destination for waiting in world.queue()] == ["elsewhere.test"]


def test_a_tarpit_holds_up_nobody_else() -> None:
    """It answers everybody at last, and takes its time; it gets no more connections than anybody new."""
    with no_bugs(), ThreadedWorld(timeouts=Timeouts()) as world:
        peopled(world)
        slow, quick = world.remote("slow.test"), world.remote("quick.test")
        waits = Hold("250 2.1.0 at last")
        slow.answer("MAIL", waits)
        for number in range(40):
            submit(world, mail(), f"r{number}@slow.test")
        for number in range(10):
            submit(world, mail(), f"r{number}@quick.test")
        world.until(lambda: len(quick.messages) == 10)
        assert slow.messages == []
        assert slow.connections <= WIDTH_FIRST
        world.call(waits.let_go)
        world.until(lambda: len(slow.messages) == 40)


def test_a_greylist_is_waited_for_and_slows_nothing(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    server.answer("RCPT", "451 4.7.1 greylisted, come back in five minutes", to="new@", times=1)
    send(world, "new@elsewhere.test")
    send(world, "old@elsewhere.test")
    assert [m.recipients for m in server.messages] == [["old@elsewhere.test"]]
    world.advance(minutes=6)
    assert [m.recipients for m in server.messages][-1] == ["new@elsewhere.test"]
