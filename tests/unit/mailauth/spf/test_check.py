"""SPF checks: their evidence, and what no record can make them do (SAFETY C17)."""

import asyncio

import pytest

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.spf import macro
from postroad.mailauth.spf.check import check_helo, check_sender
from postroad.mailauth.spf.client import Client
from postroad.mailauth.spf.lookups import HOSTS, TERMS, VOIDS
from postroad.mailauth.spf.result import Matched, Spf
from postroad.model.address import Address, parse_mailbox

ADA = parse_mailbox("ada@x.test")


def check(
    zone: ZoneResolver, sender: Address | None = ADA, ip: str = "192.0.2.1", helo: str = "mx.x.test"
) -> Spf:
    return asyncio.run(check_sender(zone, Client.of(ip, helo), sender))


def zone_of(**policies: str) -> ZoneResolver:
    """A zone with policies of `name`.test."""
    zone = ZoneResolver()
    for name, policy in policies.items():
        zone.add_txt(f"{name}.test", policy.encode())
    return zone


def test_the_evidence_names_the_terms_through_all_includes() -> None:
    zone = zone_of(
        x="v=spf1 redirect=y.test", y="v=spf1 ?a include:z.test -all", z="v=spf1 ip4:192.0.2.0/24 -all"
    )
    result = check(zone)
    assert result.verdict == "pass"
    assert result.matched == (Matched("y.test", "include:z.test"), Matched("z.test", "ip4:192.0.2.0/24"))
    assert result.record == "v=spf1 ?a include:z.test -all"
    assert (result.domain, result.lookups, result.voids) == ("x.test", 3, 1)


def test_an_include_that_fails_does_not_match() -> None:
    zone = zone_of(x="v=spf1 include:y.test ~all", y="v=spf1 include:z.test -all", z="v=spf1 -all")
    assert check(zone).matched == (Matched("x.test", "~all"),)


def test_nothing_matches() -> None:
    result = check(zone_of(x="v=spf1 ip4:198.51.100.1"))
    assert (result.verdict, result.matched) == ("neutral", ())


def test_the_null_sender_is_postmaster_at_the_helo_name() -> None:
    zone = ZoneResolver()
    zone.add_txt("mx.x.test", b"v=spf1 exists:%{l}.%{h}.is.test -all")
    zone.add_address("postmaster.mx.x.test.is.test", "127.0.0.2")
    assert check(zone, None).verdict == "pass"
    helo = asyncio.run(check_helo(zone, Client.of("192.0.2.1", "mx.x.test")))
    assert (helo.verdict, helo.identity) == ("pass", "helo")


@pytest.mark.parametrize("helo", ["", "localhost", "[192.0.2.1]", "a..b", "ünï.test", "a b.test", "x" * 300])
def test_what_is_no_domain_has_no_policy(helo: str) -> None:
    zone = ZoneResolver()
    assert check(zone, None, helo=helo).verdict == "none"
    assert zone.asked == []


def test_an_ipv4_address_inside_of_ipv6_is_one() -> None:
    assert check(zone_of(x="v=spf1 ip4:192.0.2.1 -all"), ip="::ffff:192.0.2.1").verdict == "pass"


def test_a_local_part_beyond_ascii_matches_no_macro() -> None:
    zone = zone_of(x="v=spf1 exists:%{l}.x.test exists:%{s}.x.test ?all")
    result = check(zone, Address("grüße", "x.test", True))
    assert (result.verdict, result.lookups) == ("neutral", 2)
    assert [name for kind, name in zone.asked if kind == "A"] == []


def test_a_backslash_is_not_asked_for() -> None:
    zone = zone_of(x="v=spf1 exists:%{l}.x.test ?all")
    assert check(zone, Address("a\\046b", "x.test", False)).verdict == "neutral"
    assert [name for kind, name in zone.asked if kind == "A"] == []


def test_a_dns_that_is_down_is_a_temporary_error() -> None:
    zone = zone_of(x="v=spf1 a:y.test -all")
    zone.broken = {"y.test"}
    result = check(zone)
    assert result.verdict == "temperror"
    assert "y.test" in result.problem


def test_an_explanation_is_of_the_record_that_fails_and_printable() -> None:
    zone = zone_of(x="v=spf1 redirect=y.test exp=no.test", y="v=spf1 -all exp=e.y.test")
    zone.add_txt("e.y.test", b"%{i} may not send for %{o}")
    assert check(zone).explanation == "192.0.2.1 may not send for x.test"
    for bad in (b"line\r\n250 ok", "gr\u00fc\u00dfe".encode(), b"%{x}", b"\x1b[2J"):
        zone = zone_of(x="v=spf1 -all exp=e.x.test")
        zone.add_txt("e.x.test", bad)
        assert (check(zone).verdict, check(zone).explanation) == ("fail", "")


# -- limits -------------------------------------------------------------------


