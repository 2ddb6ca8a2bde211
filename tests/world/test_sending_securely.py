"""To other servers as securely as they demand: DANE, MTA-STS, or whatever there is (RFC 7672, 8461)."""

import pytest

from postroad.mailauth.mtasts import POLICY_OCTETS
from postroad.model.answers import Tlsa
from postroad.testing import ThreadedWorld
from postroad.testing.authority import Authority, Issued
from postroad.testing.remote import Drop, RemoteServer
from postroad.testing.web import Page, WebServer
from tests.unit.mailauth.test_dane import tlsa
from tests.world.clients import mail, submit

EVE = "eve@elsewhere.test"
MX = "mx.elsewhere.test"
LAX = b"version: STSv1\nmode: enforce\nmx: x.test\nmax_age: 9\n"
STS = "/.well-known/mta-sts.txt"


def send(world: ThreadedWorld) -> None:
    submit(world, mail(), EVE)
    world.settle()


def words(world: ThreadedWorld) -> str:
    """What the last attempt came to, for the first recipient that waits."""
    (queued,) = world.queue()
    return queued.recipients[0].last_words


def sign(world: ThreadedWorld, *names: str) -> None:
    """Let the DNS prove what it says of these names."""
    world.resolver.secure |= {"elsewhere.test", MX, f"_25._tcp.{MX}", *names}


def publish(world: ThreadedWorld, mode: str = "enforce", mx: str = MX, max_age: int = 86400) -> WebServer:
    """An MTA-STS policy for elsewhere.test."""
    site = world.website("mta-sts.elsewhere.test")
    change(world, site, "1", mode, mx, max_age)
    return site


def change(
    world: ThreadedWorld, site: WebServer, number: str, mode: str, mx: str = MX, max_age: int = 86400
) -> None:
    """Another policy in its place."""
    text = f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}\n"
    site.pages[STS] = Page(text.encode())
    world.resolver.forget("_mta-sts.elsewhere.test")
    world.resolver.add_txt("_mta-sts.elsewhere.test", f"v=STSv1; id={number};".encode())


def certified(world: ThreadedWorld, name: str = MX) -> Issued:
    return world.authority.issue(name)


def without_tls(world: ThreadedWorld, server: RemoteServer) -> None:
    """From now on it does not know STARTTLS, and connections that were open are gone."""
    world.run(server.stop())
    server.tls = None
    world.run(server.start())


# -- DANE ----------------------------------------------------------------------------


def test_a_server_that_its_record_names_gets_the_message(world: ThreadedWorld) -> None:
    shown = Authority("Nobody knows it").issue("whatever.test")
    server = world.remote("elsewhere.test", shows=shown)
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, shown))
    send(world)
    assert server.messages[0].tls
    assert "DANE" in str(world.trail(EVE)[0].notes)


