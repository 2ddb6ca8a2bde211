"""Bodies decoded, whole and in pieces."""

import base64
import quopri
import re

import pytest

from postroad.message.charset import decode_text, find_codec
from postroad.message.part import pack_tree, parse_parts
from postroad.message.text import (
    decode_body,
    decode_body_text,
    decoded_text_parts,
    is_plain,
    iter_decoded,
    readable_text,
    search_text,
)
from postroad.message.transfer import decode

NESTED = (
    b"Subject: =?utf-8?q?=C3=A4u=C3=9Fen?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nZ3LDvG4=\r\n"
    b"--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<p>wei=DF\r\n"
    b"--b\r\nContent-Type: image/png\r\n\r\nnot text\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?inn=C3=A4n?=\r\n\r\nblau\r\n--b--\r\n"
)


def body(octets: bytes, encoding: bytes) -> bytes:
    return b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + octets


def test_all_texts_are_decoded_and_messages_inside_have_a_header() -> None:
    assert list(decoded_text_parts(NESTED, parse_parts(NESTED))) == [
        "grün",
        "<p>weiß",
        "Subject: innän",
        "blau",
    ]


def test_a_reader_sees_no_tags() -> None:
    assert [text.strip() for text in readable_text(NESTED, parse_parts(NESTED))] == ["grün", "weiß", "blau"]


def test_text_is_looked_for_in_mime_headers_too() -> None:
    """RFC 9051 §6.4.4; a file's name is there as a reader sees it."""
    octets = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''gr%C3%BCn.png\r\n"
        b"Content-Description: =?utf-8?q?Stra=C3=9Fe?=\r\n\r\nnot text\r\n"
        b"--b\r\nContent-Type: message/rfc822; name=fwd.eml\r\n\r\nSubject: x\r\n\r\nblau\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n--b--\r\n"
    )
    tree = parse_parts(octets)
    found = "\n".join(search_text(octets, tree))
    for word in ("image/png", "grün.png", "Straße", "fwd.eml", "Subject: x", "blau", "Status: 5.1.1"):
        assert word in found
    assert found.count("Subject: x") == 1
    assert "\n".join(decoded_text_parts(octets, tree)) == "Subject: x\nblau\nStatus: 5.1.1"


def test_the_budget_ends_it() -> None:
    assert list(decoded_text_parts(NESTED, parse_parts(NESTED), 3)) == ["gr\ufffd"]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 47_999, 48_000, 65_536, 200_001])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_pieces_are_the_whole(length: int, encoding: str) -> None:
    octets = bytes(range(256)) * (length // 256) + bytes(range(length % 256))
    if encoding == "base64":
        coded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        coded = quopri.encodestring(octets)
    else:
        coded = octets
    data = body(coded, encoding.encode())
    pieces = list(iter_decoded(data, parse_parts(data)))
    assert b"".join(pieces) == octets
    assert all(len(piece) <= 65_536 for piece in pieces)


@pytest.mark.parametrize("lead", range(6))
def test_escapes_in_an_endless_line_are_not_cut_in_two(lead: int) -> None:
    data = body(b"x" * lead + b"=C3=A4" * 30_000, b"quoted-printable")
    assert decode_body_text(data, parse_parts(data)) == "x" * lead + "ä" * 30_000


@pytest.mark.parametrize("lead", [65_530, 65_534, 65_535, 65_536])
@pytest.mark.parametrize("tail", [b"= \t\r\ny", b" \t \r\ny", b" \ty"])
def test_padding_is_seen_wherever_a_line_is_cut(lead: int, tail: bytes) -> None:
    data = body(b"x" * lead + tail, b"quoted-printable")
    assert decode_body(data, parse_parts(data)) == b"x" * lead + decode(tail, "quoted-printable")


def test_decoding_is_bounded() -> None:
    data = body(base64.b64encode(b"x" * 1_000_000), b"base64")
    assert decode_body(data, parse_parts(data), 70_000) == b"x" * 70_000


@pytest.mark.parametrize(
    ("octets", "encoding", "decoded"),
    [
        (b"Z3I", "base64", b"gr"),
        (b"Z", "base64", b""),
        (b"Z3\r\nI= junk", "base64", b"gr"),
        (b"Z3-I_*=", "base64", b"gr"),
        (b"\xff\0", "base64", b""),
        (b"=Z=3=I=", "base64", b"g"),
        (b"=?Z3I=?=", "base64", b"gr"),
        (b"a=3Db=\r\nc=", "quoted-printable", b"a=bc"),
        (b"a=ZZ", "quoted-printable", b"a=ZZ"),
        (b"a \t\r\nb= \r\n  \r\nc ", "quoted-printable", b"a\r\nb\r\nc"),
        (b"a=3D", "x-unknown", b"a=3D"),
    ],
)
def test_broken_encodings_give_what_they_can(octets: bytes, encoding: str, decoded: bytes) -> None:
    assert decode(octets, encoding) == decoded


def test_text_by_its_charset() -> None:
    data = b"Content-Type: text/plain; charset=koi8-r\r\n\r\n\xd0\xd2\xc9\xd7\xc5\xd4"
    assert decode_body_text(data, parse_parts(data)) == "привет"


@pytest.mark.parametrize(
    "label",
    ["cp1253", "utf-8", "utf-7", "iso-2022-jp", "gb18030", "hz", "utf-16", "utf-32", "utf-16le", "nonsense"],
)
def test_what_is_decoded_in_pieces_is_what_is_decoded_at_once(label: str) -> None:
    for unit in (
        b"\xff\x81a",
        b"+AOQ-\r\n",
        b"\x1b$B$\x22\x1b(B",
        b"~{VPND~}",
        "ä€".encode(),
        b"\x84\x31\xa4\x37",
        b"\xfe\xff\x00a",
        b"\xff\xfea\x00",
    ):
        octets = unit * (40_000 // len(unit))
        codec = find_codec(label)
        if codec is not None:
            whole = re.sub("[\ud800-\udfff]", "\ufffd", octets.decode(codec, "replace"))
            assert decode_text(octets, label) == whole
        else:
            decode_text(octets, label).encode()


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        (b"", True),
        (b"Content-Type: text/plain; charset=utf-8\r\n", True),
        (b'Content-Type: text/html; charset="US-ASCII"\r\n', True),
        (b"Content-Type: text/plain; charset=iso-8859-1\r\n", True),
        (b"Content-Type: text/plain; charset=utf-7\r\n", False),
        (b"Content-Type: text/plain; charset=utf-16\r\n", False),
        (b"Content-Type: text/plain; charset*=us-ascii''utf-7\r\n", False),
        (b"Content-Type: text/plain; charset*0=utf; charset*1=-7\r\n", False),
        (b"Content-Transfer-Encoding: BASE64\r\n", False),
        (b"Content-Transfer-Encoding: Quoted-Printable (c)\r\n", False),
        (b"Content-Type: message/rfc822\r\n", False),
        (b"Content-Type: multipart/digest; boundary=x\r\n", False),
    ],
)
def test_text_that_stands_in_the_octets_is_told_from_text_that_does_not(header: bytes, plain: bool) -> None:
    octets = header + b"\r\nhi\r\n--x\r\n\r\nA: b\r\n\r\nc\r\n--x--\r\n"
    assert is_plain(pack_tree(parse_parts(octets))) is plain
