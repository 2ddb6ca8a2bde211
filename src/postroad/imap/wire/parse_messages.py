"""The grammar of STORE, COPY, MOVE and EXPUNGE (RFC 3501 §9, RFC 5257 §5)."""

import re
from typing import Final

from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.message_commands import (
    Annotate,
    Copy,
    Expunge,
    Move,
    Store,
    StoreMode,
)
from postroad.imap.wire.parse_annotation import read_annotations
from postroad.imap.wire.parse_flags import read_flag_list, read_flags
from postroad.imap.wire.reader import MAX_MODSEQ, BadSyntax, Reader

_ANNOTATION: Final = re.compile(rb"ANNOTATION ", re.IGNORECASE)
_STORE_ITEM: Final = re.compile(rb"([+-]?)FLAGS(\.SILENT)? ", re.IGNORECASE)
_MODES: Final[dict[bytes, StoreMode]] = {b"": "set", b"+": "add", b"-": "remove"}


def parse_store(tag: bytes, reader: Reader, uid: bool = False) -> Store | Annotate:
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
    if _ANNOTATION.match(reader.data, reader.at):
        reader.at += len(b"ANNOTATION ")
        annotations = read_annotations(reader)
        reader.end()
        return Annotate(tag, messages, annotations, uid, unchanged_since)
    match = _STORE_ITEM.match(reader.data, reader.at)
    if match is None:
        raise BadSyntax(b"expected FLAGS, +FLAGS, -FLAGS or ANNOTATION")
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
