"""The tree of parts in a message, as offsets (RFC 2045, RFC 2046).

Every message has a tree, however broken it is: a multipart whose parts cannot
be found has its whole body as one text part, and beyond a limit what is left
is one opaque part. Nothing is recursive and the work is bounded, so a hostile
message costs little more than a large one.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from postroad.message.content_type import (
    ContentType,
    Disposition,
    Parameters,
    find_parameter,
    parse_content_type,
    parse_disposition,
)
from postroad.message.header import HeaderBlock
from postroad.message.octets import Octets, count_lines, find

MAX_DEPTH: Final = 50
MAX_PARTS: Final = 1_000
# Lines that begin like a delimiter and are none, per message.
_MAX_LOOKALIKES: Final = 10_000
# A body is searched once for each multipart around it; beyond this many times it is opaque.
_MAX_SEARCHES: Final = 12

_TEXT: Final = ContentType("text", "plain", ((b"charset", b"us-ascii"),))  # RFC 2045 §5.2
_MESSAGE: Final = ContentType("message", "rfc822", ())
_DESCRIPTIVE: Final = frozenset(
    b"content-%b" % name.encode()
    for name in ("disposition", "language", "id", "description", "md5", "location")
)
_WITH_PARTS: Final = ("multipart", "message")
_MESSAGES: Final = frozenset({("message", "rfc822"), ("message", "global")})  # RFC 6532 §3.7
_OPAQUE: Final = ContentType("application", "octet-stream", ())
_ENCODED: Final = frozenset(("base64", "quoted-printable", "x-uuencode", "uuencode"))
# RFC 2046 §5.1.1 lets anything stand behind a boundary. Where that may be in a boundary itself and is
# no space, though, it is the delimiter of an inner multipart whose boundary begins like the outer one.
_DELIMITER_END: Final = re.compile(rb"(--)?(?:[^0-9A-Za-z'()+_,./:=?\r\n-][^\n]*+|\r*+)(?:\n|\Z)")
_TOKEN: Final = re.compile(rb"[^\x00-\x20;()\"\x7f]+")
_COMMENTS: Final = re.compile(rb"(?:\s*\([^()]*\))*")


class Part(Struct, frozen=True, array_like=True, gc=False):
    """One part: where it is, what its MIME fields say, and what is in it.

    The header is data[header_start:body_start], the body data[body_start:body_end].
    A message/rfc822 or message/global part has exactly one child, the message
    inside, unless it is encoded; a multipart has at least one. `lines` is counted for text and messages only.
    """

    header_start: int
    body_start: int
    body_end: int
    type: str = "text"
    subtype: str = "plain"
    params: Parameters = ()
    encoding: str = "7bit"
    lines: int = 0
    children: tuple["Part", ...] = ()
    id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    disposition: Disposition | None = None
    language: tuple[bytes, ...] = ()
    location: bytes | None = None

    @property
    def is_multipart(self) -> bool:
        """Whether the children are parts side by side."""
        return self.type == "multipart"

    @property
    def is_international(self) -> bool:
        """Whether it is a message whose header may be UTF-8 (RFC 6532 §3.7)."""
        return self.type == "message" and self.subtype == "global"

    @property
    def has_extension(self) -> bool:
        """Whether there is anything that BODYSTRUCTURE has and BODY has not, but parameters."""
        given = self.md5 is not None or self.disposition is not None or self.location is not None
        return given or bool(self.language)

    @property
    def embedded(self) -> "Part | None":
        """The message inside a message/rfc822 or message/global part."""
        return self.children[0] if self.children and self.type == "message" else None

    @property
    def charset(self) -> str | None:
        """The charset parameter of a text part."""
        return find_parameter(self.params, "charset")

    @property
    def filename(self) -> str | None:
        """The name that the sender gave: Content-Disposition first (RFC 2183 §2.3)."""
        if self.disposition is not None:
            name = find_parameter(self.disposition.params, "filename")
            if name:
                return name
        return find_parameter(self.params, "name")


class _Open(Struct, gc=False):
    """A part whose children are still being read."""

    block: HeaderBlock
    content: ContentType
    end: int
    children: list[Part]
    depth: int
    boundary: bytes | None  # None: a message
    at: int  # where the next child starts
    default: ContentType


def parse_parts(data: Octets, header: HeaderBlock | None = None) -> Part:
    """Find the parts of a whole message; `header` saves reading it a second time."""
    block = header or HeaderBlock.parse(data)
    content = _content(block, _TEXT)
    if content.type not in _WITH_PARTS:
        return _leaf(data, block, content, len(data))
    return _Parser(data).parse(block, content)


class _Parser:
    def __init__(self, data: Octets) -> None:
        self._data = data
        self._parts = 0
        self._lookalikes = _MAX_LOOKALIKES
        self._searchable = _MAX_SEARCHES * len(data) + 4096
        self._stack: list[_Open] = []

    def parse(self, header: HeaderBlock, content: ContentType) -> Part:
        stack = self._stack
        done = self._enter(header, content, len(self._data), 0)
        while stack:
            top = stack[-1]
            if done is not None:
                top.children.append(done)
            done = self._next_child(top)
            if done is None and stack[-1] is top:
                stack.pop()
                done = self._close(top)
        assert done is not None  # the stack only empties by closing the root
        return done

    def _enter(self, block: HeaderBlock, content: ContentType, end: int, depth: int) -> Part | None:
        """Begin a part: a leaf is returned whole, anything else goes on the stack."""
        self._parts += 1
        if content.type == "multipart":
            return self._enter_multipart(block, content, end, depth)
        # RFC 2046 §5.2.1 forbids to encode a message, RFC 6532 §3.5 lets it be for
        # message/global; one that is has no readable header.
        if (content.type, content.subtype) in _MESSAGES and _encoding(block) not in _ENCODED:
            opened = _Open(block, content, end, [], depth, None, block.body_start, _TEXT)
            if depth >= MAX_DEPTH:
                opened.children.append(_bare(self._data, block.body_start, end, _OPAQUE))
                return self._close(opened)
            self._stack.append(opened)
            return None
        return _leaf(self._data, block, content, end)

    def _enter_multipart(self, block: HeaderBlock, content: ContentType, end: int, depth: int) -> Part | None:
        boundary = boundary_of(content.params)
        default = _MESSAGE if content.subtype == "digest" else _TEXT  # RFC 2046 §5.1.5
        opened = _Open(block, content, end, [], depth, boundary, block.body_start, default)
        deep = depth >= MAX_DEPTH
        if boundary is None or deep or not self._find_first(opened):
            whole = _bare(self._data, block.body_start, end, _OPAQUE if deep else _TEXT)
            opened.children.append(whole)
            return self._close(opened)
        self._stack.append(opened)
        return None

    def _next_child(self, top: _Open) -> Part | None:
        """Read the next child of `top`; None when it went on the stack or there is none."""
        if top.boundary is None:
            if top.children:
                return None
            block = HeaderBlock.parse(self._data, top.block.body_start, top.end)
            return self._enter(block, _content(block, top.default), top.end, top.depth + 1)
        if top.at < 0:
            return None
        start = top.at
        if self._parts >= MAX_PARTS:
            top.at = -1
            return _bare(self._data, start, top.end, _OPAQUE)
        stop, after = self._find_delimiter(top, start - 1)
        top.at = after
        block = HeaderBlock.parse(self._data, start, stop)
        body_end = self._without_line_end(stop) if stop < top.end else stop
        content = _content(block, top.default)
        return self._enter(block, content, max(block.body_start, body_end), top.depth + 1)

    def _find_first(self, opened: _Open) -> bool:
        """Pass over the preamble; say whether there is a part at all."""
        assert opened.boundary is not None
        start = opened.block.body_start
        delimiter = b"--" + opened.boundary
        length = len(delimiter)
        if self._data[start : min(start + length, opened.end)] == delimiter:
            match = _DELIMITER_END.match(self._data, start + length, opened.end)
            if match is not None:
                opened.at = _after(match, opened.end)
                return opened.at >= 0
        _, opened.at = self._find_delimiter(opened, start)
        return opened.at >= 0

    def _find_delimiter(self, opened: _Open, at: int) -> tuple[int, int]:
        """Find the next delimiter from `at`.

        Returns the offset of its first hyphen (the end of the multipart when
        there is none) and where the next part starts, or -1 if none follows.
        """
        assert opened.boundary is not None
        data, end = self._data, opened.end
        needle = b"\n--" + opened.boundary
        length = len(needle)
        at = max(at, opened.block.body_start)
        begin = at
        while self._lookalikes and self._searchable > 0:
            found = find(data, needle, at, end)
            if found < 0:
                break
            match = _DELIMITER_END.match(data, found + length, end)
            if match is not None:
                self._searchable -= found - begin
                return found + 1, _after(match, end)
            self._lookalikes -= 1
            at = found + length - 1
        self._searchable -= end - begin
        return end, -1

    def _without_line_end(self, stop: int) -> int:
        """The line end in front of a delimiter belongs to it (RFC 2046 §5.1.1)."""
        data = self._data
        if stop >= 1 and data[stop - 1 : stop] == b"\n":
            return stop - 2 if stop >= 2 and data[stop - 2 : stop - 1] == b"\r" else stop - 1
        return stop

    def _close(self, opened: _Open) -> Part:
        lines = 0
        if opened.content.type == "message":
            lines = count_lines(self._data, opened.block.body_start, opened.end)
        return _part(opened.block, opened.content, opened.end, lines, tuple(opened.children))


def _after(delimiter: re.Match[bytes], end: int) -> int:
    """Return where the part behind a delimiter starts, or -1 if the delimiter is the last."""
    return -1 if delimiter[1] or delimiter.end() == end else delimiter.end()


def boundary_of(params: Parameters) -> bytes | None:
    """What stands behind the two hyphens in front of each part of a multipart."""
    for name, value in params:
        if name == b"boundary":
            return value.rstrip() or None
    text = find_parameter(params, "boundary")
    return text.encode() if text else None


def _bare(data: Octets, start: int, end: int, content: ContentType) -> Part:
    """Make a part without a header out of what could not be taken apart."""
    lines = count_lines(data, start, end) if content.type == "text" else 0
    encoding = "7bit" if content.type == "text" else "binary"
    return Part(start, start, end, content.type, content.subtype, content.params, encoding, lines)


def _encoding(block: HeaderBlock) -> str:
    value = block.first(b"content-transfer-encoding")
    if value is None:
        return "7bit"
    match = _TOKEN.search(value)
    return match[0].lower().decode("latin-1") if match else "7bit"


def _content(block: HeaderBlock, default: ContentType) -> ContentType:
    value = block.first(b"content-type")
    return default if value is None else parse_content_type(value) or _TEXT


def _leaf(data: Octets, block: HeaderBlock, content: ContentType, end: int) -> Part:
    counted = content.type in ("text", "message")
    lines = count_lines(data, block.body_start, end) if counted else 0
    return _part(block, content, end, lines, ())


def _part(block: HeaderBlock, content: ContentType, end: int, lines: int, children: tuple[Part, ...]) -> Part:
    described = _described(block) if block.has_any(_DESCRIPTIVE) else ()
    return Part(
        block.start,
        block.body_start,
        end,
        content.type,
        content.subtype,
        content.params,
        _encoding(block),
        lines,
        children,
        *described,
    )


def _described(block: HeaderBlock) -> tuple[Any, ...]:
    """What few parts have, in the order of `Part`'s fields."""
    first = block.first
    disposition = first(b"content-disposition")
    language = first(b"content-language")
    return (
        first(b"content-id"),
        first(b"content-description"),
        first(b"content-md5"),
        parse_disposition(disposition) if disposition is not None else None,
        _languages(language) if language is not None else (),
        _location(first(b"content-location")),
    )


def _location(value: bytes | None) -> bytes | None:
    """The URI, without comments around it and without the spaces of its folding (RFC 2557 §4.4)."""
    if value is None:
        return None
    comments = _COMMENTS.match(value)
    uri = value[comments.end() if comments else 0 :].strip()
    if uri.endswith(b")") and (at := uri.rfind(b"(")) > 0 and uri[at - 1] in b" \t":
        uri = uri[:at].strip()
    if len(uri) > 1 and uri.startswith(b'"') and uri.endswith(b'"'):
        uri = uri[1:-1]
    return b"".join(uri.split()) or None


def _languages(value: bytes) -> tuple[bytes, ...]:
    return tuple(tag for piece in value[:1000].split(b",") if (tag := piece.strip()))


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Part).decode


def pack_tree(part: Part) -> bytes:
    """Write a tree compactly, to be stored beside the message."""
    return _encode(part)


def unpack_tree(packed: bytes) -> Part:
    """Read what `pack_tree` wrote."""
    return _decode(packed)
