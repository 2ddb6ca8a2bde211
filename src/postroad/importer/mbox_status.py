"""Flags in an mbox: fields that belong to the mailbox and not to the message.

Ours stand in front of the header. In the files of others they may stand
anywhere; Thunderbird's are a number in hexadecimal.
"""

import re
from dataclasses import dataclass
from typing import Final

from postroad.importer.values import Folder, keywords_of
from postroad.message.header import each_field
from postroad.model.flags import Flag

_STATUS: Final = {"R": Flag.SEEN}
_X_STATUS: Final = {"A": Flag.ANSWERED, "F": Flag.FLAGGED, "D": Flag.DELETED, "T": Flag.DRAFT}
# mozilla/mailnews nsMsgMessageFlags: read, replied, marked, expunged, forwarded.
_MOZILLA: Final = {0x0001: Flag.SEEN, 0x0002: Flag.ANSWERED, 0x0004: Flag.FLAGGED, 0x0008: Flag.DELETED}
_MOZILLA_FORWARDED: Final = 0x1000
_OURS: Final = re.compile(
    rb"\A(?:X-IMAPbase:[^\n]*\n)?X-UID:[^\n]*\nStatus:[^\n]*\nX-Status:[^\n]*\nX-Keywords:[^\n]*\n"
)
_THEIRS: Final = {
    b"content-length",
    b"status",
    b"x-status",
    b"x-keywords",
    b"x-uid",
    b"x-imap",
    b"x-imapbase",
    b"x-mozilla-status",
    b"x-mozilla-status2",
    b"x-mozilla-keys",
}
_INTERNAL: Final = re.compile(rb"(?mi)^X-IMAP:.*\n")
_INTERNAL_SUBJECT: Final = b"FOLDER INTERNAL DATA"


@dataclass(frozen=True, slots=True)
class Status:
    """What the fields say."""

    flags: int
    keywords: frozenset[str]


def write_base(folder: Folder) -> bytes:
    """The field in front of the first message: to Dovecot and Alpine a keyword that is not in it is none."""
    words = " ".join(folder.keywords)
    return f"X-IMAPbase: {folder.uidvalidity} {max(0, folder.uidnext - 1):010} {words}\n".encode()


def write_status(uid: int, status: Status) -> bytes:
    """The fields in front of a message."""
    old = "RO" if status.flags & Flag.SEEN else "O"
    letters = "".join(letter for letter, flag in _X_STATUS.items() if status.flags & flag)
    words = " ".join(sorted(status.keywords))
    # All of them, always: so they can be told from fields of the message's own.
    return f"X-UID: {uid}\nStatus: {old}\nX-Status: {letters}\nX-Keywords: {words}\n".encode()


def read_status(text: bytes) -> tuple[Status, bytes] | None:
    """The flags and the message without their fields; None for what is no mail but the file's own data."""
    header = _header(text)
    if _INTERNAL.search(header) and _INTERNAL_SUBJECT in header:
        return None  # c-client and Dovecot keep UIDs in a first message of this kind
    ours = _OURS.match(header)
    own = header[: ours.end()] if ours else header
    fields = [(name, start, end) for name, start, end in each_field(own) if name in _THEIRS]
    values = {
        name: header[start:end].partition(b":")[2].decode("ascii", "replace").strip()
        for name, start, end in fields
    }
    return _meaning(values), _without(text, [(start, end) for _, start, end in fields])


def _meaning(values: dict[bytes, str]) -> Status:
    flags: int = sum(flag for letter, flag in _STATUS.items() if letter in values.get(b"status", ""))
    flags |= sum(flag for letter, flag in _X_STATUS.items() if letter in values.get(b"x-status", ""))
    words = [
        *values.get(b"x-keywords", "").replace(",", " ").split(),
        *values.get(b"x-mozilla-keys", "").split(),
    ]
    try:
        number = int(values.get(b"x-mozilla-status", "0"), 16)
    except ValueError:
        number = 0
    flags |= sum(flag for bit, flag in _MOZILLA.items() if number & bit)
    if number & _MOZILLA_FORWARDED:
        words.append("$Forwarded")
    return Status(flags, keywords_of(words))


def _header(text: bytes) -> bytes:
    ends = [at + 1 for at in (text.find(b"\n\n"), text.find(b"\n\r\n")) if at >= 0]
    return text[: min(ends, default=len(text))]


def _without(text: bytes, places: list[tuple[int, int]]) -> bytes:
    pieces, at = [], 0
    for start, end in places:
        pieces.append(text[at:start])
        at = end
    return b"".join([*pieces, text[at:]])
