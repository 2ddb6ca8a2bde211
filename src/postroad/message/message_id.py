"""Message identifiers as they stand in fields (RFC 5322 §3.6.4)."""

import re
from typing import Final

MAX_REFERENCES: Final = 500

_ID: Final = re.compile(rb"<([^<>]{1,998})>")
_LONE_ID: Final = re.compile(rb"<([!-;=?-~]{1,998})>")
"""A field as it should be: one, and nothing in it to mend."""
_QUOTED_ID: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*)"@(.+)')
_ESCAPED: Final = re.compile(r"\\(.)")
_SPACE: Final = re.compile(r"[\t\r\n ]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def parse_message_ids(value: bytes) -> list[str]:
    """Return the identifiers in a field, in order and without their angle brackets.

    White space inside, where a careless program folded a long one, is not part of it.
    """
    return [text for found in _ID.findall(value) if (text := _clean(found))]


def parse_message_id(value: bytes) -> str:
    """Return the one identifier of a Message-ID field; without brackets it is the first word."""
    lone = _LONE_ID.fullmatch(value)
    if lone is not None:
        return lone[1].decode("ascii")
    found = parse_message_ids(value)
    if found:
        return found[0]
    words = value.split(None, 1)
    return _clean(words[0][:998].strip(b"<>")) if words else ""


def find_references(references: bytes | None, in_reply_to: bytes | None) -> tuple[str, ...]:
    """Return whom a message answers: References first, then In-Reply-To, each once (RFC 5256 §3)."""
    if references is None and in_reply_to is None:
        return ()
    found = parse_message_ids(references or b"") + parse_message_ids(in_reply_to or b"")
    # The nearest relatives stand last; of a field made endless they are what counts.
    return tuple(dict.fromkeys(found[-MAX_REFERENCES:]))


def find_ancestors(references: bytes | None, in_reply_to: bytes | None) -> tuple[str, ...]:
    """Return whom a message answers as THREAD wants it: the oldest first, none left out (RFC 5256 §3).

    Only where References names nobody does In-Reply-To, and of it the first:
    what follows there may be an address.
    """
    if references is None and in_reply_to is None:
        return ()
    found = _valid_ids(references) or _valid_ids(in_reply_to)[:1]
    return tuple(found[-MAX_REFERENCES:])


def _valid_ids(value: bytes | None) -> list[str]:
    return [text for found in parse_message_ids(value or b"") if (text := normal_id(found))]


def normal_id(text: str) -> str:
    """Return a Message-ID with the quotes undone that it does not need; empty if it is none.

    RFC 5256 §3: `"01KF"@x` and `01KF@x` are the same.
    """
    quoted = _QUOTED_ID.fullmatch(text)
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted[1]) + "@" + quoted[2]
    left, at, right = text.rpartition("@")
    return text if left and at and right else ""


def _clean(octets: bytes) -> str:
    text = octets.decode("utf-8", "replace")
    if text.isprintable() and " " not in text:
        return text
    return _CONTROL.sub("\ufffd", _SPACE.sub("", text))
