"""ENVELOPE and BODYSTRUCTURE against the grammar, the RFC's rules and another parser (RFC 3501 §7.4.2)."""

import email
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from tests.conformance.imap_client import Imap
from tests.conformance.imap_values import Address, Body

VECTORS: Final = Path(__file__).parent.parent / "vectors" / "mime"

NESTED: Final = b"""\
From: top@x.test
Subject: top
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=A

preamble
--A
Content-Type: text/plain
X-Part: 1

one
--A
Content-Type: application/octet-stream; name="b.bin"
Content-Disposition: attachment; filename="b.bin"
Content-Transfer-Encoding: base64

AAECAw==
--A
Content-Type: message/rfc822
Content-Description: forwarded

From: inner@x.test
Subject: inner 3
Content-Type: multipart/alternative; boundary="B b"

--B b
Content-Type: text/plain; charset=utf-8
Content-Language: en, de

inner plain
--B b
Content-Type: text/html
Content-Location: http://x.test/
Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==

<p>inner
--B b--
--A
Content-Type: multipart/mixed; boundary=C

--C
Content-Type: image/gif
Content-Id: <gif@x>

GIF
--C
Content-Type: message/rfc822

Subject: inner 4.2
To: someone@x.test
Content-Type: multipart/mixed; boundary=D

--D

d1
--D
Content-Type: multipart/alternative; boundary=E

--E

e1
--E
Content-Type: text/enriched

e2
--E--
--D--
--C--
--A--
epilogue
""".replace(b"\n", b"\r\n")

Shape: TypeAlias = "tuple[str, list[Shape]]"


@pytest.fixture
def nested(imap: Imap, box: bytes) -> Imap:
    """A session with NESTED selected."""
    imap.append(box, NESTED)
    imap.select(box)
    return imap


def section(imap: Imap, name: bytes) -> bytes | None:
    """One section of message 1."""
    (fetched,) = imap.fetch(b"1 BODY.PEEK[" + name + b"]")
    assert list(fetched.sections) == [b"BODY[" + name + b"]"]
    return fetched.sections[b"BODY[" + name + b"]"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"1", b"one"),
        (b"1.MIME", b"Content-Type: text/plain\r\nX-Part: 1\r\n\r\n"),
        (b"2", b"AAECAw=="),
        (b"3.MIME", b"Content-Type: message/rfc822\r\nContent-Description: forwarded\r\n\r\n"),
        (b"3.1", b"inner plain"),
        (b"3.1.MIME", b"Content-Type: text/plain; charset=utf-8\r\nContent-Language: en, de\r\n\r\n"),
        (b"3.2", b"<p>inner"),
        (b"3.3", None),
        (b"4.MIME", b"Content-Type: multipart/mixed; boundary=C\r\n\r\n"),
        (b"4.1", b"GIF"),
        (b"4.2.HEADER.FIELDS (to)", b"To: someone@x.test\r\n\r\n"),
        (b"4.2.HEADER.FIELDS.NOT (content-type to)", b"Subject: inner 4.2\r\n\r\n"),
        (b"4.2.1", b"d1"),
        (b"4.2.2.1", b"e1"),
        (b"4.2.2.2", b"e2"),
        (b"4.2.2.2.MIME", b"Content-Type: text/enriched\r\n\r\n"),
        (b"4.2.2.3", None),
        (b"5", None),
        (b"1.1", None),
        (b"1.HEADER", None),
        (b"4.TEXT", None),
    ],
)
def test_sections_of_nested_parts(nested: Imap, name: bytes, expected: bytes | None) -> None:
    assert section(nested, name) == expected


def test_header_and_text_make_a_part_that_is_a_message(nested: Imap) -> None:
    for part in (b"3", b"4.2"):
        header, text = section(nested, part + b".HEADER"), section(nested, part + b".TEXT")
        assert header is not None
        assert text is not None
        assert header + text == section(nested, part)


