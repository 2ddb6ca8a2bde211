"""Names of addresses that lead back to them, or do not."""

import asyncio

import pytest

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.iprev import NAMES, check_iprev


@pytest.mark.parametrize("ip", ["192.0.2.1", "2001:db8::1"])
def test_a_name_that_leads_back(ip: str) -> None:
    zone = ZoneResolver()
    zone.add_pointer(ip, "other.test")
    zone.add_pointer(ip, "mx.test")
    zone.add_address("mx.test", ip)
    result = asyncio.run(check_iprev(zone, ip))
    assert (result.verdict, result.name) == ("pass", "mx.test")


def test_the_ways_of_having_none() -> None:
    zone = ZoneResolver(broken={"down.test", "192.0.2.4"})
    zone.add_pointer("192.0.2.2", "mx.test")
    zone.add_pointer("192.0.2.3", "down.test")
    verdicts = [asyncio.run(check_iprev(zone, f"192.0.2.{n}")).verdict for n in (1, 2, 3, 4)]
    assert verdicts == ["permerror", "fail", "temperror", "temperror"]


def test_a_thousand_names_cost_little() -> None:
    zone = ZoneResolver()
    for number in range(1000):
        zone.add_pointer("192.0.2.1", f"h{number}.test")
    assert asyncio.run(check_iprev(zone, "192.0.2.1")).verdict == "fail"
    assert len(zone.asked) == 1 + NAMES
