"""Addresses read from envelopes are those that were written into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.message.envelope import AddressList, EnvelopeAddress, first_address
from postroad.message.header import HeaderBlock
from postroad.message.structure import render_addresses, render_envelope

_FIELDS = {AddressList.FROM: b"From", AddressList.TO: b"To", AddressList.CC: b"Cc"}


def envelope(**fields: str) -> bytes:
    return render_envelope(HeaderBlock.parse("".join(f"{k}: {v}\r\n" for k, v in fields.items()).encode()))


@pytest.mark.parametrize(
    ("value", "local", "display"),
    [
        ("Ada <ada@x.test>, bob@x.test", "ada", "Ada"),
        ('"L\\"ove, \\\\ Ada" <ada@x.test>', "ada", 'L"ove, \\ Ada'),
        ("=?utf-8?q?=C3=84da?= <ada@x.test>", "ada", "Äda"),
        ("Äda Ö <ada@x.test>", "ada", "Äda Ö"),
        ("ada@x.test", "ada", "ada@x.test"),
        ("Friends: ada@x.test;", "Friends", "Friends"),
        ("=?utf-8?q?=20?= <ada@x.test>", "ada", "ada@x.test"),
        ("", "", ""),
    ],
)
@pytest.mark.parametrize("which", AddressList)
def test_what_is_compared(which: AddressList, value: str, local: str, display: str) -> None:
    field = _FIELDS[which].decode()
    found = first_address(envelope(Date="Tü {3} (x", Subject='a "b" \\ é {1}', **{field: value}), which)
    assert ((found.local_part(), found.display()) if found else ("", "")) == (local, display)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=40))
def test_whatever_stands_in_front(sender: bytes, subject: bytes, to: bytes) -> None:
    written = render_envelope(
        HeaderBlock.parse(b"From: %b\r\nSubject: %b\r\nTo: %b\r\nCc: c@x\r\n" % (sender, subject, to))
    )
    if b"\n" not in sender + subject + to and b"\r" not in sender + subject + to:
        assert first_address(written, AddressList.CC) == EnvelopeAddress(None, b"c", b"x")
    for which in AddressList:
        first_address(written, which)  # never raises


def test_no_addresses_are_nil() -> None:
    assert render_addresses([]) == b"NIL"
    assert first_address(envelope(), AddressList.TO) is None
