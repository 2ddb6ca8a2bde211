"""Base64 in its one spelling."""

import pytest

from postroad.sasl.base64 import decode, encode


@pytest.mark.parametrize("octets", [b"", b"\0", b"ab", b"abc", bytes(range(256))])
def test_there_and_back(octets: bytes) -> None:
    assert decode(encode(octets)) == octets
    assert b"\n" not in encode(octets)


@pytest.mark.parametrize(
    "text",
    [
        b"A",
        b"AA",
        b"AA=",
        b"AB==",
        b"AAB=",
        b"=",
        b"====",
        b"AAAA=",
        b"AA==AA==",
        b"AA==\n",
        b" AAAA",
        b"AA AA",
        b"AA-_",
        b"AA*A",
        "ÄÄÄÄ".encode(),
    ],
)
def test_other_spellings_are_none(text: bytes) -> None:
    assert decode(text) is None
