"""Where mail goes: the rules of RFC 5321 §5.1 and what strangers' DNS may not do to us."""

import asyncio
import random

import pytest

from postroad.dns.route import ADDRESSES, HOSTS, NoRoute, Route, find_route, is_public
from postroad.dns.zone import ZoneResolver

OURS = "mail.here.test"


def resolver(zone: str) -> ZoneResolver:
    """A world with this zone."""
    answers = ZoneResolver()
    answers.add_zone(zone)
    return answers


def way(
    answers: ZoneResolver | str, domain: str = "x.test.", *, private: bool = False, seed: int = 0
) -> Route | NoRoute:
    """The way to a domain."""
    answers = resolver(answers) if isinstance(answers, str) else answers
    return asyncio.run(
        find_route(
            answers,
            domain.rstrip("."),
            own_names={OURS},
            chance=random.Random(seed),
            allow_private=private,
        )
    )


def hosts(found: Route | NoRoute) -> list[str]:
    """The names of the hosts, in order."""
    assert isinstance(found, Route), found
    return [host.name for host in found.hosts]


def code(found: Route | NoRoute) -> tuple[int, str]:
    """Why there is no way."""
    assert isinstance(found, NoRoute), found
    return found.code, found.enhanced


MANY = "".join(f"x.test. MX {n} mx{n}.x.test.\nmx{n}.x.test. A 8.8.0.{n}\n" for n in range(40))


def test_the_lowest_preference_is_first() -> None:
    zone = "x.test. MX 20 b.x.test.\nx.test. MX 10 a.x.test.\na.x.test. A 8.8.8.8\nb.x.test. A 8.8.4.4\n"
    assert hosts(way(zone)) == ["a.x.test", "b.x.test"]


def test_equals_change_places() -> None:
    zone = "x.test. MX 10 a.x.test.\nx.test. MX 10 b.x.test.\na.x.test. A 8.8.8.8\nb.x.test. A 8.8.4.4\n"
    assert {hosts(way(zone, seed=seed))[0] for seed in range(20)} == {"a.x.test", "b.x.test"}


def test_without_mx_the_domain_is_its_own_server() -> None:
    assert hosts(way("x.test. AAAA 2606:4700::1\n")) == ["x.test"]


def test_an_alias_is_followed() -> None:
    zone = (
        "x.test. CNAME y.test.\ny.test. MX 1 mx.y.test.\n"
        "mx.y.test. CNAME real.y.test.\nreal.y.test. A 8.8.8.8\n"
    )
    found = way(zone)
    assert isinstance(found, Route)
    assert found.hosts[0].addresses == ("8.8.8.8",)


def test_ipv6_is_tried_before_ipv4() -> None:
    found = way("x.test. A 8.8.8.8\nx.test. AAAA 2606:4700::1\n")
    assert isinstance(found, Route)
    assert found.hosts[0].addresses == ("2606:4700::1", "8.8.8.8")


def test_an_endless_list_of_servers_is_cut_off() -> None:
    answers = resolver(MANY)
    assert hosts(way(answers)) == [f"mx{n}.x.test" for n in range(HOSTS)]
    assert len(answers.asked) == HOSTS + 1, "nor is the DNS asked about the rest"


def test_a_host_with_many_addresses_is_cut_off() -> None:
    found = way("".join(f"x.test. A 8.8.1.{n}\n" for n in range(100)))
    assert isinstance(found, Route)
    assert len(found.hosts[0].addresses) == ADDRESSES


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        ("y.test. A 8.8.8.8\n", (550, "5.1.2")),
        ("x.test. TXT hello\n", (550, "5.1.2")),
        ("x.test. MX 0 .\n", (556, "5.1.10")),
        ("x.test. MX 10 gone.x.test.\n", (550, "5.4.4")),
        (f"x.test. MX 10 {OURS}.\n{OURS}. A 8.8.8.8\n", (554, "5.4.6")),
        ("x.test. A 127.0.0.1\n", (550, "5.4.4")),
        ("x.test. MX 10 in.x.test.\nin.x.test. A 10.1.2.3\nin.x.test. AAAA fd00::1\n", (550, "5.4.4")),
    ],
    ids=["no domain", "no address", "null MX", "no host", "ourselves", "loopback", "private"],
)
def test_there_is_no_way(zone: str, why: tuple[int, str]) -> None:
    assert code(way(zone)) == why


def test_we_and_what_is_worse_than_we_are_left_out() -> None:
    zone = (
        f"x.test. MX 10 a.x.test.\nx.test. MX 20 {OURS}.\nx.test. MX 20 b.x.test.\nx.test. MX 30 c.x.test.\n"
        "a.x.test. A 8.8.8.8\nb.x.test. A 8.8.8.8\nc.x.test. A 8.8.8.8\n"
    )
    assert hosts(way(zone)) == ["a.x.test"]


def test_a_null_mx_among_others_is_none() -> None:
    assert hosts(way("x.test. MX 0 .\nx.test. MX 10 a.x.test.\na.x.test. A 8.8.8.8\n")) == ["a.x.test"]


def test_a_dns_that_is_down_is_no_answer() -> None:
    answers = resolver("x.test. MX 10 a.x.test.\nx.test. MX 20 b.x.test.\nb.x.test. A 8.8.8.8\n")
    answers.broken = {"a.x.test"}
    assert hosts(way(answers)) == ["b.x.test"]
    answers.broken = {"a.x.test", "b.x.test"}
    assert code(way(answers)) == (451, "4.4.3")
    answers.broken = {"x.test"}
    assert code(way(answers)) == (451, "4.4.3")


def test_literals_need_no_dns() -> None:
    assert hosts(way("", "[8.8.8.8]")) == ["[8.8.8.8]"]
    assert hosts(way("", "[IPv6:2606:4700::1]")) == ["[IPv6:2606:4700::1]"]
    assert code(way("", "[127.0.0.1]")) == (550, "5.4.4")
    assert hosts(way("", "[127.0.0.1]", private=True)) == ["[127.0.0.1]"]


PRIVATE = (
    "127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.1.1 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1 "
    "::1 :: fe80::1 fec0::1 fc00::1 ff02::1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 "
    "192.0.0.9 192.0.0.170 192.88.99.1 ::ffff:192.0.0.9 2001:20::1 3fff::1 2606:4700::1%eth0 "
    "192.0.2.1 2002:7f00:1::1 2002:a00:1::1 2001:0:7f00:1:: 2001:db8::1 100::1 fe80::1%eth0 2130706433 0x7f.1"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_what_is_of_the_internet_is(address: str) -> None:
    assert is_public(address)
