"""TLSA records against certificates (RFC 7672 §3, RFC 7671, RFC 6698 §2.1)."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postroad.mailauth.dane import Result, check, usable
from postroad.model.answers import Tlsa
from postroad.testing.authority import Authority, Issued

NOW = datetime.now(UTC)
ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
SERVER = MIDDLE.issue("mx.example.com", "*.mail.example.com")
NAMES = ("mx.example.com", "example.com")


def tlsa(usage: int, selector: int, matching: int, of: Issued) -> Tlsa:
    """The record for a certificate."""
    octets = (
        of.certificate.public_bytes(Encoding.DER)
        if selector == 0
        else of.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    digests = {0: octets, 1: hashlib.sha256(octets).digest(), 2: hashlib.sha512(octets).digest()}
    return Tlsa(usage, selector, matching, digests[matching])


def judged(
    *records: Tlsa, chain: list[bytes] | None = None, names: tuple[str, ...] = NAMES, now: datetime = NOW
) -> Result:
    """What becomes of a server's chain, by default the whole of it."""
    good = usable(records)
    assert good, "there is no usable record"
    return check(good, SERVER.chain if chain is None else chain, names, now)


@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
def test_the_servers_own_certificate_or_key_is_named(selector: int, matching: int) -> None:
    record = tlsa(3, selector, matching, SERVER)
    assert judged(record) is Result.MATCH
    assert judged(record, chain=SERVER.chain[:1]) is Result.MATCH
    assert judged(record, chain=MIDDLE.issue("mx.example.com").chain) is Result.MISMATCH


def test_for_the_servers_own_neither_names_nor_dates_count() -> None:
    """RFC 7672 §3.1.1."""
    record = tlsa(3, 1, 1, SERVER)
    assert judged(record, names=("other.test",), now=NOW + timedelta(days=9999)) is Result.MATCH


@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("anchor", [ROOT.own, MIDDLE.own], ids=["root", "middle"])
def test_an_authority_in_the_chain_is_named(anchor: Issued, selector: int, matching: int) -> None:
    assert judged(tlsa(2, selector, matching, anchor)) is Result.MATCH


@pytest.mark.parametrize("selector", [0, 1])
def test_an_anchor_that_is_not_sent_has_to_be_in_the_dns_whole(selector: int) -> None:
    """RFC 7672 §3.1.2."""
    without_root = SERVER.chain[:2]
    assert judged(tlsa(2, selector, 1, ROOT.own), chain=without_root) is Result.MISMATCH
    assert judged(tlsa(2, selector, 0, ROOT.own), chain=without_root) is Result.MATCH
    assert judged(tlsa(2, selector, 0, ROOT.own), chain=SERVER.chain[:1]) is Result.MISMATCH


def test_the_order_of_what_is_above_does_not_matter() -> None:
    own, middle, root = SERVER.chain
    assert judged(tlsa(2, 0, 1, ROOT.own), chain=[own, root, middle]) is Result.MATCH


def test_a_certificate_that_is_only_sent_along_vouches_for_nobody() -> None:
    stranger = Authority("Stranger").issue("mx.example.com")
    chain = [stranger.chain[0], *SERVER.chain[1:]]
    assert judged(tlsa(2, 0, 1, ROOT.own), chain=chain) is Result.MISMATCH


def test_the_name_of_an_authority_is_not_enough() -> None:
    forged = Authority("Root").issue("mx.example.com")
    assert judged(tlsa(2, 0, 1, ROOT.own), chain=[forged.chain[0], ROOT.own.chain[0]]) is Result.MISMATCH
    assert judged(tlsa(2, 1, 0, ROOT.own), chain=forged.chain[:1]) is Result.MISMATCH


def test_a_server_is_no_authority() -> None:
    leaf = ROOT.issue("leaf.test", common="leaf.test")
    below = _issued_by(leaf)
    assert judged(tlsa(2, 0, 1, ROOT.own), chain=below.chain) is Result.MISMATCH
    assert judged(tlsa(2, 0, 1, leaf), chain=below.chain) is Result.MISMATCH


def test_a_certificate_that_signs_itself_may_be_its_own_anchor() -> None:
    own = Authority("mx.example.com").own
    assert judged(tlsa(2, 0, 1, own), chain=own.chain) is Result.MATCH
    assert judged(tlsa(2, 0, 1, SERVER)) is Result.MISMATCH, "an anchor has signed something"


def test_with_an_anchor_names_count() -> None:
    record = tlsa(2, 0, 1, ROOT.own)
    assert judged(record, names=("other.test",)) is Result.HOST_MISMATCH
    assert judged(record, names=("other.test", "MX.example.com.")) is Result.MATCH
    assert judged(record, names=("a.mail.example.com",)) is Result.MATCH
    assert judged(record, names=("a.b.mail.example.com",)) is Result.HOST_MISMATCH
    assert judged(record, names=("mail.example.com",)) is Result.HOST_MISMATCH