def test_body_structure_of_nested_parts(nested: Imap) -> None:
    (fetched,) = nested.fetch(b"1 (BODY BODYSTRUCTURE)")
    top = fetched.bodystructure
    assert top is not None
    assert fetched.body is not None
    assert shape_of(top) == shape_of(fetched.body) == shape_by_email(email.message_from_bytes(NESTED))
    _, binary, forwarded, mixed = top.parts
    assert binary.disposition == (b"attachment", {b"filename": b"b.bin"})
    assert binary.parameters == {b"name": b"b.bin"}
    assert binary.encoding == b"base64"
    assert forwarded.description == b"forwarded"
    assert forwarded.envelope is not None
    assert forwarded.envelope.subject == b"inner 3"
    assert forwarded.inner is not None
    assert forwarded.inner.parameters == {b"boundary": b"B b"}
    assert forwarded.inner.parts[0].language == [b"en", b"de"]
    assert forwarded.inner.parts[1].location == b"http://x.test/"
    assert forwarded.inner.parts[1].md5 == b"Q2hlY2sgSW50ZWdyaXR5IQ=="
    assert mixed.parts[0].id == b"<gif@x>"


def shape_of(body: Body) -> Shape:
    """Types and their nesting as IMAP tells them."""
    inner = [body.inner] if body.inner else body.parts
    return f"{body.type.decode()}/{body.subtype.decode()}", [shape_of(part) for part in inner]


def shape_by_email(message: Message) -> Shape:
    """The same by Python's parser."""
    payload = message.get_payload() if message.is_multipart() else []
    return message.get_content_type(), [shape_by_email(part) for part in payload if isinstance(part, Message)]


def vectors() -> Iterator[Path]:
    """All example messages that may be stored."""
    for path in sorted(VECTORS.rglob("*")):
        octets = path.read_bytes() if path.suffix in (".eml", ".msg") else b""
        if octets and b"\0" not in octets:
            yield path


def leaves(body: Body, path: tuple[int, ...] = ()) -> Iterator[tuple[bytes, Body]]:
    """Every part that has octets, with the name of its section."""
    for number, part in enumerate(body.parts, 1):
        yield from leaves(part, (*path, number))
    if body.parts:
        return
    path = path or (1,)
    yield b".".join([b"%d" % number for number in path]), body
    if body.inner is not None:
        yield from leaves(body.inner, path if body.inner.parts else (*path, 1))


def test_hostile_messages_are_told_by_the_grammar(imap: Imap, box: bytes) -> None:
    sizes = []
    for path in vectors():
        octets = path.read_bytes()
        imap.append(box, octets)
        sizes.append((path, octets))
    imap.select(box)
    for number, (path, octets) in enumerate(sizes, 1):
        (fetched,) = imap.fetch(b"%d (ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE BODY.PEEK[])" % number)
        assert fetched.size == len(octets), path
        assert fetched.sections == {b"BODY[]": octets}, path
        assert fetched.bodystructure is not None, path
        assert fetched.body is not None, path
        assert shape_of(fetched.body) == shape_of(fetched.bodystructure), path
        parts = list(leaves(fetched.bodystructure))[:30]
        wanted = b" ".join([b"BODY.PEEK[%b]" % name for name, _ in parts])
        (contents,) = imap.fetch(b"%d (%b)" % (number, wanted))
        for name, part in parts:
            content = contents.sections[b"BODY[%b]" % name]
            assert content is not None, (path, name)
            assert len(content) == part.octets, (path, name)
            if part.lines is not None:
                assert abs(content.count(b"\n") - part.lines) <= 1, (path, name)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"undisclosed-recipients:;", [(None, None, b"undisclosed-recipients", None), (None,) * 4]),
        (
            b'G: one@x, "Two, 2" <two@x>;, three@x',
            [
                (None, None, b"G", None),
                (None, None, b"one", b"x"),
                (b"Two, 2", None, b"two", b"x"),
                (None,) * 4,
                (None, None, b"three", b"x"),
            ],
        ),
        (b'"quo\\"ted \\\\" <c@x>', [(b'quo"ted \\', None, b"c", b"x")]),
        (b"<@r.test,@s.test:u@h.test>", [(None, b"@r.test,@s.test", b"u", b"h.test")]),
        (b'"local part"@x', [(None, None, b"local part", b"x")]),
        (b"a@x (Comment)", [(b"Comment", None, b"a", b"x")]),
        (b"a (one) @ (two) x", None),
        (b"=?utf-8?q?J=C3=BC?= <j@x>", [(b"=?utf-8?q?J=C3=BC?=", None, b"j", b"x")]),
        ("Jürgen <j@x>".encode(), [(b"=?utf-8?q?J=C3=BCrgen?=", None, b"j", b"x")]),
        (b"\xff\xfe <a@x>", None),
        (
            b"a@[127.0.0.1], b@[IPv6:::1]",
            [(None, None, b"a", b"[127.0.0.1]"), (None, None, b"b", b"[IPv6:::1]")],
        ),
        (b"", []),
        (b",,;<>", None),
        (b'"unterminated <a@b>', None),
        (b"(" * 20000, None),
        (b"g:" * 2000, None),
        (b", ".join([b"u%d@x" % n for n in range(5000)]), None),
    ],
)
def test_addresses(
    imap: Imap, box: bytes, field: bytes, expected: list[tuple[bytes | None, ...]] | None
) -> None:
    imap.append(box, b"From: f@x\r\nTo: " + field + b"\r\n\r\n")
    imap.select(box)
    envelope = imap.fetch(b"1 ENVELOPE")[0].envelope
    assert envelope is not None
    if expected is not None:
        assert (envelope.to or []) == [Address(*one) for one in expected]


