"""The first words of a message, for lists of messages (RFC 8970)."""

import html
import re
from typing import Final

from postroad.message.charset import decode_text
from postroad.message.octets import Octets
from postroad.message.part import Part
from postroad.message.transfer import decode

MAX_PREVIEW: Final = 200
_LOOKED_AT: Final = 16 * 1024
# Twice what is shown, as entities, spaces and quotes fall away.
_ENOUGH: Final = 4 * MAX_PREVIEW

_QUOTED: Final = re.compile(r"(?m)^[ \t]*+(?:>.*+|[-_=*#~]{3,}[ \t\r]*+)$")
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f\u200b-\u200f\u2028-\u202f\u2060\ufeff\u00ad\u034f]+")
# Tags, and the elements of which nobody sees the content.
_TAG: Final = re.compile(
    r"<(?:!--.*?(?:-->|\Z)|(style|script|head|title)\b.*?(?:</\1|\Z)[^>]*+>?|(/?[a-zA-Z!?][^>]*+)>?)",
    re.IGNORECASE | re.DOTALL,
)


def render_preview(data: Octets, root: Part) -> str:
    """Return at most 200 characters of what the message says, on one line."""
    part = _first_text(root)
    if part is None:
        return ""
    end = min(part.body_end, part.body_start + _LOOKED_AT)
    octets = data[part.body_start : end]
    if part.encoding in ("base64", "quoted-printable"):
        if part.encoding == "quoted-printable" and end < part.body_end:
            octets = octets[: octets.rfind(b"=", len(octets) - 2)] if b"=" in octets[-2:] else octets
        octets = decode(octets, part.encoding)
    text = decode_text(octets, part.charset)
    if part.subtype == "html":
        text = strip_tags(text, _ENOUGH)
    else:
        text = _QUOTED.sub(" ", text[: 4 * _ENOUGH])
    return _SPACE.sub(" ", text[: 4 * _ENOUGH]).strip()[:MAX_PREVIEW].rstrip()


def strip_tags(text: str, enough: int) -> str:
    """Return what is between the tags, once `enough` characters or all of it is there."""
    pieces: list[str] = []
    have = at = 0
    for tag in _TAG.finditer(text):
        between = text[at : tag.start()]
        at = tag.end()
        if between and not between.isspace():
            pieces.append(between)
            have += len(between)
            if have >= enough:
                break
        pieces.append(" ")
    else:
        pieces.append(text[at:])
    return html.unescape("".join(pieces))


def _first_text(root: Part) -> Part | None:
    """Find the first plain text, or else the first HTML, that is no attachment."""
    found: Part | None = None
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.children:
            if part.type == "multipart":
                waiting.extend(reversed(part.children))
            continue
        if part.type != "text" or (part.disposition is not None and part.disposition.kind == "attachment"):
            continue
        if part.subtype == "plain":
            return part
        if found is None and part.subtype == "html":
            found = part
    return found
