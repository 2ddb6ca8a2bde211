"""The grammar of APPEND and REPLACE, read in stretches from one text to the next.

RFC 3501 §6.3.11, RFC 3502, RFC 3516 §4.4, RFC 4469, RFC 6855 §4, RFC 8508.
"""

import re
from typing import Final

from postroad.imap.wire.event import AppendEnd, AppendNext
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.message_commands import (
    AppendPiece,
    AppendStart,
    AppendText,
    FlagList,
    MessageHead,
    ReplaceStart,
    UrlPart,
    Within,
)
from postroad.imap.wire.parse_annotation import read_annotations
from postroad.imap.wire.parse_flags import read_flag_list
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.message.date import parse_internaldate
from postroad.model.annotation import Annotation

_DATE_TIME: Final = re.compile(rb'"([^"\r\n]{20,30})"')
# At the end of what has come: a text (literal8: RFC 4466 §3), or a string that is still to come.
_LITERAL: Final = re.compile(rb"(~?)\{([0-9]{1,10})\+?\}\r\n\Z")
_NO_FLAGS: Final = FlagList()


class _Unfinished(Exception):
    """A string comes as a literal, and has not come yet."""


def parse_append(tag: bytes, reader: Reader) -> AppendStart | None:
    """Read APPEND as far as its first text, or to its end; None while a string is still to come."""
    try:
        reader.space()
        _string_there(reader)
        mailbox = reader.mailbox()
        pieces: list[AppendPiece] = []
        text = _messages(reader, pieces)
    except _Unfinished:
        return None
    return AppendStart(tag, mailbox, tuple(pieces), text)


def parse_replace(tag: bytes, reader: Reader, uid: bool = False) -> ReplaceStart | None:
    """Read REPLACE or UID REPLACE likewise (RFC 8508 §5): one message takes the place of one."""
    try:
        reader.space()
        message = reader.message_number()
        reader.space()
        _string_there(reader)
        mailbox = reader.mailbox()
        pieces: list[AppendPiece] = []
        text = _message(reader, pieces)
        if text is None:
            reader.end()
    except _Unfinished:
        return None
    return ReplaceStart(tag, mailbox, tuple(pieces), text, message, uid)


def parse_append_next(
    tag: bytes, reader: Reader, after: Within, *, more: bool
) -> AppendNext | AppendEnd | None:
    """Read what stands behind a text; another message only where there may be `more` (RFC 3502).

    None while a string is still to come.
    """
    pieces: list[AppendPiece] = []
    text = None
    try:
        if after in (Within.UTF8, Within.CATENATE_UTF8):
            reader.expect(b")")
        if after in (Within.CATENATE, Within.CATENATE_UTF8):
            text = _parts(reader, pieces)
        if text is None and more and reader.at < len(reader.data):
            # RFC 3502 has one space; multiappend() of IMAPClient 4.1.0 puts two between bare messages.
            if reader.sees(b"  {"):
                reader.space()
            text = _messages(reader, pieces)
        if text is None:
            reader.end()
    except _Unfinished:
        return None
    return AppendEnd(tag, tuple(pieces)) if text is None else AppendNext(tag, tuple(pieces), text)


def _messages(reader: Reader, pieces: list[AppendPiece]) -> AppendText | None:
    """Read messages up to the first text among them, or all of them."""
    while True:
        text = _message(reader, pieces)
        if text is not None or reader.at == len(reader.data):
            return text


def _message(reader: Reader, pieces: list[AppendPiece]) -> AppendText | None:
    reader.space()
    flags = _NO_FLAGS
    if reader.sees(b"("):
        flags = read_flag_list(reader)
        reader.space()
    date = None
    if reader.sees(b'"'):
        date = _date_time(reader)
        reader.space()
    annotations: list[Annotation] = []
    word = _word(reader)
    while word == b"ANNOTATION":  # RFC 4466 §6 append-opts
        reader.space()
        annotations += _annotations(reader)
        reader.space()
        word = _word(reader)
    pieces.append(MessageHead(flags, date, tuple(annotations)))
    match word:
        case b"":
            return _text(reader, Within.MESSAGE)
        case b"UTF8":
            reader.expect(b" (")
            return _text(reader, Within.UTF8)
        case b"CATENATE":
            reader.expect(b" (")
            return _part(reader, pieces) or _parts(reader, pieces)
        case _:
            raise BadSyntax(b"expected a message as a literal")


def _word(reader: Reader) -> bytes:
    return b"" if reader.sees(b"{") or reader.sees(b"~{") else reader.word()


def _annotations(reader: Reader) -> tuple[Annotation, ...]:
    """Read annotations (RFC 5257 §4.7); one of their strings may be a literal that ends the stretch."""
    try:
        return read_annotations(reader)
    except BadSyntax:
        if reader.at == len(reader.data) or _LITERAL.match(reader.data, reader.at):
            raise _Unfinished from None
        raise


def _parts(reader: Reader, pieces: list[AppendPiece]) -> AppendText | None:
    """Read further parts of a message, up to the first text among them or to the end of the list."""
    while not reader.skip(b")"):
        reader.space()
        text = _part(reader, pieces)
        if text is not None:
            return text
    return None


def _part(reader: Reader, pieces: list[AppendPiece]) -> AppendText | None:
    match reader.word():
        case b"URL":
            reader.space()
            _string_there(reader)
            pieces.append(UrlPart(reader.astring()))
            return None
        case b"TEXT":
            reader.space()
            return _text(reader, Within.CATENATE)
        case b"UTF8":
            reader.expect(b" (")
            return _text(reader, Within.CATENATE_UTF8)
        case _:
            raise BadSyntax(b"expected URL, TEXT or UTF8")


def _text(reader: Reader, within: Within) -> AppendText:
    match = _LITERAL.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected a literal")
    binary = match[1] != b""
    if binary:
        reader.require(Extension.BINARY)
    elif within in (Within.UTF8, Within.CATENATE_UTF8):
        raise BadSyntax(b"expected ~{")  # RFC 6855 §4 utf8-literal
    return AppendText(int(match[2]), binary, within)


def _string_there(reader: Reader) -> None:
    match = _LITERAL.match(reader.data, reader.at)
    if match is not None and not match[1]:
        raise _Unfinished


def _date_time(reader: Reader) -> int:
    match = _DATE_TIME.match(reader.data, reader.at)
    seconds = parse_internaldate(match[1]) if match is not None else None
    if match is None or seconds is None:
        raise BadSyntax(b"expected a date-time")
    reader.at = match.end()
    return seconds