def test_ten_terms_may_ask_and_no_more() -> None:
    def record(terms: int) -> str:
        return "v=spf1 " + "a:h.test " * terms + "?all"

    for terms, verdict in ((TERMS, "neutral"), (TERMS + 1, "permerror")):
        zone = zone_of(x=record(terms))
        zone.add_address("h.test", "198.51.100.1")
        assert check(zone).verdict == verdict


@pytest.mark.parametrize("term", ["include:x.test", "redirect=x.test", "include:y.test"])
def test_a_circle_ends(term: str) -> None:
    zone = zone_of(x=f"v=spf1 {term}", y="v=spf1 include:x.test")
    assert check(zone).verdict == "permerror"
    assert len(zone.asked) <= TERMS + 1


def test_a_fan_of_mx_hosts_that_are_not_there_is_cut_short() -> None:
    zone = zone_of(x="v=spf1 mx:fan.test mx:fan.test mx:fan.test -all")
    for number in range(HOSTS):
        zone.add_mx("fan.test", f"h{number}.victim.test", number)
    assert check(zone).verdict == "permerror"
    assert len(zone.asked) == 1 + 1 + VOIDS + 1  # policy, MX, two voids, and the one too many


def test_mx_hosts_of_the_other_family_are_one_void() -> None:
    """RFC 7208 §4.6.4 counts terms: a client with IPv6 asks in vain for hosts that have IPv4 alone."""
    zone = zone_of(x="v=spf1 mx ip6:2001:db8::/32 -all")
    for number in range(VOIDS + 2):
        zone.add_mx("x.test", f"h{number}.x.test", number)
        zone.add_address(f"h{number}.x.test", "198.51.100.1")
    result = check(zone, ip="2001:db8::1")
    assert (result.verdict, result.voids) == ("pass", 1)


def test_450_mx_hosts_are_an_error_and_not_asked_for() -> None:
    zone = zone_of(x="v=spf1 mx -all")
    for number in range(450):
        zone.add_mx("x.test", f"h{number}.test", number)
    assert check(zone).verdict == "permerror"
    assert len(zone.asked) == 2


def test_only_ten_names_of_an_address_are_looked_at() -> None:
    zone = zone_of(x="v=spf1 ptr ?all")
    for number in range(50):
        zone.add_pointer("192.0.2.1", f"h{number}.x.test")
    assert check(zone).verdict == "neutral"
    assert len(zone.asked) == 2 + HOSTS


def test_the_worst_record_costs_a_known_number_of_questions() -> None:
    zone = zone_of(x="v=spf1 " + "mx:fan.test " * 10 + "-all")
    for number in range(HOSTS):
        zone.add_mx("fan.test", f"h{number}.test", number)
        zone.add_address(f"h{number}.test", "198.51.100.1")
    assert check(zone).verdict == "fail"
    assert len(zone.asked) == 1 + TERMS * (1 + HOSTS)


def test_large_texts_cost_little() -> None:
    # 64 KiB of macros make a name of megabytes, of which 253 octets are asked for.
    zone = zone_of(x="v=spf1 exists:" + "%{s}." * 13_000 + "x.test ?all")
    assert check(zone, Address("a" * 60 + "@", "x.test", False)).verdict == "neutral"
    (name,) = [name for kind, name in zone.asked if kind == "A"]
    assert len(name) <= macro.MAX_NAME
    zone = zone_of(x="v=spf1 " + "all" * 20_000)
    assert check(zone).verdict == "permerror"
    zone = zone_of(x="v=spf1 " + "a:" + "1" * 64_000 + "x")
    assert check(zone).verdict == "permerror"


# -- grammar ------------------------------------------------------------------


NO_TERMS = """
    a:x.%%_  a:%{d}x  a:1.2  a:  a/33  a//129  a:%{d0}.x.test  a:%{c}.test  a:%{z}.test  a:%(d).test  x=%{
    ip4:1.2.3.4/33  ip4:1.2.3.4/08  ip4:fe80::1  ip4:1.2.3.4/24/24  ip6:fe80::1%1  ip6:::/129
    all:x  include  exists  b  redirect=  -  A=%
"""


@pytest.mark.parametrize("term", [*NO_TERMS.split(), "exp=a.test exp=a.test"])
def test_what_is_no_term_spoils_the_record(term: str) -> None:
    assert check(zone_of(x=f"v=spf1 +all {term}")).verdict == "permerror"


@pytest.mark.parametrize(
    "term",
    [
        "a:%{d2r-}",
        "a:x.%%",
        "a:foo%_",
        "a:x.y-1",
        "a//0",
        "a/0//0",
        "foo=%{s}",
        "ip6:::1",
        "PTR",
        "Mx:X.TEST.",
    ],
)
def test_what_is_a_term(term: str) -> None:
    assert check(zone_of(x=f"v=spf1 +all {term}")).verdict == "pass"
