"""Encoded words and charsets, truthful and lying."""

import pytest

from postroad.message.charset import decode_text, find_codec
from postroad.message.encoded_word import decode_header, encode_words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?iso-8859-1?q?this=20is=20some=20text?=", "this is some text"),
        # RFC 2047 §8
        (b"(=?ISO-8859-1?Q?a?=)", "(a)"),
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a?=  \t  =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
        (b"=?utf-8?b?w?= =?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
        (b"=?gb2312?B?1tDOxA==?=", "中文"),
        (b"=?no-such?q?=C3=A4?=", "ä"),
        (b"=?zlib?q?=C3=A4?=", "ä"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?unclosed", "=?utf-8?q?unclosed"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?utf-8?q?a=0D=0AB:_c=00?=", "a B: c"),
        (b"raw \xc3\xa4", "raw ä"),
        (b"raw \xe4", "raw ä"),
        (b"=?utf-8?q?a?=b=?utf-8?q?c?=", "abc"),
    ],
)
def test_decoding(value: bytes, text: str) -> None:
    assert decode_header(value) == text


@pytest.mark.parametrize(
    "text", ["plain", "grün", "=?utf-8?q?fake?=", "ä" * 100, "日本語" * 40, "a\r\nBcc: b", "😀"]
)
def test_encoding_is_undone_by_decoding(text: str) -> None:
    encoded = encode_words(text)
    assert decode_header(encoded) == " ".join(text.split())
    assert encoded.isascii()
    assert b"\r" not in encoded
    assert b"\n" not in encoded
    assert all(len(word) <= 75 for word in encoded.split(b" "))


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF-8", "utf_8"),
        ("ISO-8859-15", "iso8859_15"),
        ("iso-8859-1", "cp1252"),
        ("Windows-1251", "cp1251"),
        ("cp-850", "cp850"),
        ("ISO-2022-JP", "iso2022_jp_ext"),
        ("us-ascii", "ascii"),
        ("base64", None),
        ("rot13", None),
        ("unicode_escape", None),
        ("idna", None),
        ("aliases", None),
        ("../../etc/passwd", None),
        ("x" * 1000, None),
        ("", None),
    ],
)
def test_labels(label: str, codec: str | None) -> None:
    assert find_codec(label) == codec


def test_lying_labels_lose_no_more_than_characters() -> None:
    assert decode_text(b"gr\xfcn", "utf-8") == "gr\ufffdn"
    assert decode_text(b"gr\xfcn", "us-ascii") == "grün"
    assert decode_text(b"+2AA-", "utf-7") == "\ufffd"
    assert decode_text(b"\x81\xff", "windows-1252") == "\ufffdÿ"