def test_sender_and_reply_to_are_from_where_they_are_missing(imap: Imap, box: bytes) -> None:
    imap.append(box, b'From: a@x\r\nSender: \r\nCc: c@x\r\nSubject: a\r\n\tb "c" \\d\r\n\r\n')
    imap.append(box, b"From: a@x\r\nSender: s@x\r\nReply-To: r@x, q@x\r\nSubject: \xe9\x01\r\n\r\n")
    imap.append(box, b"\r\nno header\r\n")
    imap.select(box)
    first, second, third = [fetched.envelope for fetched in imap.fetch(b"1:3 ENVELOPE")]
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.from_ == first.sender == first.reply_to == [Address(None, None, b"a", b"x")]
    assert (first.to, first.date, first.bcc, first.message_id) == (None,) * 4
    assert first.subject == b'a\tb "c" \\d'
    assert second.sender == [Address(None, None, b"s", b"x")]
    assert second.reply_to is not None
    assert len(second.reply_to) == 2
    assert second.subject == b"\xe9\x01"
    assert third == (None,) * 10


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", b"text/plain"),
        (b"Content-Type: text/html\r\n", b"text/html"),
        (b"Content-Type: bogus\r\n", b"text/plain"),
        (b"Content-Type: text/\r\n", b"text/plain"),
        (b'Content-Type: application/x; a="b\\"c"; d=\xc3\xa9; e*0=x; e*1=y\r\n', b"application/x"),
        (b"Content-Type: message/rfc822\r\n", b"message/rfc822"),
        (b"Content-Type: message/delivery-status\r\n", b"message/delivery-status"),
        (b"Content-Type: multipart/mixed\r\n", b"multipart/mixed"),
        (b"Content-Type: multipart/mixed; boundary=absent\r\n", b"multipart/mixed"),
        (b"Content-Type: " + b"x" * 5000 + b"/y\r\n", None),
        (b"Content-Disposition: " + b"a;" * 3000 + b"\r\n", None),
        (b"Content-Language: (,), en\r\nContent-Id: \xff\r\n", None),
    ],
)
def test_odd_content_fields(imap: Imap, box: bytes, head: bytes, kind: bytes | None) -> None:
    imap.append(box, head + b"\r\nbody\r\n")
    imap.select(box)
    (fetched,) = imap.fetch(b"1 (BODY BODYSTRUCTURE)")
    body = fetched.bodystructure
    assert body is not None
    if kind is not None:
        assert body.type + b"/" + body.subtype == kind
