"""Names that SPF macros make of what strangers say: the network is asked for them, or they do not exist."""

from postroad.dns.system import SystemResolver
from postroad.mailauth.spf.client import can_be_asked
from postroad.model.answers import NoSuchDomain
from postroad.testing.clock import ManualClock
from tests.unit.dns.server import DnsServer
from tests.unit.dns.test_system import play

NAMES = [
    "a b.test",
    '"q".test',
    "x;y.test",
    "a@b.test",
    "$&%!.test",
    "(c).test",
    "*.test",
    "A.TEST",
    "_x.-y.test",
    "a" * 63 + ".test",
]


def test_whatever_can_be_asked_is_answered() -> None:
    async def scene(resolver: SystemResolver, server: DnsServer, clock: ManualClock) -> None:
        for name in NAMES:
            assert can_be_asked(name)
            for question in (resolver.a, resolver.aaaa, resolver.mx, resolver.txt):
                assert await question(name) == NoSuchDomain(), name

    play(scene, zone="x.test. 600 IN A 192.0.2.1\n")
