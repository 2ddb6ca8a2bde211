"""Message identifiers as they stand in fields (RFC 5322 §3.6.4)."""

import re
from typing import Final

MAX_REFERENCES: Final = 500

_ID: Final = re.compile(rb"<([^<>]{1,998})>")
_SPACE: Final = re.compile(r"[\t\r\n ]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def parse_message_ids(value: bytes) -> list[str]:
    """Return the identifiers in a field, in order and without their angle brackets.

    White space inside, where a careless program folded a long one, is not part of it.
    """
    return [text for found in _ID.findall(value) if (text := _clean(found))]


def parse_message_id(value: bytes) -> str:
    """Return the one identifier of a Message-ID field; without brackets it is the first word."""
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


def _clean(octets: bytes) -> str:
    text = octets.decode("utf-8", "replace")
    if text.isprintable() and " " not in text:
        return text
    return _CONTROL.sub("\ufffd", _SPACE.sub("", text))
