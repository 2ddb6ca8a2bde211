"""Fuzz what is read from header fields: encoded words, address lists, types, message ids, subjects."""

import random
from typing import Final

from postroad.message.address_list import MAX_ADDRESSES, Mailbox, first_mailbox, parse_addresses
from postroad.message.content_type import (
    MAX_PARAMETERS,
    Parameters,
    find_parameter,
    parse_content_type,
    parse_disposition,
)
from postroad.message.encoded_word import decode_header, encode_words
from postroad.message.header import HeaderBlock, each_field
from postroad.message.message_id import find_references, parse_message_id
from postroad.message.structure import NIL, render_addresses
from postroad.message.subject import base_subject
from tests.fuzz.harness import Target
from tests.unit.message.pieces import CORPUS, FRAGMENTS
from tests.unit.message.reading import read_list

PIECES: Final = [
    *FRAGMENTS,
    *(b"=?utf-8?q?a_b?=", b"=?utf-7?q?+AAo-?=", b"=?iso-2022-jp?b?GyRC?=", b"=?utf-16?b?AAo=?="),
    b"=?x*en?q?y?=",
    *(b"=?" * 40, b"(" * 60, b"\\" * 40, b'"' * 30, b"<" * 30, b",;" * 30, b"Re:[x]" * 20, b"a@" * 30),
    b" " * 200,
    *(b"ada@demo.test", b"Ada <ada@demo.test>", b"=?utf-8?q?x=40y?= <a@b.test>", b"undisclosed:;"),
    b"<@a,@b:c@d>",
]
NAMES: Final = ("name", "filename", "charset", "boundary")


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    _check_block(data)
    text = decode_header(data)
    _check_line(text)
    assert decode_header(encode_words(text)) == text
    base = base_subject(text)
    assert base_subject(base) == base
    _check_addresses(data)
    kind = parse_content_type(data)
    _check_parameters(kind.params if kind is not None else ())
    disposition = parse_disposition(data)
    _check_parameters(disposition.params if disposition is not None else ())
    for name in (parse_message_id(data), *find_references(data, data)):
        _check_line(name)


def _check_block(data: bytes) -> None:
    block = HeaderBlock.parse(data)
    at = 0
    for field in block.fields:
        assert at <= field.start < field.value_start <= field.end <= len(data)
        assert data[field.start :].startswith(field.name)
        assert b"\n" not in block.value(field)
        at = field.end
    assert at <= block.body_start <= len(data)
    for _, start, end in each_field(data):
        assert start < end


def _check_line(text: str) -> None:
    text.encode("utf-8")
    assert not any(character < " " or character == "\x7f" for character in text)


def _check_addresses(data: bytes) -> None:
    entries = parse_addresses(data)
    assert sum(isinstance(entry, Mailbox) for entry in entries) <= MAX_ADDRESSES + 1
    written = render_addresses(entries)
    if written != NIL:
        assert len(read_list(written)) == len(entries)
    for entry in entries:
        if isinstance(entry, Mailbox):
            _check_line(entry.display_name)
            entry.address.encode("utf-8")
    first_mailbox(entries)


def _check_parameters(params: Parameters) -> None:
    assert len(params) <= MAX_PARAMETERS
    for name in NAMES:
        if (value := find_parameter(params, name)) is not None:
            _check_line(value)


def make(chance: random.Random) -> bytes:
    """Make an input: a field of a real message with damage, or pieces strung together."""
    if chance.random() < 0.3:
        header = chance.choice(CORPUS)[:4000]
        at = chance.randrange(len(header) + 1)
        data = header[at : at + chance.randrange(300)]
        cut = chance.randrange(len(data) + 1)
        return data[:cut] + chance.choice(PIECES) + data[cut:]
    return b"".join(chance.choices(PIECES, k=chance.randrange(25)))


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