def test_another_certificate_gets_nothing_and_is_no_failure_for_good(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    send(world)
    assert server.messages == []
    assert "not what DANE demands: certificate-not-trusted" in words(world)
    world.resolver.forget(f"_25._tcp.{MX}")
    world.advance(minutes=10)
    assert len(server.messages) == 1, "without a record there is no demand"


@pytest.mark.parametrize("tls", [False, True], ids=["not offered", "broken"])
def test_with_a_record_there_is_no_way_in_clear(world: ThreadedWorld, tls: bool) -> None:
    server = world.remote("elsewhere.test", tls=tls)
    server.answer("STARTTLS", Drop(b"220 go ahead\r\n"))
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    send(world)
    assert server.messages == []
    assert server.said("MAIL") == []


def test_records_that_cannot_be_used_ask_for_encryption_alone(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", Tlsa(1, 1, 1, b"x" * 32))
    send(world)
    assert server.messages[0].tls


def test_records_that_cannot_be_used_do_not_allow_clear_text(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", tls=False)
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", Tlsa(0, 1, 1, b"x" * 32))
    send(world)
    assert server.messages == []
    assert "does not offer TLS" in words(world)


@pytest.mark.parametrize("name", ["elsewhere.test", MX, f"_25._tcp.{MX}"])
def test_what_is_not_signed_all_the_way_is_no_demand(world: ThreadedWorld, name: str) -> None:
    server = world.remote("elsewhere.test")
    sign(world)
    world.resolver.secure.discard(name)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    send(world)
    assert len(server.messages) == 1


def test_records_that_cannot_be_looked_up_put_off_the_host(world: ThreadedWorld) -> None:
    """RFC 7672 §2.1.2: bogus, SERVFAIL and silence are no proof that there is nothing."""
    server = world.remote("elsewhere.test")
    sign(world)
    world.resolver.broken.add(f"_25._tcp.{MX}")
    send(world)
    assert server.messages == []
    assert "DANE" in words(world)


def test_another_host_takes_the_place_of_one_that_fails(world: ThreadedWorld) -> None:
    first = world.remote("elsewhere.test", host="first.elsewhere.test", preference=10)
    second = world.remote("elsewhere.test", host="second.elsewhere.test", preference=20)
    sign(world, "first.elsewhere.test", "_25._tcp.first.elsewhere.test", "second.elsewhere.test")
    world.resolver.add_tlsa("_25._tcp.first.elsewhere.test", tlsa(3, 1, 1, certified(world)))
    send(world)
    assert (len(first.messages), len(second.messages)) == (0, 1)


def test_a_domain_without_mx_is_its_own_host(world: ThreadedWorld) -> None:
    shown = certified(world, "elsewhere.test")
    server = world.remote("other.test", host="elsewhere.test", shows=shown)
    sign(world, "_25._tcp.elsewhere.test")
    world.resolver.add_tlsa("_25._tcp.elsewhere.test", tlsa(3, 1, 1, certified(world)))
    send(world)
    assert server.messages == []
    world.resolver.forget("_25._tcp.elsewhere.test")
    world.resolver.add_tlsa("_25._tcp.elsewhere.test", tlsa(3, 1, 1, shown))
    world.advance(minutes=10)
    assert len(server.messages) == 1


def aliased(world: ThreadedWorld, *records: tuple[str, Issued], shows: Issued) -> int:
    """Send to a domain whose MX is an alias; give how many messages came."""
    server = world.remote("real.test", host="real.test", shows=shows)
    world.resolver.add_mx("elsewhere.test", "alias.elsewhere.test")
    world.resolver.add_alias("alias.elsewhere.test", "real.test")
    for name, issued in records:
        world.resolver.add_tlsa(f"_25._tcp.{name}", tlsa(3, 1, 1, issued))
        world.resolver.secure.add(f"_25._tcp.{name}")
    world.resolver.secure |= {"elsewhere.test", "alias.elsewhere.test"}
    send(world)
    return len(server.messages)


def test_of_an_alias_the_end_is_asked_first(world: ThreadedWorld) -> None:
    """RFC 7672 §2.2.3."""
    shown = certified(world)
    world.resolver.secure.add("real.test")
    other = certified(world)
    assert aliased(world, ("real.test", shown), ("alias.elsewhere.test", other), shows=shown) == 1


def test_of_an_alias_the_beginning_is_asked_when_the_end_has_nothing(world: ThreadedWorld) -> None:
    world.resolver.secure.add("real.test")
    assert aliased(world, ("alias.elsewhere.test", certified(world)), shows=certified(world)) == 0


def test_an_alias_that_leads_out_of_what_is_signed_has_its_own_records(world: ThreadedWorld) -> None:
    """RFC 7672 §2.2.2."""
    assert aliased(world, ("alias.elsewhere.test", certified(world)), shows=certified(world)) == 0


def test_records_at_an_end_that_is_not_signed_are_no_demand(world: ThreadedWorld) -> None:
    assert aliased(world, ("real.test", certified(world)), shows=certified(world)) == 1


# -- MTA-STS ---------------------------------------------------------------------------


def test_a_policy_is_met(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", shows=certified(world))
    site = publish(world)
    send(world)
    send(world)
    assert [m.tls for m in server.messages] == [True, True]
    assert len(site.asked) == 1, "it is kept"
    assert site.asked[0].headers["host"] == "mta-sts.elsewhere.test"
    assert "MTA-STS" in str(world.trail(EVE)[0].notes)


def test_a_certificate_that_nobody_trusts_gets_nothing(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    publish(world)
    send(world)
    assert server.messages == []
    assert "TLS handshake failed" in words(world)


@pytest.mark.parametrize("name", ["mx.other.test", "elsewhere.test"])
def test_a_certificate_for_another_name_gets_nothing(world: ThreadedWorld, name: str) -> None:
    server = world.remote("elsewhere.test", shows=certified(world, name))
    publish(world)
    send(world)
    assert server.messages == []


def test_a_host_that_the_policy_does_not_name_gets_nothing(world: ThreadedWorld) -> None:
    evil = world.remote(
        "elsewhere.test", host="mx.evil.test", preference=1, shows=certified(world, "mx.evil.test")
    )
    good = world.remote("elsewhere.test", preference=10, shows=certified(world))
    publish(world)
    send(world)
    assert (len(evil.messages), len(good.messages)) == (0, 1)


def test_without_tls_there_is_no_delivery(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", tls=False)
    publish(world, mx="*.elsewhere.test")
    send(world)
    assert server.said("MAIL") == []
    assert "MTA-STS demands it" in words(world)


@pytest.mark.parametrize("mode", ["testing", "none"])
@pytest.mark.parametrize("mx", [MX, "mx.other.test"])
def test_a_policy_that_is_only_tested_keeps_nothing_back(world: ThreadedWorld, mode: str, mx: str) -> None:
    server = world.remote("elsewhere.test")
    publish(world, mode=mode, mx=mx)
    send(world)
    assert server.messages[0].tls


def test_a_policy_that_is_only_tested_goes_in_clear_where_it_has_to(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", tls=False)
    publish(world, mode="testing")
    send(world)
    assert not server.messages[0].tls


def test_a_new_id_brings_a_new_policy(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    site = publish(world)
    send(world)
    assert server.messages == []
    change(world, site, "2", "none")
    world.advance(minutes=10)
    assert len(server.messages) == 1
    assert len(site.asked) == 2


def test_a_policy_that_is_kept_outlives_record_and_site(world: ThreadedWorld) -> None:
    """RFC 8461 §3.3: who can take away the record must not take away the policy."""
    server = world.remote("elsewhere.test", shows=certified(world))
    site = publish(world)
    send(world)
    without_tls(world, server)
    world.resolver.forget("_mta-sts.elsewhere.test")
    site.pages.clear()
    world.advance(minutes=1)
    send(world)
    assert len(server.messages) == 1
    world.resolver.add_txt("_mta-sts.elsewhere.test", b"v=STSv1; id=2")
    world.advance(minutes=10)
    assert len(site.asked) == 2
    assert len(server.messages) == 1, "a policy that cannot be fetched does not end the old one"
    world.resolver.forget("_mta-sts.elsewhere.test")
    world.advance(hours=30)
    assert len(server.messages) == 2, "its max_age is over"


def test_a_policy_is_refreshed_before_it_ends(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test", shows=certified(world))
    site = publish(world, max_age=4 * 86400)
    send(world)
    world.advance(days=3)
    assert 3 <= len(site.asked) <= 4


@pytest.mark.parametrize(
    "page",
    [
        Page(status=404),
        Page(
            b"version: STSv1\nmode: enforce\nmx: x.test\nmax_age: 9\n", status=301, headers=("Location: /x",)
        ),
        Page(LAX, content_type="text/html"),
        Page(LAX + b"x: y\n" * POLICY_OCTETS),
        Page(LAX, headers=("Content-Encoding: gzip",)),
        Page(b"<html>"),
    ],
    ids=["missing", "moved", "html", "too long", "compressed", "junk"],
)
def test_a_policy_that_cannot_be_had_is_none_and_not_asked_for_all_the_time(
    world: ThreadedWorld, page: Page
) -> None:
    server = world.remote("elsewhere.test")
    site = publish(world)
    site.pages[STS] = page
    site.pages["/x"] = Page(LAX)
    send(world)
    send(world)
    assert len(server.messages) == 2
    assert len(site.asked) == 1


def test_a_policy_host_that_cannot_prove_its_name_is_not_believed(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    site = world.website("mta-sts.elsewhere.test", shows=Authority("Evil").issue("mta-sts.elsewhere.test"))
    change(world, site, "1", "enforce")
    send(world)
    assert len(server.messages) == 1
    assert site.asked == []


def test_dane_beats_mta_sts(world: ThreadedWorld) -> None:
    """RFC 8461 §2: a certificate for nobody is good where DANE says so, and none other is."""
    shown = Authority("Nobody knows it").issue("whatever.test")
    server = world.remote("elsewhere.test", shows=shown)
    publish(world, mx="mx.other.test")
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, shown))
    send(world)
    assert len(server.messages) == 1


def test_mta_sts_does_not_make_good_what_dane_refuses(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test", shows=certified(world))
    publish(world)
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    send(world)
    assert server.messages == []


def test_a_connection_in_clear_is_not_taken_for_one_that_is_authenticated(world: ThreadedWorld) -> None:
    """Two domains have the same host; only one of them demands something of it."""
    server = world.remote("elsewhere.test")
    world.remote("lenient.test", host=MX)
    publish(world)
    submit(world, mail(), "eve@lenient.test")
    world.settle()
    send(world)
    assert [m.recipients for m in server.messages] == [["eve@lenient.test"]]


def test_a_dns_that_is_silent_about_policies_is_not_asked_for_each_message(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    world.resolver.broken.add("_mta-sts.elsewhere.test")
    for _ in range(5):
        send(world)
    assert len(server.messages) == 5
    asked = [name for kind, name in world.resolver.asked if kind == "TXT"]
    assert asked.count("_mta-sts.elsewhere.test") <= 2, "once in each worker"
