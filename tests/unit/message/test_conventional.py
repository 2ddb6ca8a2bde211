"""Envelopes and structures in ASCII (RFC 6858 §2)."""

import pytest

from postroad.message.conventional import conventional_envelope, structure_for
from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts
from postroad.message.structure import render_envelope


def envelope(header: str | bytes) -> bytes:
    octets = header.encode() if isinstance(header, str) else header
    return conventional_envelope(render_envelope(HeaderBlock.parse(octets + b"\r\n\r\n")))


def structures(message: str) -> tuple[bytes, bytes]:
    data = message.replace("\n", "\r\n").encode()
    return structure_for(data, parse_parts(data), international=False)


def test_a_subject_becomes_encoded_words() -> None:
    assert envelope("Subject: Grüße =?utf-8?q?an_=C3=BC?=").startswith(
        b'(NIL "=?utf-8?q?Gr=C3=BC=C3=9Fe_an_=C3=BC?=" NIL'
    )


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("Grün <a@b.test>", b'("=?utf-8?q?Gr=C3=BCn?=" NIL "a" "b.test")'),
        ("a@grün.test", b'(NIL NIL "a" "xn--grn-ioa.test")'),
        ("Ada <ü@b.test>", b'("Ada" NIL "invalid" "internationalized-address.invalid")'),
        ("ü@b.test", b'("=?utf-8?q?=C3=BC=40b=2Etest?=" NIL "invalid" "internationalized-address.invalid")'),
        ("A <a@-ü.test>", b'("A" NIL "invalid" "internationalized-address.invalid")'),
        ('"a \\"b" <@ü.test:a@b.test>', b'("a \\"b" NIL "a" "b.test")'),
        ("Ü: a@b.test;", b'(NIL NIL "=?utf-8?q?=C3=9C?=" NIL)(NIL NIL "a" "b.test")(NIL NIL NIL NIL)'),
    ],
)
def test_what_an_address_becomes(address: str, entry: bytes) -> None:
    written = envelope(f"To: ü <x@y.test>\r\nCc: {address}")
    assert written.endswith(b" (%b) NIL NIL NIL)" % entry)


def test_what_has_no_form_in_ascii_is_left_out() -> None:
    assert envelope("Date: ü\r\nMessage-ID: <ü@x>\r\nIn-Reply-To: <a@b> <ü@x>") == (
        b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
    )


def test_octets_that_are_no_utf8_stay() -> None:
    written = envelope(b"Subject: Gr\xfcn\r\nFrom: \xfc <\xfc@b.test>")
    assert written.startswith(b'(NIL {4}\r\nGr\xfcn (({1}\r\n\xfc NIL {1}\r\n\xfc "b.test")) ')


def test_parameters_are_extended_and_fields_said_otherwise() -> None:
    body, extended = structures(
        "Content-Type: text/plain; name=ü.txt; ü=1; charset=utf-8\n"
        "Content-Description: Grün\nContent-ID: <ü@x>\nContent-Location: ü\n"
        "Content-Language: de, ü\nContent-Disposition: attachment; filename*0=ü; filename*1=.txt\n\nx"
    )
    assert body == (
        b'("text" "plain" ("name*" "utf-8\'\'%C3%BC.txt" "charset" "utf-8") NIL'
        b' "=?utf-8?q?Gr=C3=BCn?=" "7bit" 1 0)'
    )
    assert extended.endswith(b' 1 0 NIL ("attachment" ("filename*" "utf-8\'\'%C3%BC.txt")) "de" NIL)')


def test_messages_within_have_such_envelopes() -> None:
    body, extended = structures("Content-Type: message/rfc822\n\nSubject: ü\nFrom: a@ü.test\n\nx")
    assert body.isascii()
    assert extended.isascii()
    assert b'(NIL "=?utf-8?q?=C3=BC?=" ((NIL NIL "a" "xn--tda.test"))' in body


def test_what_nobody_reads_costs_little() -> None:
    assert envelope("Subject: " + "ü" * 501).startswith(b'(NIL "' + b"??" * 501)
    many = envelope("To: " + ", ".join(f"a@ü{number}.test" for number in range(30)))
    assert many.count(b'"a" "xn--') == 20
    assert many.count(b'"invalid" "internationalized-address.invalid"') == 10
