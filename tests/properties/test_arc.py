"""ARC: dkimpy validates every chain that we seal, and we every one that it seals (RFC 8617)."""

import asyncio

import dkim
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.arc.seal import seal
from postroad.mailauth.arc.verify import ArcResult, verify_chain, wanted_chain_hashes
from postroad.mailauth.authres.values import AuthResults, Property
from postroad.mailauth.authres.values import Result as Verdict
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import SigningKey
from postroad.message.header import HeaderBlock
from tests.unit.mailauth.dkim.making import NOW, record, rsa

PEM = rsa().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
KEY = SigningKey("a.test", "sel", rsa())
SIGNED = [b"from", b"subject", b"to", b"x-odd", b"dkim-signature"]

words = st.text(st.sampled_from("abcäß?=; \t,()<>\"'"), max_size=40).map(str.encode)
folds = st.sampled_from((b"", b" ", b"\r\n ", b"\r\n\t"))
values = st.builds(b"%b%bend".__mod__, st.tuples(words, folds))
names = st.sampled_from((b"Subject", b"To", b"X-Odd", b"subject", b"Received"))
fields = st.lists(st.builds(b"%b:%b\r\n".__mod__, st.tuples(names, values)), max_size=6).map(b"".join)
lines = st.lists(st.one_of(words, st.just(b""), st.just(b"  ")), max_size=6).map(b"\r\n".join)
messages = st.builds(b"From: ada@a.test\r\n%b\r\n%b\r\n".__mod__, st.tuples(fields, lines))


def zone() -> ZoneResolver:
    resolver = ZoneResolver()
    resolver.add_txt("sel._domainkey.a.test", record(rsa()))
    return resolver


def known(_: bytes, timeout: int = 5) -> bytes:
    return record(rsa())


def ours(message: bytes, status: Result) -> bytes:
    block = HeaderBlock.parse(message)
    found = AuthResults("mx.a.test", (Verdict("spf", "pass", (Property("smtp", "helo", 'o"d d'),)),))
    body = BodyHashes(message, block.body_start)
    return seal(block, body, KEY, results=found, status=status, now=NOW, names=SIGNED) + message


def its_own(message: bytes) -> bytes:
    """A set of dkimpy's on top, which goes by the Authentication-Results there."""
    marked = b"Authentication-Results: mx.a.test; arc=%b\r\n" % dkim.arc_verify(message, dnsfunc=known)[0]
    fields = dkim.arc_sign(
        *(marked + message, b"sel", b"a.test", PEM, b"mx.a.test"),
        include_headers=SIGNED[:-1],
        timestamp=int(NOW),
    )
    assert fields, "dkimpy had no results to seal"
    return b"".join(field.rstrip(b"\r\n") + b"\r\n" for field in reversed(fields)) + message


def validated(message: bytes) -> ArcResult:
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    body.compute(wanted_chain_hashes(block))
    return asyncio.run(verify_chain(block, body, zone(), now=NOW))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(messages, st.lists(st.booleans(), min_size=1, max_size=3))
def test_chains_of_both_hold_for_both(message: bytes, sealers: list[bool]) -> None:
    status = Result.NONE
    for ours_is_next in sealers:
        message = ours(message, status) if ours_is_next else its_own(message)
        status = Result.PASS
    found = validated(message)
    assert found.result is Result.PASS, found.reason
    assert len(found.sealers) == len(sealers)
    assert dkim.arc_verify(message, dnsfunc=known)[0] == b"pass"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(messages, st.data())
def test_both_see_what_was_changed(message: bytes, data: st.DataObject) -> None:
    message = ours(ours(message, Result.NONE), Result.PASS)
    at = data.draw(st.sampled_from([at for at, octet in enumerate(message) if chr(octet).isalnum()]))
    octet = data.draw(st.sampled_from(b"xA0+"))  # what divides fields and words stays
    changed = message[:at] + bytes([octet]) + message[at + 1 :]
    assert (validated(changed).result is Result.PASS) == (
        dkim.arc_verify(changed, dnsfunc=known)[0] == b"pass"
    )
