"""Signatures that we make (RFC 6376 §5)."""

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import LIFETIME, SigningKey, sign
from postroad.message.header import HeaderBlock
from tests.unit.mailauth.dkim.making import MESSAGE, NOW, ed25519, record, rsa, verified

KEYS = [SigningKey("a.test", "r1", rsa()), SigningKey("a.test", "e1", ed25519())]


FOR_EVER = 10**10
"""The clock of dkimpy is the real one."""


def fields(message: bytes, keys: list[SigningKey] = KEYS, lifetime: int = LIFETIME) -> bytes:
    block = HeaderBlock.parse(message)
    return sign(block, BodyHashes(message, block.body_start), keys, now=NOW, lifetime=lifetime)


def zone() -> ZoneResolver:
    resolver = ZoneResolver()
    resolver.add_txt("r1._domainkey.a.test", record(rsa()))
    resolver.add_txt("e1._domainkey.a.test", record(ed25519()))
    return resolver


def oracle(message: bytes, index: int) -> bool:
    """Whether dkimpy takes a signature for good."""
    records = {b"r1._domainkey.a.test.": record(rsa()), b"e1._domainkey.a.test.": record(ed25519())}
    return bool(dkim.DKIM(message).verify(index, dnsfunc=lambda name, timeout=5: records[name]))


def test_both_keys_sign() -> None:
    results = verified(fields(MESSAGE) + MESSAGE, zone()).results
    assert [(one.result, one.algorithm) for one in results] == [
        (Result.PASS, "rsa-sha256"),
        (Result.PASS, "ed25519-sha256"),
    ]
    assert all(one.vouches and one.time == NOW and one.expires == NOW + LIFETIME for one in results)
    assert all(one.signed_octets is None for one in results)


def test_dkimpy_agrees() -> None:
    message = fields(MESSAGE, lifetime=FOR_EVER) + MESSAGE
    assert oracle(message, 0)
    assert oracle(message, 1)
    with pytest.raises(dkim.ValidationError):
        oracle(message.replace(b"well", b"ill"), 1)


@pytest.mark.parametrize(
    "name",
    ["From", "To", "Cc", "Subject", "Date", "Reply-To", "Content-Type", "MIME-Version", "Message-ID"],
)
def test_no_field_that_readers_see_can_be_added(name: str) -> None:
    message = fields(MESSAGE) + MESSAGE
    added = f"{name}: x@y.test\r\n".encode()
    for forged in (added + message, message.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n", 1)):
        assert all(one.result is not Result.PASS for one in verified(forged, zone()).results)


def test_fields_of_lists_may_be_added_and_not_changed() -> None:
    assert verified(b"List-Id: <l.test>\r\n" + fields(MESSAGE) + MESSAGE, zone()).vouching == ("a.test",)
    from_list = b"List-Id: <l.test>\r\n" + MESSAGE
    changed = (fields(from_list) + from_list).replace(b"<l.test>", b"<m.test>")
    assert verified(changed, zone()).vouching == ()


def test_what_servers_add_on_the_way_does_no_harm() -> None:
    message = b"Received: from x\r\n\tby y; now\r\nReturn-Path: <>\r\n" + fields(MESSAGE) + MESSAGE
    assert verified(message, zone()).vouching == ("a.test",)


def test_lines_are_short() -> None:
    lines = fields(b"From: a@a.test\r\n" * 20 + MESSAGE).split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert all(line.startswith((b"DKIM-Signature:", b"\t")) for line in lines[:-1])


def test_what_cannot_be_signed() -> None:
    assert fields(MESSAGE, []) == b""
    assert fields(b"To: bob@b.test\r\n\r\nx") == b""
    assert fields(b"X: y\r\n" * 1100 + MESSAGE) == b""


def test_keys_are_not_shown() -> None:
    assert "private" not in repr(KEYS[0])


NAMES = st.sampled_from(["Subject", "To", "Cc", "X-Other", "List-Id", "References", "subject"])
VALUES = st.text(st.characters(codec="latin-1", categories=["L", "N", "P", "Zs"]), max_size=30)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
BODIES = st.lists(st.sampled_from([b"a", b"b c", b" ", b"\t", b"\r\n", b"\r\n\r\n", b"\xff"]), max_size=30)


@given(HEADERS, BODIES.map(b"".join))
def test_dkimpy_takes_whatever_we_sign(header: list[tuple[str, str]], body: bytes) -> None:
    lines = [f"{name}: {value.strip()}\r\n".encode() for name, value in header]
    message = b"From: a@a.test\r\n" + b"".join(lines) + b"\r\n" + body + b"\r\n"
    whole = fields(message, lifetime=FOR_EVER) + message
    assert oracle(whole, 0)
    assert oracle(whole, 1)
    assert verified(whole, zone()).vouching == ("a.test",)
