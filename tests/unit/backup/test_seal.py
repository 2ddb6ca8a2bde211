"""Chunks and manifests: what goes in comes out, and nothing else passes for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.backup import keys
from postroad.backup.errors import Tampered, WrongKey
from postroad.backup.seal import Opener, Sealer

KEY = keys.make()
OPENER = Opener(KEY)
SEALER = Sealer(KEY.server)


def sealed(octets: bytes) -> tuple[bytes, bytes]:
    name = SEALER.name(octets)
    return name, SEALER.seal(name, octets)


@given(st.binary(max_size=5000))
def test_a_chunk_comes_back(octets: bytes) -> None:
    assert OPENER.open(*sealed(octets)) == octets


@given(st.binary(max_size=200), st.data())
def test_a_chunk_with_one_octet_changed_opens_for_nobody(octets: bytes, data: st.DataObject) -> None:
    name, chunk = sealed(octets)
    at = data.draw(st.integers(0, len(chunk) - 1))
    changed = bytearray(chunk)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Tampered):
        SEALER.check(name, bytes(changed))
    with pytest.raises(Tampered):
        OPENER.open(name, bytes(changed))


@given(st.binary(max_size=200), st.data())
def test_a_chunk_that_was_cut_opens_for_nobody(octets: bytes, data: st.DataObject) -> None:
    name, chunk = sealed(octets)
    with pytest.raises(Tampered):
        OPENER.open(name, chunk[: data.draw(st.integers(0, len(chunk) - 1))])


def test_a_chunk_under_another_name_opens_for_nobody() -> None:
    (first, _), (_, other) = sealed(b"first"), sealed(b"second")
    with pytest.raises(Tampered, match=first.hex()):
        OPENER.open(first, other)
    with pytest.raises(Tampered):
        SEALER.check(first, other)


def test_names_and_chunks_say_nothing_without_the_key() -> None:
    octets = b"Subject: secret\r\n" * 100
    name, chunk = sealed(octets)
    assert b"secret" not in chunk
    assert Sealer(keys.make().server).name(octets) != name


def test_the_server_cannot_read_what_it_sealed() -> None:
    # The server's half holds no private key at all; an operator's key made of other parts opens nothing.
    name, chunk = sealed(b"mail")
    stranger = keys.OperatorKey(KEY.server, keys.make().private)
    assert SEALER.check(name, chunk) != b"mail"
    with pytest.raises(Tampered):
        Opener(stranger).open(name, chunk)


def test_a_manifest_comes_back_and_knows_its_backup() -> None:
    octets = SEALER.seal_manifest("one", b"what it consists of")
    assert SEALER.open_manifest("one", octets) == b"what it consists of"
    with pytest.raises(Tampered, match="backup two"):
        SEALER.open_manifest("two", octets)


@given(st.data())
def test_a_manifest_that_was_changed_is_refused(data: st.DataObject) -> None:
    octets = bytearray(SEALER.seal_manifest("one", b"what it consists of"))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Tampered, WrongKey)):
        SEALER.open_manifest("one", bytes(octets))


def test_another_key_is_told_from_damage() -> None:
    other = keys.make().server
    octets = Sealer(other).seal_manifest("one", b"what it consists of")
    with pytest.raises(WrongKey, match=f"made with the key {other.id}, the key given is {KEY.server.id}"):
        SEALER.open_manifest("one", octets)
