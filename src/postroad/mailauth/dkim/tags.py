"""Lists of tag=value, the one grammar of signatures and key records (RFC 6376 §3.2).

The grammar is held to the letter: a list with an empty element, a tag named
twice or a control character in a value is no list. What a signer did not
write that way, other verifiers would read in other ways.
"""

import binascii
import re
from typing import Final

MAX_TAGS: Final = 64
"""Tags of one list; RFC 6376 knows fourteen."""

_TAG: Final = re.compile(r"[ \t]*([A-Za-z][A-Za-z0-9_]{0,62})[ \t]*=[ \t]*(.*)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SPACE: Final = re.compile(r"[ \t]+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_QUOTED: Final = re.compile(rb"=([0-9A-F]{2})")


class TagError(ValueError):
    """What is written is not what the grammar asks for; the message says what is wrong."""


def parse_tags(unfolded: bytes) -> dict[str, str]:
    """Read a tag list, its names and values without the space around them.

    UTF-8 is let into values (RFC 8616 §4).

    Raises:
        TagError: it is not a tag list.
    """
    try:
        text = unfolded.decode()
    except UnicodeDecodeError:
        raise TagError("it is not UTF-8") from None
    if _CONTROL.search(text):
        raise TagError("it holds control characters")
    pieces = text.split(";", MAX_TAGS + 1)
    if len(pieces) > 1 and not pieces[-1].strip(" \t"):
        pieces.pop()  # one semicolon may close the list
    if len(pieces) > MAX_TAGS:
        raise TagError(f"it has more than {MAX_TAGS} tags")
    tags: dict[str, str] = {}
    for piece in pieces:
        found = _TAG.fullmatch(piece)
        if found is None:
            raise TagError("it is not a list of tags and values")
        name = found[1]
        if name in tags:
            raise TagError(f"the tag {name}= is given twice")
        tags[name] = found[2].rstrip(" \t")
    return tags


def required(tags: dict[str, str], name: str) -> str:
    """Return the value of a tag that has to be there and not empty.

    Raises:
        TagError: it is missing or empty.
    """
    value = tags.get(name)
    if value is None:
        raise TagError(f"the tag {name}= is missing")
    if not value:
        raise TagError(f"the tag {name}= is empty")
    return value


def without_space(value: str) -> str:
    """Return a value without white space, where RFC 6376 has that ignored."""
    return _SPACE.sub("", value)


def decode_base64(value: str, name: str) -> bytes:
    """Return the octets of a base64string (RFC 6376 §2.10): white space is ignored, padding may be missing.

    Raises:
        TagError: it is something else.
    """
    text = without_space(value)
    if not _BASE64.fullmatch(text):
        raise TagError(f"the tag {name}= is not base64")
    digits = text.rstrip("=")
    try:
        return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        raise TagError(f"the tag {name}= is not base64") from None


def decode_quoted(value: str) -> str:
    """Undo dkim-quoted-printable (RFC 6376 §2.11, RFC 8616 §5).

    Raises:
        TagError: what it hides is not UTF-8.
    """
    octets = _QUOTED.sub(lambda hidden: bytes([int(hidden[1], 16)]), without_space(value).encode())
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise TagError("a quoted value is not UTF-8") from None


def decimal(tags: dict[str, str], name: str, digits: int) -> int | None:
    """Return the number of a tag, None when the tag is not there.

    Raises:
        TagError: it is no number, or one of more than `digits` digits.
    """
    value = tags.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= digits):
        raise TagError(f"the tag {name}= is not a number of at most {digits} digits")
    return int(value)
