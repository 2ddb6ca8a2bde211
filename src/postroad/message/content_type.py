"""Content-Type and Content-Disposition with their parameters (RFC 2045 §5.1, RFC 2183, RFC 2231)."""

import re
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from postroad.message.charset import decode_text
from postroad.message.comment import strip_comments
from postroad.message.encoded_word import decode_header, squeezed

MAX_PARAMETERS: Final = 100
# Up to so many octets a type is remembered, and a lone parameter as text.
_USUAL: Final = 100
_REMEMBERED: Final = 256

# Names in lower case; an extended value (RFC 2231 §4) keeps its form
# charset'language'%-octets, and its name ends in an asterisk.
Parameters: TypeAlias = tuple[tuple[bytes, bytes], ...]

_TYPE: Final = re.compile(rb"\s*+([^\x00-\x20/;=\"\x7f]++)\s*+/\s*+([^\x00-\x20;=\"\x7f]++)")
_WORD: Final = re.compile(rb"\s*+([^\x00-\x20;=\"\x7f]++)")
_PARAMETER: Final = re.compile(
    rb";\s*+([^\s=;\"]++)\s*+=\s*+"
    rb"(?:\"((?:[^\"\\]++|\\.)*)(?:\"|\\?\Z)|([^;]*+))",
    re.DOTALL,
)
# Parentheses inside a value without quotes, where the grammar has no comment since more of the value
# follows: they are of the name of a file, "Report (2).pdf".
_BARE_VALUE: Final = re.compile(
    rb"\"(?:[^\"\\]++|\\.)*(?:\"|\\?\Z)"
    rb"|(=\s*+)([^\s\"();=][^\"();=]*+\([^\"();=]*+\)\s*+[^\s\"();=][^\"();]*+)",
    re.DOTALL,
)
# Between a type and the first parameter some leave the semicolon out.
_FORGOTTEN: Final = re.compile(rb"\s++(?=[^\x00-\x20;=\"\x7f]++\s*+=)")
# Not every quoted pair: programs for Windows write paths and forget to double the backslash.
_ESCAPE: Final = re.compile(rb"\\([\"\\])")
_SECTION: Final = re.compile(rb"([^*]+)\*(?:([0-9]{1,3})(\*?))?")
_NOT_ATTRIBUTE: Final = re.compile(rb"[^A-Za-z0-9!#$&+.^_`{|}~-]")


class ContentType(Struct, frozen=True, gc=False):
    """A media type in lower case and its parameters."""

    type: str
    subtype: str
    params: Parameters


class Disposition(Struct, frozen=True, gc=False):
    """A disposition in lower case ("inline", "attachment") and its parameters."""

    kind: str
    params: Parameters


def parse_content_type(value: bytes) -> ContentType | None:
    """Read a Content-Type value; None when there is no type/subtype in it."""
    if len(value) <= _USUAL and b"boundary" not in value:  # which is another in each message
        return _usual_content_type(value)
    return _content_type(value)


def _content_type(value: bytes) -> ContentType | None:
    if b"(" in value:
        value = strip_comments(_guarded(value))
    match = _TYPE.match(value)
    if match is None:
        return None
    if (forgotten := _FORGOTTEN.match(value, match.end())) is not None:
        value = value[: forgotten.start()] + b";" + value[forgotten.end() :]
    return ContentType(
        match[1].lower().decode("latin-1"),
        match[2].lower().decode("latin-1"),
        _parameters(value, match.end()),
    )


_usual_content_type: Final = lru_cache(_REMEMBERED)(_content_type)


def parse_disposition(value: bytes) -> Disposition | None:
    """Read a Content-Disposition value; None when it is empty."""
    if b"(" in value:
        value = strip_comments(_guarded(value))
    match = _WORD.match(value)
    if match is None:
        return None
    return Disposition(match[1].lower().decode("latin-1"), _parameters(value, match.end()))


def _guarded(value: bytes) -> bytes:
    """Put quotes around the values whose parentheses are no comments."""
    return _BARE_VALUE.sub(
        lambda found: b'%b"%b"' % found.groups() if found[1] is not None else found[0], value
    )


def find_parameter(params: Parameters, name: str) -> str | None:
    """Return a parameter as text: extended first, encoded words undone, never raising."""
    if len(params) == 1 and len(params[0][0]) + len(params[0][1]) <= _USUAL:
        return _usual_parameter(params, name)  # a charset, most often, and one of few
    return _parameter(params, name)


def _parameter(params: Parameters, name: str) -> str | None:
    plain = name.encode("utf-8", "replace")
    extended = plain + b"*"
    found: bytes | None = None
    for key, value in params:
        if key == extended:
            return decode_extended(value)
        if key == plain and found is None:
            found = value
    if found is None:
        return None
    # RFC 2047 §5 forbids encoded words here; most of the world's senders do not know.
    return decode_header(found)


_usual_parameter: Final = lru_cache(_REMEMBERED)(_parameter)


def decode_extended(value: bytes) -> str:
    """Decode charset'language'%-octets (RFC 2231 §4)."""
    charset, quote, rest = value.partition(b"'")
    _, second, text = rest.partition(b"'")
    if not quote or not second:
        return decode_header(unquote_to_bytes(value))
    decoded = decode_text(unquote_to_bytes(text), charset.decode("latin-1") or None)
    return squeezed(decoded)  # what was %-encoded may be a line end


def _parameters(value: bytes, at: int) -> Parameters:
    params: list[tuple[bytes, bytes]] = []
    seen: set[bytes] = set()
    sectioned = False
    for match in _PARAMETER.finditer(value, at):
        name, quoted, token = match.groups()
        name = name.lower()
        if name in seen:
            continue
        if len(params) == MAX_PARAMETERS:
            break
        seen.add(name)
        if quoted is None:
            text = token.strip()
        elif b"\\" in quoted:
            text = _ESCAPE.sub(rb"\1", quoted)
        else:
            text = quoted
        sectioned = sectioned or b"*" in name
        params.append((name, text))
    return _join_sections(params) if sectioned else tuple(params)


def _join_sections(params: list[tuple[bytes, bytes]]) -> Parameters:
    """Join what RFC 2231 §3 cut into numbered sections."""
    joined: list[tuple[bytes, bytes]] = []
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for name, text in params:
        match = _SECTION.fullmatch(name)
        if match is None:
            joined.append((name, text))
        elif match[2] is None:
            joined.append((match[1] + b"*", text))
        else:
            sections.setdefault(match[1], {}).setdefault(int(match[2]), (text, bool(match[3])))
    for name, numbered in sections.items():
        extended = any(is_extended for _, is_extended in numbered.values())
        pieces: list[bytes] = []
        for number in range(min(numbered), min(numbered) + len(numbered)):
            if number not in numbered:  # what follows a gap cannot be placed
                break
            text, is_extended = numbered[number]
            if extended and not is_extended:
                text = _NOT_ATTRIBUTE.sub(lambda found: b"%%%02X" % found[0][0], text)
            pieces.append(text)
        whole = b"".join(pieces)
        if extended and not numbered[min(numbered)][1]:
            whole = b"''" + whole  # the first section had no charset to tell
        joined.append((name + b"*" if extended else name, whole))
    return tuple(joined)
