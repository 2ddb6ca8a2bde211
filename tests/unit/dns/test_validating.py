"""The resolver that is asked for DNSSEC: TLSA records, and what goes wrong with them (RFC 7672 §2.1)."""

import asyncio

from postroad.dns.validating import Question, ValidatingResolver
from postroad.model.answers import Answer, Found, NoData, NoSuchDomain, TemporaryFailure
from tests.unit.dns.server import DnsServer

TLSA = "_25._tcp.mx.x.test"
MANY = 60
ZONE = "".join(f"{TLSA}. 60 IN TLSA 3 1 1 {n:064x}\n" for n in range(MANY)) + "x.test. 60 IN A 192.0.2.1\n"


def ask(name: str, *, dead: str = "", broken: str = "", proves: bool = True) -> Answer[str]:
    """What comes of asking for the TLSA records of a name."""

    async def asked() -> Answer[str]:
        async with DnsServer(ZONE) as server:
            server.dead, server.broken, server.proves = {dead}, {broken}, proves
            host, _, port = server.address.partition(":")
            resolver = ValidatingResolver([(host, int(port))], timeout=0.5 if dead else 10.0)
            return await resolver.ask(Question(name, "TLSA", str))

    return asyncio.run(asked())


def test_an_answer_that_was_cut_is_asked_for_again_by_tcp() -> None:
    answer = ask(TLSA)
    assert isinstance(answer, Found)
    assert (len(answer.records), answer.secure) == (MANY, True)


def test_without_proof_an_answer_is_not_secure() -> None:
    answer = ask(TLSA, proves=False)
    assert isinstance(answer, Found)
    assert not answer.secure


def test_what_fails_or_is_forged_is_no_answer() -> None:
    answer = ask(TLSA, broken=TLSA)
    assert isinstance(answer, TemporaryFailure)
    assert "SERVFAIL" in answer.reason


def test_who_is_silent_has_not_answered() -> None:
    assert isinstance(ask(TLSA, dead=TLSA), TemporaryFailure)


def test_there_is_none_in_two_ways() -> None:
    assert isinstance(ask("x.test"), NoData)
    assert isinstance(ask("gone.test"), NoSuchDomain)
