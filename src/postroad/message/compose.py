"""Header fields written safely: what goes in as a value never comes out as another field.

Used for the messages that the server itself makes and for what it adds to, or
takes from, the header of a message that passes. Time and chance are arguments.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from postroad.message.date import format_date
from postroad.message.encoded_word import encode_words
from postroad.message.header import HeaderBlock, each_field
from postroad.message.transfer import quoted_printable_body

_LINE: Final = 78  # RFC 5322 §2.1.1
_HARD_LINE: Final = 998

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_NAME: Final = re.compile(r"[!-9;-~]{1,76}")
_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
# Sets say which ASCII is not in them, for all else is: one that reaches to U+10FFFF takes 5 ms to compile.
_ATOM: Final = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f]++"
_DOT_ATOM: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_NOT_HOST: Final = re.compile(r"[\x00-,/;-@\\^`{-\x7f]+")
_NOT_ID: Final = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LINE_END: Final = re.compile(rb"\r++\n?|\n")


@dataclass(frozen=True, slots=True)
class Person:
    """An address and perhaps a name, to be written into a field."""

    address: str
    name: str = ""


def one_line(text: str) -> str:
    """Put a space in place of line ends and other control characters."""
    return _CONTROL.sub(" ", text).strip(" ")


def field(name: str, value: str) -> bytes:
    """Write a structured field; ASCII, folded where there are spaces.

    Characters beyond ASCII are written as UTF-8 (RFC 6532), so addresses of an
    internationalized message pass; text belongs into `text_field`.
    """
    return _fold(name, one_line(value).encode("utf-8", "replace"))


def text_field(name: str, text: str) -> bytes:
    """Write an unstructured field such as Subject, with encoded words where it needs them."""
    return _fold(name, encode_words(one_line(text), len(name) + 2))


def address_field(name: str, people: Iterable[Person]) -> bytes:
    """Write a field of addresses (RFC 5322 §3.4)."""
    return _fold(name, b", ".join(_mailbox(person) for person in people))


def date_field(now: datetime) -> bytes:
    """Write the Date field."""
    return b"Date: " + format_date(now).encode() + b"\r\n"


def message_id_field(token: str, domain: str) -> bytes:
    """Write the Message-ID field; `token` makes it unique (RFC 5322 §3.6.4)."""
    return f"Message-ID: <{message_id(token, domain)}>\r\n".encode("utf-8", "replace")


def message_id(token: str, domain: str) -> str:
    """Return a message identifier, without its angle brackets."""
    left = _NOT_ID.sub("", token).strip(".") or "0"
    return f"{left}@{_NOT_HOST.sub('', domain) or 'localhost'}"


def text_body(text: str) -> bytes:
    """Write MIME fields, the empty line and a body of plain text (RFC 2046 §4.1)."""
    octets = "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).encode(
        "utf-8", "replace"
    )
    if octets.isascii() and b"\0" not in octets and max(map(len, octets.split(b"\r\n"))) <= _LINE:
        charset, encoding = b"us-ascii", b"7bit"
    else:
        charset, encoding = b"utf-8", b"quoted-printable"
        octets = b"".join(quoted_printable_body(octets, 0, len(octets)))
    return b"Content-Type: text/plain; charset=%b\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (
        charset,
        encoding,
        octets,
    )


def clean_lines(octets: bytes) -> bytes:
    """Make every line end CR LF and drop NUL, so that old mail can travel again (RFC 5321 §2.3.8)."""
    return _LINE_END.sub(b"\r\n", octets.replace(b"\0", b""))


def choose_boundary(token: str, *contents: bytes) -> str:
    """Return a boundary that stands in none of the contents."""
    boundary = "=_" + _NOT_ID.sub("", token)[:50]
    while any(boundary.encode() in content for content in contents):
        boundary += "_"
    return boundary


def strip_headers(header: bytes, names: Collection[bytes]) -> bytes:
    """Take all fields with these names out of a header; everything else stays as it is."""
    unwanted = {name.lower() for name in names}
    kept: list[bytes] = []
    at = 0
    for name, start, end in each_field(header):
        if name in unwanted:
            kept.append(header[at:start])
            at = end
    kept.append(header[at:])
    return b"".join(kept)


def missing_fields(header: HeaderBlock, *, sender: str, now: datetime, token: str, domain: str) -> bytes:
    """Return the fields that a submitted message should have and lacks (RFC 6409 §8).

    They are to be put in front of the header: Date, From (when the message has
    none at all) and Message-ID.
    """
    added: list[bytes] = []
    if not header.count(b"date"):
        added.append(date_field(now))
    if not header.count(b"from") and sender:
        added.append(address_field("From", [Person(sender)]))
    if not header.count(b"message-id"):
        added.append(message_id_field(token, domain))
    return b"".join(added)


def _mailbox(person: Person) -> bytes:
    address = _address(one_line(person.address))
    name = one_line(person.name)
    if not name:
        return address
    if "=?" in name or not name.isascii():
        phrase = encode_words(name)
    elif _PHRASE.fullmatch(name):
        phrase = name.encode("ascii")
    else:
        phrase = _quote(name).encode("ascii")
    return phrase + b" <" + address + b">"


def _address(address: str) -> bytes:
    local, at, host = address.rpartition("@")
    if not at:
        local, host = address, ""
    if local[:1] == '"' and local[-1:] == '"' and len(local) > 1:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    if not _DOT_ATOM.fullmatch(local):
        local = _quote(local)
    host = _NOT_HOST.sub("", host)
    return (f"{local}@{host}" if host else local).encode("utf-8", "replace")


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fold(name: str, value: bytes) -> bytes:
    """Write `name: value`, folded at spaces; a word longer than a line may be is cut."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a header field: {name!r}")
    line = name.encode("ascii") + b":"
    bare = len(line)
    lines: list[bytes] = []
    for word in value.split(b" "):
        for at in range(0, len(word) or 1, _HARD_LINE - 2):
            piece = word[at : at + _HARD_LINE - 2]
            room = _LINE if len(line) > bare or at else _HARD_LINE
            if not piece and len(line) > room:
                continue
            if piece and len(line) + 1 + len(piece) > room:
                lines.append(line)
                line, bare = b"", 0
            line += b" " + piece
    lines.append(line)
    return b"\r\n".join(lines) + b"\r\n"
