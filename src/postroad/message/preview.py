"""The first words of a message, for lists of messages (RFC 8970)."""

import html
import re
from typing import Final

from postroad.message.charset import decode_text
from postroad.message.octets import Octets
from postroad.message.part import Part
from postroad.message.transfer import decode

MAX_PREVIEW: Final = 200
# The beginning is nearly always enough; a newsletter's style sheet may be in front of its words.
_LOOKS: Final = (2 * 1024, 16 * 1024)
_PLAIN_LOOKS: Final = (512, *_LOOKS)
# Entities, spaces and quotes fall away from what is collected between tags.
_ENOUGH: Final = 2 * MAX_PREVIEW

_DECORATION: Final = "-_=*#~+"
_RULE: Final = re.compile(r"[-_=*#~+ ]{3,}")
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f\u200b-\u200f\u2028-\u202f\u2060\ufeff\u00ad\u034f]+")
_ENDLESS_REFERENCE: Final = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}+;?")
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
    preview = ""
    for look in _LOOKS if part.subtype == "html" else _PLAIN_LOOKS:
        end = min(part.body_end, part.body_start + look)
        octets = data[part.body_start : end]
        if end < part.body_end:
            octets = octets[: octets.rfind(b"\n") + 1] or octets  # no character is cut in two
        preview = _words(_beginning(octets, part), part.subtype)
        if len(preview) >= MAX_PREVIEW or end == part.body_end:
            break
    return preview[:MAX_PREVIEW].rstrip()


def _beginning(octets: bytes, part: Part) -> str:
    if part.encoding == "quoted-printable":
        cut = octets.rfind(b"=", len(octets) - 2)  # an escape cut in two
        octets = decode(octets if cut < 0 else octets[:cut], part.encoding)
    elif part.encoding == "base64":
        octets = decode(octets, part.encoding)
    return decode_text(octets, part.charset)


def _words(text: str, subtype: str) -> str:
    if subtype == "html":
        return _one_line(strip_tags(text, _ENOUGH))
    said: list[str] = []
    have = 0
    for line in text.split("\n"):
        line = line.strip()
        if not line or line[0] == ">" or (line[0] in _DECORATION and _RULE.fullmatch(line)):
            continue  # what others said, and decoration
        if "  " in line or not line.isprintable():
            line = _one_line(line)
            if not line:
                continue
        said.append(line)
        have += len(line) + 1
        if have > MAX_PREVIEW:
            break
    return " ".join(said)


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if text.isprintable() else _SPACE.sub(" ", text).strip()


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
    # html.unescape raises on a reference of some thousand digits.
    return html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", "".join(pieces)))


def _first_text(root: Part) -> Part | None:
    """Find the first plain text, or else the first HTML, that is no attachment."""
    if not root.children and root.subtype == "plain" and root.type == "text" and root.disposition is None:
        return root  # most mail that people write
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
