"""The DNS held against what it should say of a domain."""

import asyncio

import pytest

from postroad.cli.domain_check import Checked, State, check
from postroad.dns.zone import ZoneResolver
from postroad.mailauth.publish import Offered, records
from postroad.model.answers import Answer, Found, NoData, TemporaryFailure
from tests.unit.mailauth.dkim.making import ed25519, record, rsa

KEYS = [("r1._domainkey.a.test", record(rsa()).decode())]
EXPECTED = records(
    "a.test", "mx.host.test", keys=KEYS, services=[Offered("imaps", 993)], certificate_key=None
)
GOOD = {one.name + "/" + one.kind: [one.value] for one in EXPECTED}
SPF = "a.test/TXT"


def checked(zone: dict[str, list[str]], silent: str = "") -> dict[str, Checked]:
    resolver = ZoneResolver()
    resolver.add_address("mx.host.test", "192.0.2.1")
    resolver.add_mx("a.test", "mx.host.test")
    for name in ("a.test", "mx.host.test"):
        for text in zone.get(f"{name}/TXT", []):
            resolver.add_txt(name, text.encode())

    async def ask(name: str, kind: str) -> Answer[str]:
        if name == silent:
            return TemporaryFailure("no answer")
        found = zone.get(f"{name}/{kind}", [])
        return Found(tuple(found), 60) if found else NoData()

    found = asyncio.run(check(EXPECTED, "mx.host.test", resolver, ask))
    return {one.record.purpose: one for one in found}


def test_everything_is_there() -> None:
    assert {one.state for one in checked(GOOD).values()} == {State.GOOD}


def test_nothing_is_there() -> None:
    found = checked({})
    assert {one.state for one in found.values()} == {State.MISSING}
    assert [purpose for purpose, one in found.items() if one.fails] == ["MX", "SPF", "DKIM", "DMARC"]


@pytest.mark.parametrize(
    ("purpose", "place", "there", "state"),
    [
        ("MX", "a.test/MX", ["10 mx.other.test."], State.WRONG),
        ("MX", "a.test/MX", ["5 mx.other.test.", "10 MX.host.test."], State.GOOD),
        ("SPF", SPF, ["v=spf1 ip4:192.0.2.0/24 -all", "other text"], State.GOOD),
        ("SPF", SPF, ["v=spf1 -all"], State.WRONG),
        ("SPF", SPF, ["v=spf1 mx -all", "v=spf1 -all"], State.WRONG),
        ("SPF", SPF, ["other text"], State.MISSING),
        ("DKIM", "r1._domainkey.a.test/TXT", [record(rsa(), "v=DKIM1; t=s; ").decode()], State.GOOD),
        ("DKIM", "r1._domainkey.a.test/TXT", [record(ed25519()).decode()], State.WRONG),
        ("DKIM", "r1._domainkey.a.test/TXT", ["nonsense"], State.WRONG),
        ("DMARC", "_dmarc.a.test/TXT", ["v=DMARC1; p=reject"], State.GOOD),
        ("DMARC", "_dmarc.a.test/TXT", ["v=DMARC1; p=reject", "v=DMARC1; p=none"], State.WRONG),
        ("clients", "_imaps._tcp.a.test/SRV", ["0 1 993 other.test."], State.WRONG),
    ],
)
def test_what_is_there(purpose: str, place: str, there: list[str], state: State) -> None:
    assert checked({**GOOD, place: there})[purpose].state is state


def test_what_is_there_of_spf_is_kept() -> None:
    found = checked({**GOOD, SPF: ["v=spf1 include:_spf.b.test ~all"]})["SPF"]
    assert found.change == "v=spf1 mx include:_spf.b.test ~all"


def test_silence_is_not_absence() -> None:
    assert checked(GOOD, silent="_dmarc.a.test")["DMARC"].state is State.UNKNOWN
