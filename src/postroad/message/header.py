"""The header of a message or body part, found by offsets (RFC 5322 §2.2, §3.6).

Stored mail is not always well formed: lines end in a bare LF, the empty line
is missing, a mailbox separator or a broken line stands between the fields.
All of it is read as a reader of mail would read it, and nothing raises.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from postroad.message.octets import Octets, find
from postroad.model.octets import LF, NUL

MAX_HEADER: Final = 256 * 1024
MAX_FIELDS: Final = 1_000
MAX_FIELD: Final = 64 * 1024

# A name, perhaps spaces (RFC 5322 §4.5.8), a colon and a value with its folds.
_FIELD: Final = re.compile(rb"(?m)^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*\n?)")
_STRANGE_LINE: Final = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*\n?")
_NAME: Final = re.compile(rb"[!-9;-~]++")
_FOLD: Final = re.compile(rb"\r?\n")
_NAMED: Final = re.compile(rb"([!-9;-~]++)[ \t]*+")
_USUAL: Final = 64
"""Octets up to which a name is remembered with its form in lower case: mail has few."""
_REMEMBERED: Final = 512
_LINE_END: Final = b"\r\n"
# A line with a name, or any other line of a header: it keeps the search from looking for names inside it.
_LINE: Final = re.compile(rb"(?m)^(?:([!-9;-~]++)[ \t]*+:)?[^\n]*+\n?")


Named: TypeAlias = list[tuple[bytes, bytes]]
"""The fields of a header in order: names in lower case, and values as they are written."""


class Field(Struct, frozen=True, gc=False):
    """One header field; the offsets count from the start of the data.

    `start` is where the name stands, `value_start` is behind the colon and
    `end` is behind the line end, so data[start:end] is the field as written.
    """

    name: bytes
    name_lower: bytes
    start: int
    value_start: int
    end: int


class HeaderBlock(Struct, frozen=True, gc=False):
    """The fields of one header, in order, and where the body starts.

    `truncated` says that the header was over a limit and that the fields
    behind it were left out; the offsets of the body are right all the same.
    """

    start: int
    body_start: int
    truncated: bool
    _octets: bytes
    """The fields, and what is passed over between them."""
    _named: Named
    _first: dict[bytes, bytes]
    """The first of each name, as it is written."""
    _values: dict[bytes, bytes]
    """What `first` has unfolded already: some fields are asked for three times."""
    _fields: list[Field]
    """Made when they are asked for: few who read a header need to know where they stand."""

    @classmethod
    def parse(cls, data: Octets, start: int = 0, end: int | None = None) -> "HeaderBlock":
        """Read the header that starts at `start`; whatever comes, it never raises."""
        stop = len(data) if end is None else end
        block_end, body_start = _blank_line(data, start, stop)
        octets = data[start : min(block_end, start + MAX_HEADER)]
        truncated = block_end - start > MAX_HEADER
        named = None if truncated else _orderly(octets)
        if named is None:
            named, length, truncated, is_text = _disorderly(octets, truncated=truncated)
            if is_text:
                body_start = start + length
            octets = octets[:length]
        return cls(start, body_start, truncated, octets, named, dict(reversed(named)), {}, [])

    @property
    def fields(self) -> list[Field]:
        """All fields, in order."""
        if not self._fields:
            self._fields.extend(map(self._field, _FIELD.finditer(self._octets)))
        return self._fields

    @property
    def has_strange_lines(self) -> bool:
        """Whether a line that is no field stands between two of them: to others the header ends there."""
        return any(above.end != below.start for above, below in pairwise(self.fields))

    def _field(self, match: re.Match[bytes]) -> Field:
        begin, end = match.span()
        start, name = self.start, match[1]
        return Field(name, name.lower(), start + begin, start + match.start(2), start + end)

    def value(self, field: Field) -> bytes:
        """Return the unfolded value of a field, without the space around it."""
        return _unfolded(self._octets[field.value_start - self.start : field.end - self.start])

    def raw(self, field: Field) -> bytes:
        """Return a field as it is written, with its name, its folds and its line end."""
        return self._octets[field.start - self.start : field.end - self.start]

    def first(self, name: bytes) -> bytes | None:
        """Return the unfolded value of the first field of that name, or None."""
        value = self._values.get(name)
        if value is None:
            written = self._first.get(name.lower())
            if written is not None:
                value = self._values[name] = _unfolded(written)
        return value

    def firsts(self, names: frozenset[bytes]) -> Mapping[bytes, bytes]:
        """Return what `first` gives for all of these names, which are in lower case, and perhaps more."""
        values = self._values
        for name, written in self._first.items():
            if name in names and name not in values:
                values[name] = _unfolded(written)
        return values

    def has_any(self, names: frozenset[bytes]) -> bool:
        """Say whether there is a field of any of these names, which are in lower case."""
        return not names.isdisjoint(self._first)

    def repeated(self, names: tuple[bytes, ...]) -> list[bytes]:
        """Return which of these names, which are in lower case, more than one field has."""
        if len(self._named) == len(self._first):
            return []
        first, last = self._first, dict(self._named)
        return [name for name in names if name in first and last[name] is not first[name]]

    def all(self, name: bytes) -> list[bytes]:
        """Return the unfolded values of all fields of that name, in order."""
        lower = name.lower()
        if lower not in self._first:
            return []
        return [_unfolded(written) for one, written in self._named if one == lower]

    def count(self, name: bytes) -> int:
        """Count the fields of that name."""
        lower = name.lower()
        if lower not in self._first:
            return 0
        return sum(one == lower for one, _ in self._named)


def _orderly(octets: bytes) -> Named | None:
    """Read a header of which each line is a field or goes on with one, as it should be; None of any other."""
    named = _each_line(octets)
    if named is None and NUL not in octets:
        named = _each_line(_covered(octets))
        if named is not None:
            named = [(name, value.replace(b"\0", b"\n")) for name, value in named]
    return named


def _each_line(octets: bytes) -> Named | None:
    """Read a header without folds; None where any line is something else."""
    lines = octets.split(b"\n")
    if not lines[-1]:
        del lines[-1]
    if len(lines) > MAX_FIELDS:
        return None
    named: Named = []
    for line in lines:
        written, colon, value = line.partition(b":")
        name = _usual_name(written) if len(written) <= _USUAL else _name(written)
        if not (name and colon):
            return None
        named.append((name, value))
    return named


def _name(written: bytes) -> bytes:
    """Return a name in lower case, without the spaces behind it; nothing where it is none."""
    match = _NAMED.fullmatch(written)
    return match[1].lower() if match is not None else b""


_usual_name: Final = lru_cache(_REMEMBERED)(_name)


class _Disorder(NamedTuple):
    """What a header with strange lines, or of great length, has to say."""

    named: Named
    length: int
    """Octets up to the end of the last field."""
    is_truncated: bool
    """Whether there are more fields than anybody looks at."""
    is_text: bool
    """Whether text begins there that has lost its empty line."""


def _disorderly(octets: bytes, *, truncated: bool) -> _Disorder:
    """Find the fields of any header, and pass over what may stand between them."""
    named: Named = []
    at = 0
    for match in _FIELD.finditer(octets):
        begin, end = match.span()
        if begin != at and _is_body(octets[at:begin], followed=True):
            return _Disorder(named, at, truncated, True)
        if len(named) == MAX_FIELDS:
            return _Disorder(named, at, True, False)
        named.append((match[1].lower(), match[2]))
        at = end
    is_text = at < len(octets) and not truncated and _is_body(octets[at:], followed=False)
    return _Disorder(named, at, truncated, is_text)


def _unfolded(raw: bytes) -> bytes:
    raw = raw[:MAX_FIELD].strip()
    return _FOLD.sub(b"", raw) if LF in raw else raw


def each_field(header: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name in lower case, the start and the end of every field, however long the header is.

    What is no field is left out, and so are the lines that continue it.
    """
    for match in _LINE.finditer(_covered(header)):
        name = match[1]
        if name is not None:
            yield name.lower(), match.start(), match.end()


