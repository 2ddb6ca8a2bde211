"""ENVELOPE, BODY and BODYSTRUCTURE as the bytes that IMAP sends (RFC 3501 §7.4.2, §9).

Rendered once when a message is filed. Strings are quoted where that is legal
and literals where octets need it; NUL never goes out (RFC 3501 §9 CHAR8).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from postroad.message.address_list import Entry, GroupStart, Mailbox, parse_addresses
from postroad.message.content_type import Disposition, Parameters
from postroad.message.header import HeaderBlock
from postroad.message.octets import Octets
from postroad.message.part import Part

NIL: Final = b"NIL"
GLOBAL: Final = b'"message" "global"'
"""How a message whose header may be UTF-8 begins in a structure."""
ENVELOPE_FIELDS: Final = frozenset(
    b"date subject from sender reply-to to cc bcc in-reply-to message-id".split()
)
_NO_EXTENSION: Final = b" NIL NIL NIL NIL"
_DESTINATIONS: Final = (b"to", b"cc", b"bcc")
# Up to so many octets a field is remembered as it is rendered: mail comes from few, to fewer.
_USUAL: Final = 200
_REMEMBERED: Final = 1024
# What the strings of strangers may add to one structure; behind that they are left out.
_MAX_STRINGS: Final = 256 * 1024

_PLAIN: Final = re.compile(rb"[ !#-\[\]-~]*+")
_BREAK: Final = re.compile(rb"[\r\n]+")
_SPECIAL: Final = re.compile(rb"([\"\\])")


def render_string(value: bytes) -> bytes:
    """Write a string: quoted, or a literal where 8-bit octets need one."""
    if _PLAIN.fullmatch(value):
        return b'"' + value + b'"'
    value = _BREAK.sub(b" ", value.replace(b"\0", b""))
    if value.isascii():
        return b'"' + _SPECIAL.sub(rb"\\\1", value) + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


def render_nstring(value: bytes | None) -> bytes:
    """Write a string, or NIL for what is not there."""
    return NIL if value is None else render_string(value)


def render_addresses(entries: list[Entry]) -> bytes:
    """Write an address list; NIL when it is empty. Groups have a NIL host (RFC 3501 §7.4.2)."""
    if not entries:
        return NIL
    written: list[bytes] = []
    for entry in entries:
        if isinstance(entry, Mailbox):
            name = NIL if entry.name is None else render_string(entry.name)
            route = NIL if entry.route is None else render_string(entry.route)
            written.append(
                b"(%b %b %b %b)" % (name, route, render_string(entry.local), render_string(entry.host))
            )
        elif isinstance(entry, GroupStart):
            written.append(b"(NIL NIL %b NIL)" % render_string(entry.name))
        else:
            written.append(b"(NIL NIL NIL NIL)")
    return b"(" + b"".join(written) + b")"


def render_envelope(block: HeaderBlock) -> bytes:
    """Write the ENVELOPE of a message from its header."""
    return envelope_of_fields(envelope_fields(block))


def envelope_fields(block: HeaderBlock, names: frozenset[bytes] = ENVELOPE_FIELDS) -> Mapping[bytes, bytes]:
    """Return the first field of each name, unfolded, and of those with recipients all together.

    RFC 5322 §4.5.3: what repeated To, Cc and Bcc fields say is one list; of other fields the
    meaning of a second one is unspecified (§4.5).
    """
    fields = block.firsts(names)
    repeated = block.repeated(_DESTINATIONS)
    if not repeated:
        return fields
    return {**fields, **{name: b", ".join(block.all(name)) for name in repeated}}


def envelope_of_fields(fields: Mapping[bytes, bytes]) -> bytes:
    """Write the ENVELOPE of a message from what `envelope_fields` gives."""
    first = fields.get
    author = _addresses(first(b"from"), NIL)
    written = (
        render_nstring(first(b"date")),
        render_nstring(first(b"subject")),
        author,
        # RFC 3501 §7.4.2: Sender and Reply-To default to From, empty ones too.
        _addresses(first(b"sender"), author),
        _addresses(first(b"reply-to"), author),
        _addresses(first(b"to"), NIL),
        _addresses(first(b"cc"), NIL),
        _addresses(first(b"bcc"), NIL),
        render_nstring(first(b"in-reply-to")),
        render_nstring(first(b"message-id")),
    )
    return b"(" + b" ".join(written) + b")"


def _addresses(value: bytes | None, instead: bytes) -> bytes:
    """Write a list of addresses, and something else where there is none or it is empty."""
    if value is None:
        return instead
    usual = len(value) <= _USUAL
    written = _usual_addresses(value) if usual else render_addresses(parse_addresses(value))
    return instead if written is NIL else written


@lru_cache(_REMEMBERED)
def _usual_addresses(value: bytes) -> bytes:
    return render_addresses(parse_addresses(value))


@lru_cache(_REMEMBERED)
def _usual_type(kind: str, subtype: str, params: Parameters, encoding: str) -> tuple[bytes, bytes]:
    """Write the fields in front of the identifier, and the encoding."""
    written = [render_string(name) + b" " + render_string(value) for name, value in params]
    return (
        b"%b %b %b"
        % (
            render_string(kind.encode("latin-1")),
            render_string(subtype.encode("latin-1")),
            b"(" + b" ".join(written) + b")" if params else NIL,
        ),
        render_string(encoding.encode("latin-1")),
    )


def _is_usual(kind: str, subtype: str, params: Parameters, encoding: str) -> bool:
    """Say whether it is of a type as most parts are: at most a charset, and no long names."""
    if len(kind) + len(subtype) + len(encoding) > _USUAL or len(params) > 1:
        return False
    return not params or len(params[0][0]) + len(params[0][1]) <= _USUAL


def render_structure(
    data: Octets,
    root: Part,
    *,
    international: bool = False,
    envelope_of: Callable[[HeaderBlock], bytes] = render_envelope,
) -> tuple[bytes, bytes]:
    """Write BODY and BODYSTRUCTURE of a message.

    A message/global within is a message with an envelope and parts to clients that
    know it, the `international` ones (RFC 9051 §9 media-message), and to others a
    part without any, as RFC 3501 has it. `envelope_of` writes the envelopes of messages within.
    """
    if _is_plain(root):
        return _plain_leaf(root)
    renderer = _Renderer(data, envelope_of, international=international)
    if not root.children:
        return renderer.leaf(root)
    return renderer.render(root)


def _is_plain(root: Part) -> bool:
    """Say whether it is a lone part with nothing but a type, as most mail that people write."""
    named = root.id is not None or root.description is not None or root.has_extension
    if root.children or named or root.type == "message":
        return False
    return _is_usual(root.type, root.subtype, root.params, root.encoding)


def _plain_leaf(part: Part) -> tuple[bytes, bytes]:
    front, encoding = _usual_type(part.type, part.subtype, part.params, part.encoding)
    size = part.body_end - part.body_start
    if part.type == "text":
        fields = b"(%b NIL NIL %b %d %d" % (front, encoding, size, part.lines)
    else:
        fields = b"(%b NIL NIL %b %d" % (front, encoding, size)
    return fields + b")", fields + _NO_EXTENSION + b")"


class _Renderer:
    """Writes both forms in one walk, children before their parents."""

    def __init__(
        self, data: Octets, envelope_of: Callable[[HeaderBlock], bytes], *, international: bool
    ) -> None:
        self._data = data
        self._envelope_of = envelope_of
        self._international = international
        self._room = _MAX_STRINGS

    def render(self, root: Part) -> tuple[bytes, bytes]:
        # Each frame: the part, and what its children have become so far.
        stack: list[tuple[Part, list[tuple[bytes, bytes]]]] = [(root, [])]
        while True:
            part, done = stack[-1]
            closed = part.is_international and not self._international
            if len(done) < len(part.children) and not closed:
                child = part.children[len(done)]
                if child.children:
                    stack.append((child, []))
                else:
                    done.append(self.leaf(child))
                continue
            if closed:
                written = self.leaf(part)
            elif part.is_multipart:
                written = self._multipart(part, done)
            else:
                written = self._message(part, done[0])
            stack.pop()
            if not stack:
                return written
            stack[-1][1].append(written)

    def leaf(self, part: Part) -> tuple[bytes, bytes]:
        kind, subtype = part.type, part.subtype
        if kind == "message" and (subtype == "rfc822" or (subtype == "global" and self._international)):
            # It is encoded (message/rfc822 against the standard): the grammar wants an envelope
            # here that cannot be read, so a client is told that it is a file to decode.
            kind, subtype = "application", "octet-stream"
        fields = self._fields(part, kind, subtype)
        if kind == "text":
            fields += b" %d" % part.lines
        return b"(" + fields + b")", b"(" + fields + self._extension(part, leaf=True) + b")"

    def _message(self, part: Part, child: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        embedded = part.children[0]
        block = HeaderBlock.parse(self._data, embedded.header_start, embedded.body_start)
        envelope = self._spend(self._envelope_of(block), b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)")
        fields = self._fields(part, part.type, part.subtype) + b" " + envelope
        body, structure = child
        return (
            b"(%b %b %d)" % (fields, body, part.lines),
            b"(%b %b %d%b)" % (fields, structure, part.lines, self._extension(part, leaf=True)),
        )

    def _multipart(self, part: Part, done: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
        subtype = render_string(part.subtype.encode("latin-1")) or b'"mixed"'
        body = b"(%b %b)" % (b"".join([body for body, _ in done]), subtype)
        structure = b"(%b %b %b%b)" % (
            b"".join([structure for _, structure in done]),
            subtype,
            self._parameters(part.params),
            self._extension(part, leaf=False),
        )
        return body, structure

    def _fields(self, part: Part, kind: str, subtype: str) -> bytes:
        if self._room > 4 * _USUAL and _is_usual(kind, subtype, part.params, part.encoding):
            front, encoding = _usual_type(kind, subtype, part.params, part.encoding)
            self._room -= len(front) + len(encoding)
            return b"%b %b %b %b %d" % (
                front,
                self._nstring(part.id),
                self._nstring(part.description),
                encoding,
                part.body_end - part.body_start,
            )
        return b"%b %b %b %b %b %b %d" % (
            self._string(kind.encode("latin-1")),
            self._string(subtype.encode("latin-1")),
            self._parameters(part.params),
            self._nstring(part.id),
            self._nstring(part.description),
            self._string(part.encoding.encode("latin-1")),
            part.body_end - part.body_start,
        )

    def _extension(self, part: Part, *, leaf: bool) -> bytes:
        if leaf and not part.has_extension:
            return _NO_EXTENSION
        disposition = self._disposition(part.disposition)
        if not part.language:
            language = NIL
        elif len(part.language) == 1:
            language = self._string(part.language[0])
        else:
            language = b"(" + b" ".join([self._string(tag) for tag in part.language]) + b")"
        location = self._nstring(part.location)
        if leaf:
            return b" %b %b %b %b" % (self._nstring(part.md5), disposition, language, location)
        return b" %b %b %b" % (disposition, language, location)

    def _disposition(self, disposition: Disposition | None) -> bytes:
        if disposition is None:
            return NIL
        kind = self._string(disposition.kind.encode("latin-1"))
        return b"(%b %b)" % (kind, self._parameters(disposition.params))

    def _parameters(self, params: Parameters) -> bytes:
        if not params:
            return NIL
        written = b" ".join([render_string(name) + b" " + render_string(value) for name, value in params])
        return self._spend(b"(" + written + b")", NIL)

    def _string(self, value: bytes) -> bytes:
        return self._spend(render_string(value), b'"x-unknown"')

    def _nstring(self, value: bytes | None) -> bytes:
        return NIL if value is None else self._spend(render_string(value), NIL)

    def _spend(self, written: bytes, instead: bytes) -> bytes:
        """Charge what strangers wrote to the room there is for it."""
        if len(written) > self._room:
            return instead
        self._room -= len(written)
        return written
