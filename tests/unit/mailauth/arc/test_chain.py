"""Chains made, continued, broken (RFC 8617 §5)."""

import asyncio

import pytest

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.arc.seal import seal
from postroad.mailauth.arc.verify import ArcResult, verify_chain, wanted_chain_hashes
from postroad.mailauth.authres.values import AuthResults
from postroad.mailauth.authres.values import Result as Verdict
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import SigningKey
from postroad.message.header import HeaderBlock
from tests.unit.mailauth.dkim.making import MESSAGE, NOW, PrivateKey, ed25519, record, rsa

FOUND = AuthResults("mx.b.test", (Verdict("spf", "pass"),))


def zone() -> ZoneResolver:
    resolver = ZoneResolver()
    for domain in ("a.test", "b.test", "c.test"):
        resolver.add_txt(f"r._domainkey.{domain}", record(rsa()))
        resolver.add_txt(f"e._domainkey.{domain}", record(ed25519()))
    return resolver


def sealed(message: bytes, domain: str, status: Result, private: PrivateKey | None = None) -> bytes:
    key = SigningKey(domain, "e", private) if private is not None else SigningKey(domain, "r", rsa())
    block = HeaderBlock.parse(message)
    fields = seal(block, BodyHashes(message, block.body_start), key, results=FOUND, status=status, now=NOW)
    return fields + message


def validated(message: bytes, resolver: ZoneResolver | None = None) -> ArcResult:
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    body.compute(wanted_chain_hashes(block))
    return asyncio.run(verify_chain(block, body, resolver or zone(), now=NOW))


@pytest.fixture(scope="module")
def two() -> bytes:
    return sealed(sealed(MESSAGE, "a.test", Result.NONE), "b.test", Result.PASS, ed25519())


def test_no_chain() -> None:
    found = validated(MESSAGE)
    assert (found.result, found.sealers) == (Result.NONE, ())


def test_each_server_adds_a_set(two: bytes) -> None:
    found = validated(sealed(two, "c.test", Result.PASS))
    assert found.result is Result.PASS
    assert found.sealers == ("c.test", "b.test", "a.test")
    assert found.oldest_pass == 0
    assert found.chain.sets[0].said.split() == b"mx.b.test; spf=pass".split()


def test_since_when_a_message_is_as_it_is() -> None:
    """A list changes the subject and seals what it has made."""
    changed = sealed(MESSAGE, "a.test", Result.NONE).replace(b"A  letter", b"[list] A  letter")
    assert validated(changed).result is Result.FAIL
    found = validated(sealed(changed, "b.test", Result.PASS))
    assert (found.result, found.oldest_pass) == (Result.PASS, 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"all is well", b"all is lost"),
        (b"Subject: A", b"Subject: B"),
        (b"i=1; mx.b.test", b"i=1; mx.evil.test"),
        (b"cv=none", b"cv=pass"),
        (b"i=1; a=rsa", b"i=3; a=rsa"),
        (b"ARC-Authentication-Results: i=1", b"X: i=1"),
        (b"To: bob", b"To: eve"),
    ],
)
def test_a_chain_that_was_touched(two: bytes, old: bytes, new: bytes) -> None:
    assert old in two
    found = validated(two.replace(old, new))
    assert (found.result, found.sealers) == (Result.FAIL, ())


def test_the_status_has_no_case() -> None:
    """RFC 8617 §3.9"""
    shouted = sealed(MESSAGE.replace(b"well", b"ill"), "a.test", Result.FAIL).replace(b"cv=fail", b"cv=FAIL")
    found = validated(shouted)
    assert (found.chain.ended, sealed(shouted, "b.test", Result.FAIL)) == (True, shouted)
    # What is written otherwise than it was sealed does not hold, but it is read.
    found = validated(sealed(MESSAGE, "a.test", Result.NONE).replace(b"cv=none", b"cv=None"))
    assert (found.chain.problem, found.chain.sets[0].seal.status) == ("", "none")


def test_comments_around_an_instance() -> None:
    """RFC 8617 §3.9"""
    chatty = sealed(MESSAGE, "a.test", Result.NONE).replace(
        b"Results: i=1;", b"Results: (a) i (b)=(c) 1 (d);"
    )
    assert b"(d)" in chatty
    found = validated(chatty)
    assert (found.chain.problem, found.chain.sets[0].said.split()[0]) == ("", b"mx.b.test;")


def test_a_line_that_is_no_field_breaks_a_chain() -> None:
    broken = sealed(MESSAGE, "a.test", Result.NONE).replace(b"To: bob", b"Click here\r\nTo: bob")
    assert validated(broken).reason == "the header has a line that is no field"


def test_all_failures_are_final(two: bytes) -> None:
    """RFC 8617 §5.2.1"""
    resolver = zone()
    resolver.broken.add("r._domainkey.a.test")
    assert validated(two, resolver).result is Result.FAIL


def test_a_broken_chain_is_marked_once_and_left_alone(two: bytes) -> None:
    broken = two.replace(b"well", b"ill")
    marked = sealed(broken, "c.test", Result.FAIL)
    found = validated(marked)
    assert (found.result, found.chain.ended, found.chain.highest) == (Result.FAIL, True, 3)
    assert sealed(marked, "a.test", Result.FAIL) == marked


def test_a_chain_that_cannot_be_read_is_marked_too() -> None:
    message = b"ARC-Seal: i=7; nonsense\r\nARC-Message-Signature: i=4; a=x\r\n" + MESSAGE
    assert validated(message).result is Result.FAIL
    assert b"ARC-Seal: i=5;" in sealed(message, "a.test", Result.FAIL)


def test_fifty_sets_and_no_more() -> None:
    message = sealed(MESSAGE, "a.test", Result.NONE, ed25519())
    for _ in range(49):
        message = sealed(message, "a.test", Result.PASS, ed25519())
    found = validated(message)
    assert (found.result, len(found.chain.sets)) == (Result.PASS, 50)
    assert sealed(message, "a.test", Result.PASS, ed25519()) == message
    more = b"ARC-Authentication-Results: i=51; x; none\r\n" + message
    assert validated(more).result is Result.FAIL


def test_many_fields_are_not_even_read() -> None:
    found = validated(b"ARC-Seal: i=1\r\n" * 600 + MESSAGE)
    assert found.reason == "it has more than 50 sets"
