"""What a validating resolver says of signed, unsigned and forged zones, and what we make of it (RFC 7672)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroad.dns.system import SystemResolver
from postroad.model.answers import Found, Mx, NoData, NoSuchDomain, TemporaryFailure, Tlsa
from postroad.net.clock import SystemClock
from tests.interop.signed_dns import SignedDns

DIGEST = "ab" * 32
RECORDS = f"""
@ 60 IN MX 10 mx
@ 60 IN TXT "text"
mx 60 IN A 192.0.2.1
mx 60 IN AAAA 2001:db8::1
_25._tcp.mx 60 IN TLSA 3 1 1 {DIGEST}
out 60 IN CNAME mx.plain.test.
in 60 IN CNAME mx
"""


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedDns]:
    """good.test is signed, plain.test is not, forged.test has another TLSA record than was signed."""
    servers = SignedDns(tmp_path_factory.mktemp("dns"))
    keys = servers.signed("good.test.", RECORDS)
    keys += servers.signed("forged.test.", RECORDS, forge=(DIGEST, "cd" * 32))
    servers.plain("plain.test.", RECORDS)
    names = "".join(f"{name}.test. 60 IN NS ns.test.\n" for name in ("good", "forged", "plain"))
    servers.signed("test.", keys + names)
    servers.start()
    yield servers
    servers.stop()


async def questions(resolver: SystemResolver) -> None:
    """Everything that DANE asks."""
    good = await resolver.mx("good.test")
    assert good == Found((Mx(10, "mx.good.test"),), 60, secure=True)
    addresses = await resolver.addresses("mx.good.test")
    assert addresses == Found(("2001:db8::1", "192.0.2.1"), 60, secure=True)
    tlsa = await resolver.tlsa("_25._tcp.mx.good.test")
    assert tlsa == Found((Tlsa(3, 1, 1, bytes.fromhex(DIGEST)),), 60, secure=True)
    assert await resolver.tlsa("_25._tcp.in.good.test") == NoSuchDomain()
    assert await resolver.tlsa("mx.good.test") == NoData()

    plain = await resolver.mx("plain.test")
    assert isinstance(plain, Found)
    assert not plain.secure
    assert await resolver.tlsa("_25._tcp.mx.plain.test") == NoData(), "what is not proved is nothing"

    within = await resolver.addresses("in.good.test")
    assert isinstance(within, Found)
    assert (within.secure, within.name) == (True, "mx.good.test")
    without = await resolver.addresses("out.good.test")
    assert isinstance(without, Found)
    assert (without.secure, without.name) == (False, "mx.plain.test")
    assert await resolver.alias_is_secure("out.good.test") is True
    assert await resolver.alias_is_secure("mx.plain.test") is False

    assert isinstance(await resolver.tlsa("_25._tcp.mx.forged.test"), TemporaryFailure)
    assert isinstance(await resolver.mx("forged.test"), Found), "the rest of it is as it was signed"


def asked(address: str, dnssec: str) -> SystemResolver:
    return SystemResolver([address], 10.0, SystemClock(), dnssec)  # type: ignore[arg-type]


def test_answers_are_believed_as_far_as_they_are_proved(dns: SignedDns) -> None:
    async def run() -> None:
        resolver = asked(dns.address, "auto")
        assert resolver.validates
        await questions(resolver)
        await resolver.close()

    asyncio.run(run())


def test_a_resolver_that_is_not_to_be_believed_proves_nothing(dns: SignedDns) -> None:
    async def run() -> None:
        resolver = asked(dns.address, "off")
        answer = await resolver.mx("good.test")
        assert isinstance(answer, Found)
        assert not answer.secure
        assert await resolver.tlsa("_25._tcp.mx.good.test") == NoData()
        await resolver.close()

    asyncio.run(run())


def test_only_a_resolver_on_this_machine_is_believed_without_being_named() -> None:
    async def run() -> None:
        for server, dnssec, believed in (
            ("192.0.2.53", "auto", False),
            ("192.0.2.53", "on", True),
            ("127.0.0.1:5353", "auto", True),
            ("[::1]:53", "auto", True),
        ):
            resolver = asked(server, dnssec)
            assert resolver.validates is believed
            await resolver.close()

    asyncio.run(run())


def test_servers_that_are_dead_are_no_proof_of_anything(tmp_path: Path) -> None:
    async def run() -> None:
        resolver = SystemResolver(["127.0.0.1:1"], 0.6, SystemClock(), "on")
        assert isinstance(await resolver.mx("good.test"), TemporaryFailure)
        assert isinstance(await resolver.tlsa("_25._tcp.mx.good.test"), TemporaryFailure)
        assert isinstance(await resolver.alias_is_secure("good.test"), TemporaryFailure)
        await resolver.close()

    asyncio.run(run())