def test_a_common_name_counts_where_there_is_no_dns_name() -> None:
    record = tlsa(2, 0, 1, ROOT.own)
    assert judged(record, chain=ROOT.issue(common="mx.example.com").chain) is Result.MATCH
    assert judged(record, chain=ROOT.issue("x.test", common="mx.example.com").chain) is Result.HOST_MISMATCH


def test_with_an_anchor_dates_count() -> None:
    record = tlsa(2, 0, 1, ROOT.own)
    old = ROOT.issue("mx.example.com", days=(-20, -10))
    assert judged(record, chain=old.chain) is Result.EXPIRED
    assert judged(record, chain=old.chain, now=NOW - timedelta(days=15)) is Result.MATCH


def test_one_record_that_matches_is_enough() -> None:
    other = MIDDLE.issue("next.example.com")
    assert judged(tlsa(3, 1, 1, other), tlsa(3, 1, 1, SERVER)) is Result.MATCH
    assert judged(tlsa(3, 1, 1, other), tlsa(2, 0, 1, ROOT.own)) is Result.MATCH


@pytest.mark.parametrize(
    "record",
    [
        tlsa(0, 0, 1, ROOT.own),
        tlsa(1, 0, 1, SERVER),
        Tlsa(4, 0, 1, b"x" * 32),
        Tlsa(255, 0, 1, b"x" * 32),
        Tlsa(3, 2, 1, b"x" * 32),
        Tlsa(3, 1, 3, b"x" * 32),
        Tlsa(3, 1, 1, b"x" * 31),
        Tlsa(3, 1, 2, b"x" * 32),
        Tlsa(3, 0, 0, b"no certificate"),
        Tlsa(2, 1, 0, b"no key"),
    ],
    ids=lambda record: f"{record.usage} {record.selector} {record.matching} {len(record.data)}",
)
def test_what_is_not_for_smtp_or_cannot_be_right_is_unusable(record: Tlsa) -> None:
    """RFC 7672 §3.1.3, RFC 7671 §4.1."""
    assert usable([record]) == ()


def test_of_several_digests_the_strongest_counts() -> None:
    """RFC 7671 §9."""
    strong, weak = tlsa(3, 1, 2, SERVER), tlsa(3, 1, 1, MIDDLE.issue("weak.test"))
    assert usable([weak, strong]) == (strong,)
    whole = tlsa(3, 1, 0, SERVER)
    assert usable([whole, strong]) == (whole, strong)
    assert len(usable([tlsa(3, 0, 1, SERVER), strong])) == 2, "for another selector it is another matter"


@pytest.mark.parametrize("chain", [[], [b""], [b"\x30\x03junk"]])
def test_no_certificate_is_no_match(chain: list[bytes]) -> None:
    assert judged(tlsa(3, 1, 1, SERVER), chain=chain) is Result.NO_CERTIFICATE


def test_look_alikes_cost_no_more_than_their_number() -> None:
    """Every one of them could have signed every other: each is looked at once."""
    many = [ROOT.own.chain[0]] * 9
    assert judged(tlsa(2, 0, 1, MIDDLE.own), chain=[ROOT.issue("mx.example.com").chain[0], *many]) is (
        Result.MISMATCH
    )


def _issued_by(leaf: Issued) -> Issued:
    authority = Authority("unused")
    authority.own = leaf
    return authority.issue("mx.example.com")


def test_a_key_is_matched_as_the_certificate_has_it() -> None:
    """RFC 6698 §2.1.2 hashes the octets: this key has its point compressed, as nobody else writes it."""
    der, spki = _with_a_compressed_point()
    record = Tlsa(3, 1, 1, hashlib.sha256(spki).digest())
    assert judged(record, chain=[der]) is Result.MATCH
    assert judged(Tlsa(3, 1, 1, bytes(32)), chain=[der]) is Result.MISMATCH


def test_for_the_servers_own_nothing_else_is_read() -> None:
    record = tlsa(3, 1, 1, SERVER)
    assert judged(record, chain=[SERVER.chain[0], b"junk"]) is Result.MATCH
    assert judged(tlsa(2, 1, 1, SERVER), chain=[SERVER.chain[0], b"junk"]) is Result.NO_CERTIFICATE


def _with_a_compressed_point() -> tuple[bytes, bytes]:
    """A certificate and its SubjectPublicKeyInfo; it is signed by nobody, which DANE-EE does not mind."""
    own = SERVER.certificate
    whole = own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = SERVER.key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = whole[2 : 4 + whole[3]]
    short = _der(0x30, algorithm + _der(0x03, b"\0" + point))
    signed = own.tbs_certificate_bytes
    assert whole in signed
    assert signed[1] & 0x80, "its length has octets of its own"
    behind = own.public_bytes(Encoding.DER).partition(signed)[2]
    return _der(0x30, _der(0x30, signed[2 + (signed[1] & 0x7F) :].replace(whole, short)) + behind), short


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes(1 if length < 0x100 else 2)
    return bytes([tag, 0x80 | len(octets)]) + octets + content
