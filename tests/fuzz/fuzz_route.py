"""Fuzz the way of a message: what a stranger's DNS says, and where it would have us connect.

An input is a zone: lines of a name, a type and a value.
"""

import asyncio
import random
from typing import Final

from postroad.dns.route import ADDRESSES, HOSTS, NoRoute, Route, find_route, is_public
from postroad.dns.zone import ZoneResolver
from tests.fuzz.harness import Target

NAMES: Final = (
    b"x.test",
    b"mx.x.test",
    b"a.test",
    b"ours.test",
    b"",
    b".",
    b"x" * 60 + b".test",
    b"\xc3\xa4.test",
)
VALUES: Final = (
    *(b"192.0.2.1", b"127.0.0.1", b"10.0.0.1", b"169.254.169.254", b"0.0.0.0", b"224.0.0.1", b"8.8.8.8"),
    *(b"::1", b"::ffff:127.0.0.1", b"fe80::1", b"fc00::1", b"64:ff9b::7f00:1", b"2002:7f00:1::"),
    *(b"2a00::1", b"ff02::1"),
)
MOST_QUESTIONS: Final = 1 + HOSTS


def check(data: bytes) -> None:
    """Hold one zone against everything that must hold for all."""
    zone = ZoneResolver()
    for line in data.split(b"\n")[:100]:
        name, _, rest = line.partition(b" ")
        kind, _, value = rest.partition(b" ")
        _add(zone, name.decode("utf-8", "replace"), kind, value.decode("utf-8", "replace"))
    way = asyncio.run(
        find_route(
            zone,
            "x.test",
            own_names=("ours.test",),
            chance=random.Random(1),
            allow_private=bool(len(data) % 2),
        )
    )
    assert len(zone.asked) <= MOST_QUESTIONS
    match way:
        case Route(hosts):
            assert 0 < len(hosts) <= HOSTS
            assert sum(len(host.addresses) for host in hosts) <= ADDRESSES
            assert "ours.test" not in [host.name for host in hosts]
            if len(data) % 2 == 0:
                assert all(is_public(address) for host in hosts for address in host.addresses)
        case NoRoute(code=code, enhanced=enhanced):
            assert code // 100 == int(enhanced[0])


def _add(zone: ZoneResolver, name: str, kind: bytes, value: str) -> None:
    match kind:
        case b"MX":
            zone.add_mx(name, value.lower(), len(value) % 3)
        case b"CNAME":
            zone.add_alias(name, value)
        case b"BROKEN":
            zone.broken.add(name)
        case b"A":
            try:
                zone.add_address(name, value)
            except ValueError:
                pass  # no resolver gives such an answer
        case _:
            pass


def make(chance: random.Random) -> bytes:
    """Make an input: a zone in which some of it fits together."""
    lines = []
    for _ in range(chance.randrange(40)):
        kind = chance.choice((b"MX", b"MX", b"A", b"A", b"CNAME", b"BROKEN"))
        value = chance.choice(VALUES if kind == b"A" else NAMES)
        if kind == b"MX" and chance.random() < 0.3:
            value = b"h%d.test" % chance.randrange(50)
        lines.append(chance.choice(NAMES) + b" " + kind + b" " + value)
    return b"\n".join(lines)


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
