"""Whom mail is taken from: names, lists, greylisting, early talkers, each domain as it wants it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import pytest

from postroad.config.receiving import Receiving
from postroad.config.settings import Listener
from postroad.directory.domain_policy import DomainPolicy, set_policy
from postroad.policy import greylist
from postroad.testing import ThreadedWorld
from postroad.trail.note import Trail
from postroad.trail.record import find
from postroad.trail.sentences import tell
from tests.world.clients import Raw, mail, subjects, submit
from tests.world.conftest import ADA, no_bugs, peopled

EVE: Final = "eve@elsewhere.test"
PROXIED: Final = {"far": Listener(role="smtp", address="127.0.0.1:0", proxy_from=("127.0.0.1",))}


@contextmanager
def receiving(settings: Receiving) -> Iterator[ThreadedWorld]:
    with no_bugs(), ThreadedWorld(listeners=PROXIED, receiving=settings, workers=1) as world:
        yield peopled(world)


@contextmanager
def peer(world: ThreadedWorld, address: str, helo: str = "mx.elsewhere.test") -> Iterator[Raw]:
    """A server at an address, which has said EHLO."""
    with Raw(world.port("far")) as client:
        client.send(
            b"PROXY TCP%d %b %b 4000 25\r\n"
            % (6 if ":" in address else 4, address.encode(), (b"::1" if ":" in address else b"127.0.0.1"))
        )
        assert client.reply().startswith(b"220")
        assert client.say(b"EHLO " + helo.encode()).startswith(b"250")
        yield client


def recipient(
    world: ThreadedWorld, address: str, *, to: str = ADA, sender: str = EVE, helo: str = "mx.elsewhere.test"
) -> bytes:
    """What RCPT is answered with."""
    with peer(world, address, helo) as client:
        client.say(b"MAIL FROM:<%b>" % sender.encode())
        return client.say(b"RCPT TO:<%b>" % to.encode())


def deliver(world: ThreadedWorld, address: str, sender: str = EVE) -> str:
    """Send a message that is taken; gives its trail in words."""
    with peer(world, address) as client:
        for line in (b"MAIL FROM:<%b>" % sender.encode(), b"RCPT TO:<ada@demo.test>", b"DATA"):
            client.say(line)
        assert client.say(mail(sender=sender) + b".").startswith(b"250")
    return words_of(world.trail(sender)[0])


def words_of(trail: Trail) -> str:
    """All that a trail says."""
    return " ".join(line.text for line in tell(trail, str).lines)


def test_lists_refuse_by_weight_and_answers() -> None:
    lists = ("bl.test=127.0.0.[2..4]*2", "other.test", "allow.test*-3")
    with receiving(Receiving(lists=lists, lists_refuse=2)) as world:
        add = world.resolver.add_address
        add("1.2.0.192.bl.test", "127.0.0.3")
        add("2.2.0.192.bl.test", "127.0.0.9")  # an answer that does not count
        add("3.2.0.192.other.test", "127.0.0.2")  # not enough weight
        add("4.2.0.192.bl.test", "127.0.0.2")
        add("4.2.0.192.allow.test", "127.0.0.2")
        add("5.2.0.192.bl.test", "127.255.255.254")
        add("6.2.0.192.bl.test", "127.0.0.1")
        add("6.2.0.192.other.test", "198.51.100.1")
        nibbles = ".".join(reversed("20010db8000000000000000000000007"))
        add(f"{nibbles}.bl.test", "127.0.0.2")
        assert recipient(world, "192.0.2.1") == b"554 5.7.1 192.0.2.1 is listed by bl.test"
        assert recipient(world, "2001:db8::7").startswith(b"554 5.7.1 2001:db8::7 is listed")
        for last in (2, 3, 4, 5, 6, 7):
            assert recipient(world, f"192.0.2.{last}").startswith(b"250"), last
        assert recipient(world, "192.0.2.1", to="postmaster@demo.test").startswith(b"250")
        assert "its address is on other.test (127.0.0.2)" in deliver(world, "192.0.2.3")
        assert "on none of the 3 lists that were asked" in deliver(
            world, "192.0.2.33", "carol@elsewhere.test"
        )


def test_a_list_that_is_down_stands_in_nobodys_way() -> None:
    with receiving(Receiving(lists=("bl.test", "down.test"))) as world:
        world.resolver.broken.add("1.2.0.192.down.test")
        for _ in range(2):
            assert recipient(world, "192.0.2.1").startswith(b"250")
        assert [name for _, name in world.resolver.asked].count("1.2.0.192.down.test") == 1
        told = deliver(world, "192.0.2.1")
        assert "on none of the 1 lists that were asked no answer from down.test" in told


def test_nobody_is_asked_about_this_machine() -> None:
    with receiving(Receiving(lists=("bl.test",), greylisting=True)) as world:
        world.resolver.add_address("1.0.0.127.bl.test", "127.0.0.2")
        world.deliver(ADA, sender=EVE)
        assert subjects(world, ADA) == ["Hello"]


@pytest.mark.parametrize(
    ("helo", "refused"),
    [
        ("mx.world.test", True),  # our own name
        ("MX.World.Test.", True),
        ("[192.0.2.9]", True),
        ("[192.0.2.1]", False),
        ("localhost", True),
        ("nowhere.test", True),
        ("mx.elsewhere.test", False),
        ("mailonly.test", False),
        ("broken.test", False),
    ],
)
def test_names_that_are_not_a_servers_own(helo: str, refused: bool) -> None:
    with receiving(Receiving(helo="refuse", helo_unresolvable="refuse")) as world:
        world.resolver.add_address("mx.elsewhere.test", "192.0.2.1")
        world.resolver.add_mx("mailonly.test", "mx.elsewhere.test")
        world.resolver.broken.add("broken.test")
        assert recipient(world, "192.0.2.1", helo=helo).startswith(b"550 5.7.1" if refused else b"250")


def test_a_warning_is_in_the_trail_and_nothing_more() -> None:
    with receiving(Receiving(helo_unresolvable="warn")) as world:
        assert "a name that the DNS does not have" in deliver(world, "192.0.2.1")


def test_who_is_not_known_comes_back() -> None:
    with receiving(Receiving(greylisting=True, greylist_allow_after=2, greylist_lifetime=3 * 86400)) as world:
        assert recipient(world, "192.0.2.1") == b"450 4.7.1 greylisted, try again in 300 seconds"
        assert recipient(world, "192.0.2.1", to="nobody@demo.test").startswith(b"550 5.1.1")
        world.advance(minutes=4)
        assert recipient(world, "192.0.2.1") == b"450 4.7.1 greylisted, try again in 60 seconds"
        world.advance(minutes=1)
        assert "came back after greylisting" in deliver(world, "192.0.2.200")  # of the same network
        assert recipient(world, "192.0.2.1").startswith(b"250")
        assert recipient(world, "192.0.2.1", sender="").startswith(b"450")
        assert recipient(world, "198.51.100.1").startswith(b"450")
        world.advance(minutes=5)
        assert recipient(world, "192.0.2.1", sender="").startswith(b"250")
        assert recipient(world, "192.0.2.9", sender="carol@third.test").startswith(b"250")  # all of it now
        assert [one.who for one in world.read(greylist.allowed)] == ["itself"]
        world.advance(days=4)
        assert recipient(world, "192.0.2.1").startswith(b"450")


def test_whom_our_users_write_to_need_not_wait() -> None:
    with receiving(Receiving(greylisting=True)) as world:
        submit(world, mail(), "Eve@elsewhere.test")
        assert "no greylisting: somebody here has written to the sender" in deliver(world, "192.0.2.1")
        assert recipient(world, "192.0.2.1", sender=ADA).startswith(b"450")


def test_allow_lists_and_operators_spare_the_wait() -> None:
    with receiving(Receiving(greylisting=True, lists=("allow.test*-1",))) as world:
        world.resolver.add_address("1.2.0.192.allow.test", "127.0.0.2")
        assert recipient(world, "192.0.2.1").startswith(b"250")
        assert recipient(world, "198.51.100.1").startswith(b"450")
        world.change(lambda tx: greylist.allow(tx, "198.51.100.7", who="test"))
        assert recipient(world, "198.51.100.1").startswith(b"250")
        world.change(lambda tx: greylist.allow(tx, "elsewhere.test", who="test"))
        assert recipient(world, "203.0.113.1").startswith(b"250")
        assert world.change(lambda tx: greylist.forget(tx, "elsewhere.test")) == 2
        assert recipient(world, "203.0.113.1").startswith(b"450")


def test_a_domain_has_its_own_way() -> None:
    with receiving(Receiving()) as world:
        world.add_account("bob@calm.test")
        wishes = DomainPolicy(greylisting="on", helo="refuse")
        world.change(lambda tx: set_policy(tx, "demo.test", wishes, who="test"))
        world.until(lambda: recipient(world, "192.0.2.1").startswith(b"550"))
        world.resolver.add_address("mx.elsewhere.test", "192.0.2.1")
        assert recipient(world, "192.0.2.1").startswith(b"450")
        assert recipient(world, "192.0.2.1", to="bob@calm.test").startswith(b"250")


def test_who_cannot_wait_for_the_greeting_is_turned_away() -> None:
    with receiving(Receiving(greeting_delay=0.3)) as world:
        with Raw(world.port("smtp")) as client:
            assert client.reply().startswith(b"220")
        with Raw(world.port("smtp")) as client:
            client.send(b"EHLO bot.test\r\n")
            assert client.reply().startswith(b"554 5.5.1")
            assert client.rest() == b""


def test_each_domain_has_its_own_numbers() -> None:
    settings = Receiving(lists=("bl.test",), greylisting=True, helo="refuse", recipients_minute=3)
    with receiving(settings) as world:
        world.add_account("bob@calm.test")
        calm = DomainPolicy(lists_refuse=2, greylist_delay=60, helo="off", recipients_minute=1)
        world.change(lambda tx: set_policy(tx, "calm.test", calm, who="test"))
        world.resolver.add_address("1.2.0.192.bl.test", "127.0.0.2")
        far = partial(recipient, world, "192.0.2.2", to="bob@calm.test", helo="localhost")
        world.until(lambda: far().startswith(b"450"))
        assert recipient(world, "192.0.2.1").startswith(b"554 5.7.1 192.0.2.1 is listed")
        assert recipient(world, "198.51.100.1", helo="localhost").startswith(b"550 5.7.1")
        listed = partial(recipient, world, "192.0.2.1", to="bob@calm.test", helo="localhost")
        assert listed() == b"450 4.7.1 greylisted, try again in 60 seconds"
        assert listed() == b"450 4.7.1 too many recipients at calm.test from your address in a minute"
        world.advance(minutes=2)
        assert listed() == b"250 2.1.5 recipient ok"


def test_one_address_names_so_many_recipients_in_a_minute() -> None:
    with receiving(Receiving(recipients_minute=3)) as world:
        world.add_account("bob@calm.test")
        named = [recipient(world, "192.0.2.1")[:3] for _ in range(5)]
        assert named == [b"250"] * 3 + [b"450"] * 2
        assert recipient(world, "192.0.2.1", to="bob@calm.test").startswith(b"250")
        assert recipient(world, "192.0.2.2").startswith(b"250")
        world.advance(minutes=2)
        assert recipient(world, "192.0.2.1").startswith(b"250")
        world.until(lambda: any("recipients_minute is 3" in words_of(one) for one in world.trail(EVE)))


def test_nothing_is_asked_of_whom_a_domain_always_takes_mail_from() -> None:
    settings = Receiving(
        greylisting=True, helo="refuse", lists=("bl.test",), allow=("203.0.113.0/24",), tarpit=60
    )
    with receiving(settings) as world:
        world.change(
            lambda tx: set_policy(tx, "demo.test", DomainPolicy(allow="192.0.2.0/24 2001:db8::7"), who="test")
        )
        world.resolver.add_address("1.2.0.192.bl.test", "127.0.0.2")
        world.until(lambda: recipient(world, "192.0.2.1", helo="localhost").startswith(b"250"))
        for address in ("2001:db8::7", "203.0.113.9"):
            assert recipient(world, address, helo="localhost").startswith(b"250")
        for address in ("203.0.113.9", "127.0.0.1"):  # nobody advances the clock
            assert recipient(world, address, to="nobody@demo.test").startswith(b"550")
        assert "one that demo.test always takes mail from" in deliver(world, "192.0.2.1")


def test_who_is_refused_waits_as_the_domain_wants() -> None:
    with receiving(Receiving()) as world:
        world.add_account("bob@calm.test")
        wishes = DomainPolicy(tarpit=60, recipients_minute=1)
        world.change(lambda tx: set_policy(tx, "demo.test", wishes, who="test"))
        world.until(lambda: recipient(world, "192.0.2.2").startswith(b"450"))  # its wishes are known
        with peer(world, "192.0.2.1") as client:
            client.say(b"MAIL FROM:<%b>" % EVE.encode())
            assert client.say(b"RCPT TO:<nobody@calm.test>").startswith(b"550")  # nobody advances the clock
            assert client.say(b"RCPT TO:<ada@demo.test>").startswith(b"250")
            client.send(b"RCPT TO:<nobody@demo.test>\r\n")
            while not client.has_more():
                world.advance(seconds=10)
            assert client.reply().startswith(b"550")
        said = "it waited 1 min for what it was told (tarpit)"
        world.until(lambda: any(said in words_of(trail) for trail in world.trail(EVE)))


def test_a_listener_holds_its_greeting_back_or_does_not() -> None:
    listeners = {
        "quick": Listener(role="smtp", address="127.0.0.1:0", greeting_delay="0 s"),
        "slow": Listener(role="smtp", address="127.0.0.1:0", greeting_delay="5 min"),
    }
    settings = Receiving(greeting_delay=300)
    with no_bugs(), ThreadedWorld(listeners=listeners, receiving=settings, workers=1) as world:
        for name, greeted in (("quick", b"220"), ("slow", b"554"), ("smtp", b"554")):
            with Raw(world.port(name)) as client:
                if greeted == b"554":
                    client.send(b"EHLO bot.test\r\n")
                assert client.reply().startswith(greeted)


def test_who_was_turned_away_is_in_the_trail_of_its_address() -> None:
    crowded = {
        "far": Listener(role="smtp", address="127.0.0.1:0", proxy_from=("127.0.0.1",), connection_rate=2)
    }
    with no_bugs(), ThreadedWorld(listeners=crowded, workers=1) as world:
        peopled(world)
        for address, first in (("192.0.2.1", b"220"), ("192.0.2.1", b"220"), ("192.0.2.1", b"421")) * 2:
            with Raw(world.port("far")) as client:
                client.send(b"PROXY TCP4 %b 127.0.0.1 4000 25\r\n" % address.encode())
                assert client.reply().startswith((first, b"421"))
        with Raw(world.port("far")) as client:
            client.send(b"PROXY TCP4 198.51.100.7 127.0.0.1 4000 25\r\nGET / HTTP/1.1\r\n")
            client.rest()
        world.advance(seconds=11)
        spoke = words_of(world.until(partial(world.read, partial(find, address="198.51.100.7")))[0])
        (refused,) = map(words_of, world.read(partial(find, address="192.0.2.1")))
        assert refused == (
            "smtp: too many connections from your address in a minute ([limits] connection_rate), 4 times"
        )
        assert spoke.startswith("smtp: it ")
