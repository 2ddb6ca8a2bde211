"""Fields that the server writes: nothing that is put in becomes another field."""

from datetime import UTC, datetime

import pytest

from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.compose import (
    Person,
    address_field,
    choose_boundary,
    clean_lines,
    field,
    message_id_field,
    missing_fields,
    strip_headers,
    text_body,
    text_field,
)
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts
from postroad.message.text import decode_body_text

NOW = datetime(2025, 7, 1, 10, 52, 37, tzinfo=UTC)
HOSTILE = [
    "a\r\nBcc: eve@evil.test",
    "a\nb",
    "a\rb",
    "a\0b",
    "\r\n\r\nbody",
    "ä\u2028b",
    "=?utf-8?q?=0D=0A?=",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_one_field_stays_one_field(text: str) -> None:
    written = [
        field("X-Any", text),
        text_field("Subject", text),
        address_field("To", [Person("a@a.test", text), Person(text, "name"), Person(f"a@{text}")]),
        message_id_field(text, text),
    ]
    block = HeaderBlock.parse(b"".join(written) + b"\r\n")
    assert [entry.name for entry in block.fields] == [b"X-Any", b"Subject", b"To", b"Message-ID"]
    assert block.body_start == sum(map(len, written)) + 2


def test_a_name_that_is_no_name_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="header field"):
        field("Bad: name", "x")


@pytest.mark.parametrize("text", ["short", "word " * 100, "x" * 5_000, "ä" * 500, ""])
def test_lines_are_folded(text: str) -> None:
    written = text_field("Subject", text)
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert all(line.strip() for line in lines)
    assert all(len(line) <= (998 if "x" in text else 78) for line in lines)
    unfolded = HeaderBlock.parse(written).first(b"subject") or b""
    assert decode_header(unfolded).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "name", ["Ada", "Ada L.", "Lovelace, Ada", 'Ada "the first"', "Jörg", "=?x?q?y?=", "a@b.test", "\\"]
)
def test_a_person_is_read_back(name: str) -> None:
    written = address_field("From", [Person("ada@a.test", name)])
    (mailbox,) = parse_addresses(HeaderBlock.parse(written).first(b"from") or b"")
    assert isinstance(mailbox, Mailbox)
    assert mailbox.address == "ada@a.test"
    assert mailbox.display_name == name


@pytest.mark.parametrize(
    "address", ["ada@a.test", '"a b"@a.test', '"a\\"b"@a.test', "jörg@a.test", "a@[192.0.2.1]"]
)
def test_an_address_is_read_back(address: str) -> None:
    (mailbox,) = parse_addresses(
        HeaderBlock.parse(address_field("To", [Person(address)])).first(b"to") or b""
    )
    assert isinstance(mailbox, Mailbox)
    assert mailbox.address == address


@pytest.mark.parametrize(
    "text", ["", "plain\n", "a\nb\r\nc\rd", "grün\n", "x" * 2_000, "a\0b", "=3D trailing \n"]
)
def test_a_body_is_read_back(text: str) -> None:
    data = text_body(text)
    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert decode_body_text(data, parse_parts(data)) == expected
    assert data.isascii()
    assert all(len(line) <= 78 for line in data.split(b"\r\n"))


def test_a_boundary_stands_in_no_content() -> None:
    assert choose_boundary("tok", b"--=_tok", b"=_tok_") == "=_tok__"


def test_line_ends_are_made_clean() -> None:
    assert clean_lines(b"a\nb\r\nc\rd\0\r\r\n") == b"a\r\nb\r\nc\r\nd\r\n"


def test_fields_are_taken_out_and_nothing_else_changes() -> None:
    header = b"From: a\r\nBcc: b,\r\n c\r\nbroken\r\nbcc : d\r\nX: e\n\r\n"
    assert strip_headers(header, [b"Bcc"]) == b"From: a\r\nbroken\r\nX: e\n\r\n"
    assert strip_headers(header, [b"Y"]) == header


def test_what_a_submission_lacks_is_added() -> None:
    block = HeaderBlock.parse(b"Subject: x\r\n\r\n")
    assert missing_fields(block, sender="ada@a.test", now=NOW, token="t1", domain="a.test") == (
        b"Date: Tue, 1 Jul 2025 10:52:37 +0000\r\nFrom: ada@a.test\r\nMessage-ID: <t1@a.test>\r\n"
    )
    whole = HeaderBlock.parse(b"date: x\r\nFROM: y\r\nMessage-Id: z\r\n\r\n")
    assert missing_fields(whole, sender="ada@a.test", now=NOW, token="t1", domain="a.test") == b""
