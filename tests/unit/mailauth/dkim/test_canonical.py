"""Canonical forms (RFC 6376 §3.4)."""

import base64
import mmap
import re
from hashlib import sha256

import dkim.canonicalization
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailauth.dkim import canonical
from postroad.mailauth.dkim.body import BodyHashes, Wanted
from postroad.mailauth.dkim.canonical import Canonical, canonical_body, canonical_field

SIMPLE, RELAXED = Canonical.SIMPLE, Canonical.RELAXED
ORACLES = {
    SIMPLE: dkim.canonicalization.Simple.canonicalize_body,
    RELAXED: dkim.canonicalization.Relaxed.canonicalize_body,
}
# What bodies are made of as far as canonicalisation sees them; bare CR and LF come with files.
_PIECES = [b"a", b"b c", b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n"]
TEXTS = st.lists(st.sampled_from([*_PIECES, b"\r", b"\n", b"\xff"]), max_size=40).map(b"".join)
BODIES = st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join)


def body(way: Canonical, data: bytes) -> bytes:
    return b"".join(canonical_body(way, data, 0))


def test_the_example_of_the_rfc() -> None:
    """RFC 6376 §3.4.5"""
    text = b" C \r\nD \t E\r\n\r\n\r\n"
    assert body(RELAXED, text) == b" C\r\nD E\r\n"
    assert body(SIMPLE, text) == b" C \r\nD \t E\r\n"
    assert canonical_field(RELAXED, b"a", b"A: X\r\n", 2) == b"a:X\r\n"
    assert canonical_field(RELAXED, b"b", b"B : Y\t\r\n\tZ  \r\n", 3) == b"b:Y Z\r\n"
    assert canonical_field(SIMPLE, b"b", b"B : Y\t\r\n\tZ  \r\n", 3) == b"B : Y\t\r\n\tZ  \r\n"


@pytest.mark.parametrize("empty", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_empty_bodies(empty: bytes) -> None:
    """RFC 6376 §3.4.3, §3.4.4"""
    digests = BodyHashes(empty, 0)
    simple_hash = base64.b64encode(digests.digest(Wanted(SIMPLE, None)))
    relaxed_hash = base64.b64encode(digests.digest(Wanted(RELAXED, None)))
    assert simple_hash == b"frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
    assert relaxed_hash == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.parametrize("way", list(Canonical))
def test_a_body_without_a_last_line_end_is_given_one(way: Canonical) -> None:
    assert body(way, b"a") == b"a\r\n"
    assert body(way, b"a\r\nb") == b"a\r\nb\r\n"


def test_bare_line_ends_are_content() -> None:
    assert body(SIMPLE, b"a\r\n\n\r\n") == b"a\r\n\n\r\n"
    assert body(RELAXED, b"a \r \n\r\n") == b"a \r \n\r\n"
    assert body(RELAXED, b"a\r\n\r") == b"a\r\n\r\r\n"


def relaxed(data: bytes) -> bytes:
    """What RFC 6376 §3.4.4 says, word for word."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in data.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def simple(data: bytes) -> bytes:
    """What RFC 6376 §3.4.3 says, word for word."""
    while data.endswith(b"\r\n"):
        data = data[:-2]
    return data + b"\r\n"


@given(TEXTS, st.integers(1, 9), st.integers(1, 9))
def test_where_a_body_is_cut_into_pieces_changes_nothing(data: bytes, piece: int, look: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "_PIECE", piece)
        patch.setattr(canonical, "_FIRST_LOOK", look)
        assert body(RELAXED, data) == relaxed(data)
        assert body(SIMPLE, data) == simple(data)


@given(BODIES)
def test_bodies_are_what_dkimpy_makes_of_them(data: bytes) -> None:
    whole = data + b"\r\n"
    for way, oracle in ORACLES.items():
        assert body(way, whole) == oracle(whole)


@given(BODIES)
def test_fields_are_what_dkimpy_makes_of_them(data: bytes) -> None:
    value = b" x" + data.replace(b"\r\n", b"\r\n ") + b"\r\n"
    oracle = dkim.canonicalization.Relaxed.canonicalize_headers([(b"Subject", value)])
    assert canonical_field(RELAXED, b"subject", b"Subject:" + value, 8) == b"%b:%b" % oracle[0]


@given(BODIES, st.lists(st.integers(0, 60), max_size=5))
def test_lengths_share_a_pass(data: bytes, lengths: list[int]) -> None:
    digests = BodyHashes(data, 0)
    digests.compute([Wanted(way, length) for way in Canonical for length in lengths])
    for way, whole in ((SIMPLE, simple(data)), (RELAXED, relaxed(data))):
        assert digests.canonical_size(way) == len(whole)
        assert digests.digest(Wanted(way, None)) == sha256(whole).digest()
        for length in lengths:
            assert digests.digest(Wanted(way, length)) == sha256(whole[:length]).digest()


def test_a_mapped_message() -> None:
    with mmap.mmap(-1, 700_000) as mapped:
        mapped.write(b"x y  z \r\n" * 77_777)
        whole = mapped[:]
        assert b"".join(canonical_body(RELAXED, mapped, 0)) == relaxed(whole)
        assert b"".join(canonical_body(SIMPLE, mapped, 0)) == simple(whole)
