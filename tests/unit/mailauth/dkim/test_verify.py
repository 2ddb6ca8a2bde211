"""What becomes of signatures, good and bad (RFC 6376 §6.1, RFC 8301, RFC 8463, RFC 8601 §2.7.1)."""

import base64
import time

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailauth.dkim.limits import Limits
from postroad.mailauth.dkim.result import Result
from tests.unit.mailauth.dkim.making import MESSAGE, NOW, ed25519, only, record, rsa, signed, verified, zone

PASS, FAIL, POLICY = Result.PASS, Result.FAIL, Result.POLICY
NEUTRAL, TEMPERROR, PERMERROR = Result.NEUTRAL, Result.TEMPERROR, Result.PERMERROR


def test_no_signature_is_no_result() -> None:
    verification = verified(MESSAGE)
    assert verification.results == ()
    assert verification.vouching == ()


@pytest.mark.parametrize("ways", ["simple", "relaxed", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"])
def test_both_kinds_of_keys_in_all_forms(ways: str) -> None:
    assert only(signed(c=ways)).result is PASS
    assert only(signed(rsa(), c=ways), zone(record(rsa()))).result is PASS


def test_the_evidence() -> None:
    found = only(signed(i="ada=40home@mail.a.test", t="1699999000", x="1700009000"))
    assert found.result is PASS
    assert found.vouches
    assert (found.domain, found.selector, found.identity) == ("a.test", "sel", "ada@home@mail.a.test")
    assert (found.algorithm, found.key_bits) == ("ed25519-sha256", 256)
    assert found.signed_fields == ("from", "to", "subject", "date")
    assert (found.time, found.expires) == (1699999000, 1700009000)
    assert len(base64.b64decode(found.signature)) == 64


def test_identity_is_the_domain_unless_it_is_given() -> None:
    assert only(signed()).identity == "@a.test"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"A  letter", b"A letter of another"),
        (b"From: Ada", b"From: Eve"),
        (b"all is well", b"all is lost"),
        (b"bob@b.test", b"bob@c.test"),
    ],
)
def test_what_was_changed(old: bytes, new: bytes) -> None:
    found = only(signed().replace(old, new))
    assert found.result is FAIL
    assert not found.vouches


def test_relaxed_survives_white_space() -> None:
    message = (
        signed().replace(b"To: bob@b.test", b"TO :\tbob@b.test  ").replace(b"Dear  Bob, ", b"Dear\tBob,")
    )
    assert only(message).result is PASS


def test_simple_does_not() -> None:
    assert only(signed(c="simple/simple").replace(b"Dear  Bob", b"Dear Bob")).result is FAIL
    assert only(signed(c="simple/simple").replace(b"To: ", b"To:  ")).result is FAIL


@pytest.mark.parametrize(
    ("tags", "result"),
    [
        ({"v": "2"}, NEUTRAL),
        ({"v": None}, NEUTRAL),
        ({"a": "rsa-md5"}, NEUTRAL),
        ({"d": "test"}, NEUTRAL),
        ({"d": "a..test"}, NEUTRAL),
        ({"d": None}, NEUTRAL),
        ({"s": ""}, NEUTRAL),
        ({"bh": "!"}, NEUTRAL),
        ({"q": "http"}, NEUTRAL),
        ({"t": "soon"}, NEUTRAL),
        ({"t": "1700000000", "x": "1700000000"}, NEUTRAL),
        ({"i": "nobody"}, NEUTRAL),
        ({"i": "@b.test"}, PERMERROR),
        ({"i": "@nota.test"}, PERMERROR),
        ({"i": "@sub.a.test"}, PASS),
        ({"h": "To:Subject"}, PERMERROR),
        ({"h": "From : To :\tSubject"}, PASS),
        ({"q": "http:dns/txt"}, PASS),
        ({"d": "A.TEST"}, PASS),
        ({"unknown": "tag", "z": "From:x@y"}, PASS),
    ],
)
def test_tags(tags: dict[str, str | None], result: Result) -> None:
    assert only(signed(**tags)).result is result


def test_an_unknown_canonical_form() -> None:
    assert only(signed().replace(b"c=relaxed", b"c=strict")).result is NEUTRAL


def test_a_tag_given_twice() -> None:
    assert only(signed().replace(b"; d=a.test", b"; d=a.test; d=a.test")).result is NEUTRAL


@pytest.mark.parametrize(
    ("tags", "result"),
    [
        ({"x": "1699999000"}, FAIL),  # expired
        ({"t": "1700009000"}, FAIL),  # made in the future
        ({"t": "1700000200"}, PASS),  # clocks differ a little
        ({"t": "1699990000", "x": "1700009000"}, PASS),
    ],
)
def test_times(tags: dict[str, str | None], result: Result) -> None:
    assert only(signed(**tags), now=NOW).result is result