def fields_named(header: bytes, names: tuple[bytes, ...]) -> list[bytes]:
    """Return the fields with one of these names as they are written: what `each_field` finds, and quicker."""
    search = _search_for(names)
    # With a line feed in front of every name the expression begins with an octet that C looks for.
    return [header[match.start() : match.end()] for match in search.finditer(b"\n" + _covered(header))]


@lru_cache(maxsize=256)
def _search_for(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    fitting = [re.escape(name) for name in names if _NAME.fullmatch(name)] or [b"(?!)"]
    return re.compile(rb"(?i)\n(?:%b)[ \t]*+:[^\n]*+" % b"|".join(fitting))


def _covered(header: bytes) -> bytes:
    """Cover folds by octets of the same length.

    A repeated group in an expression would hold memory for each of millions of folds.
    """
    return header.replace(b"\n ", b"\0 ").replace(b"\n\t", b"\0\t")


def _blank_line(data: Octets, start: int, stop: int) -> tuple[int, int]:
    """Return the offsets in front of and behind the line that ends the header."""
    if start < stop and data[start] in _LINE_END:
        if data[start] == LF:
            return start, start + 1
        if start + 1 < stop and data[start + 1] == LF:
            return start, start + 2
    crlf = find(data, b"\n\r\n", start, stop)
    bare = find(data, b"\n\n", start, stop if crlf < 0 else crlf + 1)
    if bare >= 0:
        return bare + 1, bare + 2
    if crlf >= 0:
        return crlf + 1, crlf + 3
    return stop, stop


def _is_body(strange: bytes, *, followed: bool) -> bool:
    """Say whether lines that are no fields are text that lost its empty line.

    One broken line with a field behind it is passed over, and so is a mailbox
    separator; more than that is what somebody wrote.
    """
    at = 0
    if strange.startswith((b"From ", b">From ")):
        match = _STRANGE_LINE.match(strange)
        at = match.end() if match else 0
        if at == len(strange):
            return False
    match = _STRANGE_LINE.match(strange, at)
    return not followed or match is None or match.end() < len(strange)
