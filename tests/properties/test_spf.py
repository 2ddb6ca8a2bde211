"""SPF: the same verdicts as pyspf, on records that neither has seen before."""

import asyncio
import re
from collections.abc import Iterator

import spf as pyspf
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.spf.check import check_sender
from postroad.mailauth.spf.client import Client
from postroad.mailauth.spf.record import RecordError, is_spf, parse_record
from postroad.model.address import Address
from postroad.model.answers import Found, TemporaryFailure

NAMES = (
    "x.test",
    "y.test",
    "z.test",
    "h.x.test",
    "gone.test",
    "down.test",
    "1.2.0.192.in.y.test",
    "ada.x.test",
)
IPS = ("192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "::ffff:192.0.2.1")

CIRCLE = re.compile(r"(?:include:|redirect=)(?:%\{[do]2?\}|[xyz]\.test)")

domains = st.sampled_from(
    (
        *NAMES,
        "%{d}",
        "%{o}",
        "%{ir}.in.y.test",
        "%{l}.x.test",
        "%{h}",
        "%{d2}",
        "%{S}.y.test",
        "bad",
        "%{",
    )
)
cidrs = st.sampled_from(("", "", "/24", "//64", "/24//64", "/0", "/33", "/"))
mechanisms = st.one_of(
    st.builds("{}:{}{}".format, st.sampled_from(("a", "mx")), domains, cidrs),
    st.builds("{}{}".format, st.sampled_from(("a", "mx", "MX")), cidrs),
    st.builds("{}:{}".format, st.sampled_from(("include", "exists", "ptr")), domains),
    st.sampled_from(
        ("ptr", "ip4:192.0.2.0/24", "ip4:192.0.2.1", "ip6:2001:db8::/32", "ip4:192.0.2.256", "junk", "all")
    ),
)
directives = st.builds("{}{}".format, st.sampled_from(("", "+", "-", "~", "?")), mechanisms)
redirects = st.builds("redirect={}".format, domains)
# pyspf refuses two of one name, against RFC 7208 §6, and does not look for macros in them.
unknown = st.builds("foo={}".format, st.sampled_from(("%{d}", "x", "")))
records = st.tuples(
    st.lists(directives, max_size=5), st.lists(redirects, max_size=2), st.lists(unknown, max_size=1)
).map(lambda terms: " ".join(["v=spf1", *terms[2], *terms[0], *terms[1]]))


def zone_of(policies: list[str]) -> ZoneResolver:
    zone = ZoneResolver(broken={"down.test"})
    for name, policy in zip(("x.test", "y.test", "z.test"), policies, strict=True):
        zone.add_txt(name, policy.encode())
    zone.add_mx("x.test", "h.x.test")
    zone.add_mx("y.test", "gone.test", 5)
    zone.add_mx("y.test", "h.x.test")
    for ip in ("192.0.2.1", "2001:db8::1"):
        zone.add_address("h.x.test", ip)
        zone.add_pointer(ip, "h.x.test")
        zone.add_pointer(ip, "gone.test")
    zone.add_address("1.2.0.192.in.y.test", "127.0.0.2")
    zone.add_address("ada.x.test", "127.0.0.2")
    return zone


def by_pyspf(zone: ZoneResolver, ip: str, helo: str) -> str:
    """What pyspf says; it asks through a function of its module."""

    def look_up(
        name: str, kind: str, strict: bool = True, timeout: int = 0
    ) -> Iterator[tuple[object, object]]:
        if kind == "PTR":
            labels = name.removesuffix(".").split(".")[::-1][2:]
            address = ".".join(labels) if len(labels) == 4 else "".join(labels)
            if len(labels) != 4:
                address = ":".join(address[at : at + 4] for at in range(0, 32, 4))
            answer: object = asyncio.run(zone.ptr(address))
        else:
            ask = {"A": zone.a, "AAAA": zone.aaaa, "MX": zone.mx, "TXT": zone.txt}[kind]
            answer = asyncio.run(ask(name.removesuffix(".")))
        if isinstance(answer, TemporaryFailure):
            raise pyspf.TempError(answer.reason)
        for value in answer.records if isinstance(answer, Found) else ():
            if kind == "MX":
                value = (value.preference, value.host)
            elif kind == "TXT":
                value = (value,)
            elif kind == "AAAA":
                value = pyspf.ipaddress.ip_address(value).packed
            yield (name, kind), value

    pyspf.DNSLookup = look_up
    query = pyspf.query(ip, "ada@x.test", helo, strict=True)
    verdict: str = query.check()[0]
    return verdict


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records, min_size=3, max_size=3), st.sampled_from(IPS))
def test_pyspf_says_the_same(policies: list[str], ip: str) -> None:
    # pyspf takes a record that includes itself for an error before it has looked for a match.
    assume(not any(CIRCLE.search(policy) for policy in policies))
    zone = zone_of(policies)
    client = Client.of(ip, "h.x.test")
    ours = asyncio.run(check_sender(zone, client, Address("ada", "x.test", False)))
    theirs = by_pyspf(zone, str(client.address), "h.x.test")
    assert ours.verdict == theirs, (ours, theirs)


@given(st.binary(max_size=200))
def test_no_record_makes_the_parser_raise(tail: bytes) -> None:
    record = b"v=spf1 " + tail
    assert is_spf(record)
    try:
        parse_record(record)
    except RecordError:
        pass