def test_sha1_has_failed() -> None:
    """RFC 8301 §3.1"""
    assert only(signed(rsa(), a="rsa-sha1"), zone(record(rsa()))).result is FAIL


def test_short_keys_have_failed_and_very_long_ones_are_refused() -> None:
    """RFC 8301 §3.2"""
    assert only(signed(rsa(1024)), zone(record(rsa(1024)))).result is PASS
    assert only(signed(rsa(1024)), zone(record(rsa(1024)))).key_bits == 1024
    oversize = verified(signed(rsa()), zone(record(rsa())), limits=Limits(rsa_bits_most=1536)).results[0]
    assert oversize.result is POLICY
    weak = verified(signed(rsa()), zone(record(rsa())), limits=Limits(rsa_bits_least=3072)).results[0]
    assert (weak.result, weak.reason) == (FAIL, "a key of 2048 bits is too weak")


def test_512_bits() -> None:
    key = (
        b"v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL3Wd0IQ9qJGOLRBFyHwzZtIJ3ZtT9nZqcVLS5v5mK1j"
        b"IhvQhZ8gO0Q1yO4m8l5Xd0l1n1i6bZJ9b7O1V3m3mCkCAwEAAQ=="
    )
    assert only(signed(rsa()), zone(key)).reason == "a key of 512 bits is too weak"


def test_a_key_with_a_huge_exponent_is_refused() -> None:
    found = verified(signed(rsa()), zone(record(rsa())), limits=Limits(exponent_bits=16)).results[0]
    assert found.result is POLICY


def test_from_that_is_not_signed() -> None:
    """RFC 6376 §8.15: a second From shows readers another author than the one who signed."""
    forged = signed().replace(b"From: Ada", b"From: eve@evil.test\r\nFrom: Ada")
    assert only(forged).result is POLICY
    oversigned = signed(h="From:From:To:Subject").replace(b"From: Ada", b"From: eve@evil.test\r\nFrom: Ada")
    assert only(oversigned).result is FAIL


def test_length_shorter_than_the_body_vouches_for_nothing() -> None:
    """RFC 6376 §8.2"""
    message = signed(l="8") + b"Buy now!\r\n"
    found = only(message)
    assert (found.result, found.signed_octets, found.unsigned_octets) == (PASS, 8, 30)
    assert not found.vouches
    assert verified(message).vouching == ()


def test_length_of_the_whole_body() -> None:
    found = only(signed(l="26"))
    assert (found.result, found.unsigned_octets) == (PASS, 0)
    assert found.vouches


def test_length_longer_than_the_body() -> None:
    assert only(signed(l="27")).result is FAIL


@pytest.mark.parametrize(
    ("tags", "result"),
    [
        ("", PASS),
        ("v=DKIM1; s=email; t=s; h=sha256; n=a note; g=; ", PASS),
        ("v=DKIM1; s=*; h=sha1:sha256; ", PASS),
        ("v=DKIM2; ", PERMERROR),
        ("n=first; v=DKIM1; ", PERMERROR),
        ("v=DKIM1; s=tlsrpt; ", PERMERROR),
        ("v=DKIM1; h=sha1; ", PERMERROR),
        ("v=DKIM1; k=rsa; ", PERMERROR),
        ("v=DKIM1;; ", PERMERROR),
    ],
)
def test_key_records(tags: str, result: Result) -> None:
    assert only(signed(), zone(record(ed25519(), tags))).result is result


def test_a_key_for_the_domain_alone() -> None:
    strict = record(ed25519(), "v=DKIM1; t=y:s; ")
    assert only(signed(i="@a.test"), zone(strict)).result is PASS
    assert only(signed(i="@sub.a.test"), zone(strict)).result is PERMERROR


def test_who_is_testing_fares_no_worse_than_who_does_not_sign() -> None:
    testing = record(ed25519(), "v=DKIM1; t=y; ")
    assert only(signed(), zone(testing)).result is PASS
    found = only(signed().replace(b"well", b"ill"), zone(testing))
    assert (found.result, found.testing) == (NEUTRAL, True)


def test_a_revoked_key() -> None:
    assert only(signed(), zone(b"v=DKIM1; k=ed25519; p=")).result is FAIL


@pytest.mark.parametrize(
    "text",
    [
        b"v=DKIM1; k=ed25519; p=AAAA",
        b"v=DKIM1; p=AAAA",
        b"v=DKIM1; k=ed25519",
        b"v=DKIM1; k=ed25519; p=*",
        b"v=spf1 -all",
        b"",
        b"\xff\xfe",
        b";" * 4000,
    ],
)
def test_malformed_key_records(text: bytes) -> None:
    assert only(signed(), zone(text)).result is PERMERROR


