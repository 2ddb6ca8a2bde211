"""The grammar of STORE, COPY, MOVE, EXPUNGE and of APPEND's head (RFC 3501 §9)."""

import re
from typing import Final

from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.message_commands import (
    AppendNext,
    AppendStart,
    Copy,
    Expunge,
    FlagList,
    Move,
    Store,
    StoreMode,
)
from postroad.imap.wire.parse_flags import read_flag_list, read_flags
from postroad.imap.wire.reader import MAX_MODSEQ, BadSyntax, Reader
from postroad.message.date import parse_internaldate

_STORE_ITEM: Final = re.compile(rb"([+-]?)FLAGS(\.SILENT)? ", re.IGNORECASE)
_MODES: Final[dict[bytes, StoreMode]] = {b"": "set", b"+": "add", b"-": "remove"}
_DATE_TIME: Final = re.compile(rb'"([^"\r\n]{20,30})"')
# At the end of what has come: the message (literal8: RFC 3516 §4.4), or the name of the mailbox.
_LITERAL: Final = re.compile(rb"(~?)\{([0-9]{1,10})\+?\}\r\n\Z")
_NO_FLAGS: Final = FlagList()


def parse_store(tag: bytes, reader: Reader, uid: bool = False) -> Store:
    """Read the arguments of STORE or UID STORE."""
    reader.space()
    messages = reader.sequence_set()
    reader.space()
    unchanged_since = None
    if reader.skip(b"("):
        if reader.word() != b"UNCHANGEDSINCE":
            raise BadSyntax(b"there is no such STORE modifier")
        reader.require(Extension.CONDSTORE)
        reader.space()
        unchanged_since = reader.number(MAX_MODSEQ)
        reader.expect(b") ")
    match = _STORE_ITEM.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected FLAGS, +FLAGS or -FLAGS")
    reader.at = match.end()
    flags = read_flag_list(reader) if reader.sees(b"(") else read_flags(reader)
    reader.end()
    return Store(tag, messages, _MODES[match[1]], flags, match[2] is not None, uid, unchanged_since)


def parse_copy(tag: bytes, reader: Reader, uid: bool = False) -> Copy:
    """Read the arguments of COPY or UID COPY."""
    reader.space()
    messages = reader.sequence_set()
    reader.space()
    mailbox = reader.mailbox()
    reader.end()
    return Copy(tag, messages, mailbox, uid)


def parse_move(tag: bytes, reader: Reader, uid: bool = False) -> Move:
    """Read the arguments of MOVE or UID MOVE (RFC 6851 §3)."""
    copy = parse_copy(tag, reader, uid)
    return Move(tag, copy.messages, copy.mailbox, uid)


def parse_expunge(tag: bytes, reader: Reader) -> Expunge:
    """EXPUNGE has no arguments."""
    reader.end()
    return Expunge(tag)


def parse_uid_expunge(tag: bytes, reader: Reader) -> Expunge:
    """Read the arguments of UID EXPUNGE (RFC 4315 §2.1)."""
    reader.space()
    uids = reader.sequence_set()
    reader.end()
    return Expunge(tag, uids)


def parse_append(tag: bytes, reader: Reader) -> AppendStart | None:
    """Read APPEND as far as the literal at the end of what has come.

    None where that literal is the name of the mailbox, so that more has to
    come; a whole command without a literal is an error.
    """
    reader.space()
    match = _LITERAL.match(reader.data, reader.at)
    if match is not None and not match[1]:
        return None
    mailbox = reader.mailbox()
    return AppendStart(tag, mailbox, *_message_head(reader))


def parse_append_next(tag: bytes, reader: Reader) -> AppendNext:
    """Read what stands between two messages of an APPEND (RFC 3502)."""
    return AppendNext(tag, *_message_head(reader))


def _message_head(reader: Reader) -> tuple[FlagList, int | None, int, bool]:
    """Read flags, date, size, and whether the message may hold NULs."""
    reader.space()
    flags = _NO_FLAGS
    if reader.sees(b"("):
        flags = read_flag_list(reader)
        reader.space()
    date = None
    if reader.sees(b'"'):
        date = _date_time(reader)
        reader.space()
    match = _LITERAL.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected a message as a literal")
    if match[1]:
        reader.require(Extension.BINARY)
    return flags, date, int(match[2]), match[1] != b""


def _date_time(reader: Reader) -> int:
    match = _DATE_TIME.match(reader.data, reader.at)
    seconds = parse_internaldate(match[1]) if match is not None else None
    if match is None or seconds is None:
        raise BadSyntax(b"expected a date-time")
    reader.at = match.end()
    return seconds