def test_a_key_of_another_kind_than_it_says() -> None:
    assert only(signed(rsa()), zone(record(rsa()).replace(b"p=", b"k=ed25519; p="))).result is PERMERROR
    assert only(signed(rsa())).result is PERMERROR


def test_other_records_at_the_name_of_the_key() -> None:
    resolver = zone(b"v=spf1 -all")
    resolver.add_txt("sel._domainkey.a.test", record(ed25519()))
    assert only(signed(), resolver).result is PASS


def test_no_key_and_no_dns() -> None:
    resolver = zone(b"x", "other.test")
    assert only(signed(), resolver).result is PERMERROR
    resolver.broken.add("sel._domainkey.a.test")
    assert only(signed(), resolver).result is TEMPERROR


def test_a_thousand_signatures() -> None:
    field = signed()[: -len(MESSAGE)]
    verification = verified(field * 500 + signed())
    assert [one.result for one in verification.results] == [PASS] * 8
    assert verification.left_out == 493


def test_no_more_than_five_keys_are_asked_for() -> None:
    resolver = zone()
    message = MESSAGE
    for number in range(7):
        message = signed(s=f"s{number}")[: -len(MESSAGE)] + message
        resolver.add_txt(f"s{number}._domainkey.a.test", record(ed25519()))
    verification = verified(message, resolver)
    assert [one.result for one in verification.results] == [PASS] * 5 + [POLICY] * 2
    assert len(resolver.asked) == 5


def test_a_key_is_asked_for_once() -> None:
    resolver = zone()
    verified(signed()[: -len(MESSAGE)] * 3 + MESSAGE, resolver)
    assert resolver.asked == [("TXT", "sel._domainkey.a.test")]


def test_other_signatures_may_be_signed() -> None:
    first = signed()
    both = signed(None, first, h="From:DKIM-Signature")
    assert [one.result for one in verified(both).results] == [PASS, PASS]
    assert verified(both.replace(b"; s=sel", b"; s=sel; n=x", 2)).results[0].result is FAIL


def test_international_names() -> None:
    """RFC 8616 §5: U-labels may stand in the signature; the DNS is asked for A-labels."""
    resolver = zone(record(ed25519()), "schlüssel._domainkey.a.test".encode("idna").decode())
    resolver.add_txt("xn--schlssel-95a._domainkey.xn--bcher-kva.test", record(ed25519()))
    found = only(signed(d="bücher.test", s="schlüssel", i="jürgen@post.bücher.test"), resolver)
    assert found.result is PASS
    assert found.domain == "xn--bcher-kva.test"
    assert found.identity == "jürgen@post.xn--bcher-kva.test"


def test_a_header_beyond_the_limits_is_not_judged() -> None:
    message = signed(None, MESSAGE.replace(b"Subject", b"X: y\r\n" * 1100 + b"Subject"))
    assert only(message).result is POLICY


PEM = {
    "rsa-sha256": rsa().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "ed25519-sha256": base64.b64encode(
        ed25519().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    ),
}


@given(
    st.sampled_from(list(PEM)),
    st.tuples(st.sampled_from([b"simple", b"relaxed"]), st.sampled_from([b"simple", b"relaxed"])),
    st.booleans(),
    st.lists(st.sampled_from([b"a", b"b c", b" ", b"\t", b"\r\n", b"\r\n\r\n"]), max_size=30).map(b"".join),
)
def test_what_dkimpy_signs(algorithm: str, ways: tuple[bytes, bytes], length: bool, body: bytes) -> None:
    message = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body + b"\r\n"
    field = dkim.sign(
        message,
        b"sel",
        b"a.test",
        PEM[algorithm],
        canonicalize=ways,
        signature_algorithm=algorithm.encode(),
        length=length,
    )
    key = rsa() if algorithm == "rsa-sha256" else ed25519()
    found = only(field + message, zone(record(key)), now=time.time())
    assert (found.result, found.vouches) == (PASS, True), found.reason
    assert only(field + message + b"x\r\n", zone(record(key)), now=time.time()).vouches is False


@pytest.mark.parametrize("line", [b"Click here", b"\xc2\xa0, eve@evil.test", b"\x0b, eve@evil.test", b": x"])
def test_a_line_that_is_no_field_is_not_vouched_for(line: bytes) -> None:
    """Where others take it for the beginning of the body, it is what they show (RFC 6376 §3.8)."""
    message = signed()
    assert only(message.replace(b"To: bob", line + b"\r\nTo: bob")).result is Result.POLICY
    # A mailbox separator is not of the message.
    assert only(b"From ada@a.test Tue Nov 14 22:13:20 2023\r\n" + message).result is Result.PASS
