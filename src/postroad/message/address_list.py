"""Address lists: mailboxes and groups in header fields (RFC 5322 §3.4, §4.4).

One pass over tokens, no recursion. What the grammar forbids and people write
all the same is read the way a person would read it; nothing raises.
"""

import re
from typing import Final, TypeAlias

from msgspec import Struct

from postroad.message.comment import comment_end
from postroad.message.encoded_word import decode_header

MAX_ADDRESSES: Final = 1_000
MAX_VALUE: Final = 64 * 1024
# A thousand addresses, each with a name of several words, stay below it.
MAX_TOKENS: Final = 24 * 1024

# The ASCII that is not in it, for all else is: a set that reaches to U+10FFFF takes 5 ms to compile.
_ATEXT: Final = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f]++"
_DOT_ATOM: Final = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
# The shapes of nearly all addresses: "name" <a@b>, name <a@b>, a@b.
_COMMON: Final = re.compile(
    rb"[ \t]*+(?:"
    rb"([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]++)@([A-Za-z0-9.-]++)"
    rb"|(?:\"([^\"\\\x00-\x1f]*+)\"|([A-Za-z0-9!#$%&'*+/=?^_`{|}~.\- ]*+))[ \t]*+"
    rb"<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]++)@([A-Za-z0-9.-]++)>"
    rb")[ \t]*+(?:,|\Z)"
)
_TOKEN: Final = re.compile(
    rb"(\s++)"
    rb"|(=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s]*+\?=)"  # whole, for it may hold commas it should not
    rb"|\"((?:[^\"\\]++|\\.)*)(?:\"|\\?\Z)"
    rb"|(\[[^\]\[\\<>,;\s]*+\])"
    rb"|([<>@,;:(])"
    rb"|((?:[^\s\"(),:;<>@\[=]++|=(?!\?))+)"
    rb"|(.)",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SPACES: Final = re.compile(rb"\s+")


class Mailbox(Struct, frozen=True, gc=False):
    """One address: display name as written (quotes undone), route, local part, host.

    `local` is without quotes; `host` is empty when the sender left it out.
    """

    name: bytes | None
    route: bytes | None
    local: bytes
    host: bytes

    @property
    def address(self) -> str:
        """The address as text, quoted where it must be and with no control character in it."""
        local = self.local.decode("utf-8", "replace")
        if not _DOT_ATOM.fullmatch(local):
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
        address = f"{local}@{self.host.decode('utf-8', 'replace')}" if self.host else local
        return address if address.isprintable() else _CONTROL.sub("\ufffd", address)

    @property
    def display_name(self) -> str:
        """The name as text, encoded words undone; empty when there is none."""
        return decode_header(self.name) if self.name else ""


class GroupStart(Struct, frozen=True, gc=False):
    """`name:` opens a group (RFC 5322 §3.4)."""

    name: bytes

    @property
    def display_name(self) -> str:
        """The name as text, encoded words undone."""
        return decode_header(self.name)


class GroupEnd(Struct, frozen=True, gc=False):
    """`;` closes a group."""


Entry: TypeAlias = Mailbox | GroupStart | GroupEnd


def parse_addresses(value: bytes) -> list[Entry]:
    """Read an address list as it stands in a field; at most 1,000 addresses."""
    value = value[:MAX_VALUE]
    entries: list[Entry] = []
    at, end = 0, len(value)
    while at < end and len(entries) < MAX_ADDRESSES:
        match = _COMMON.match(value, at)
        if match is None:
            return _Reader(value, at, entries).read()
        local, host, quoted, name, angle_local, angle_host = match.groups()
        if local is not None:
            entries.append(Mailbox(None, None, local, host))
        else:
            if name is None:
                name = quoted
            name = name.strip()
            entries.append(Mailbox(name or None, None, angle_local, angle_host))
        at = match.end()
    return entries


def first_mailbox(entries: list[Entry]) -> Mailbox | None:
    """Return the first mailbox of a list, in a group or not."""
    for entry in entries:
        if isinstance(entry, Mailbox):
            return entry
    return None


class _Word(Struct, gc=False):
    """A piece of a phrase or address: its text, and what stood around it."""

    text: bytes
    spaced: bool  # white space or a comment stood in front of it
    special: bool  # one of @ : , and not a quoted one


class _Reader:
    """Reads what is not of the common shape, token by token."""

    def __init__(self, value: bytes, at: int, entries: list[Entry]) -> None:
        self._value = value
        self._at = at
        self._entries = entries
        self._in_group = False
        self._addresses = len(entries)
        self._clear()

    def _clear(self) -> None:
        self._phrase: list[_Word] = []
        self._angle: list[_Word] | None = None
        self._named = 0  # so many words of the phrase stood in front of the angle bracket
        self._in_angle = False
        self._in_route = False  # the angle bracket began with @ and no colon came yet
        self._at_seen = False  # in the phrase: it is an address without brackets
        self._comment = b""
        self._spaced = False

    def read(self) -> list[Entry]:
        """Read to the end and return all entries."""
        value = self._value
        for _ in range(MAX_TOKENS):
            match = _TOKEN.match(value, self._at)
            if match is None or self._addresses >= MAX_ADDRESSES:
                break
            self._at = match.end()
            kind = match.lastindex
            if kind == 1:
                self._spaced = True
            elif kind == 5:
                self._special(match[5])
            else:
                quoted = match[3]
                if quoted is None:
                    self._add(match[0])
                else:
                    self._add(_ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
        self._flush()
        if self._in_group:
            self._entries.append(GroupEnd())
        return self._entries

    def _add(self, text: bytes, *, special: bool = False) -> None:
        words = self._phrase
        if self._in_angle and self._angle is not None:
            words = self._angle
            self._in_route = self._in_route or (special and text == b"@" and not words)
        elif special:
            self._at_seen = True
        words.append(_Word(text, self._spaced, special))
        self._spaced = False

    def _special(self, token: bytes) -> None:
        if token == b"(":
            self._skip_comment()
        elif token == b"<":
            self._open_angle()
        elif token == b">":
            self._in_angle = False
        elif token == b"@":
            self._add(token, special=True)
        elif token == b",":
            if self._in_angle and self._in_route:  # the commas are of the route (RFC 5322 §4.4)
                self._add(token, special=True)
            else:
                self._flush()
        elif token == b";":
            self._flush()
            if self._in_group:
                self._entries.append(GroupEnd())
                self._in_group = False
        elif self._angle is not None or self._at_seen:
            self._in_route = False
            self._add(token, special=True)
        else:
            self._open_group()

    def _open_angle(self) -> None:
        if self._angle:  # a second address without a comma between, and its name in front of it
            name = self._phrase[self._named :]
            del self._phrase[self._named :]
            self._flush()
            self._phrase = name
        self._named = len(self._phrase)
        self._angle = []
        self._in_angle = True
        self._in_route = False
        self._spaced = False

    def _open_group(self) -> None:
        name = _phrase(self._phrase)
        self._clear()
        if self._in_group:
            self._entries.append(GroupEnd())
        self._in_group = True
        self._entries.append(GroupStart(name))
        self._addresses += 1

    def _skip_comment(self) -> None:
        """Step over a comment, however deep, and keep what it says: it may be a name."""
        begin = self._at
        end = comment_end(self._value, begin)
        self._comment = self._value[begin:end]
        self._at = end + 1
        self._spaced = True

    def _flush(self) -> None:
        """Close the address in hand and file it, if there is one."""
        phrase, angle, comment = self._phrase, self._angle, self._comment
        self._clear()
        if not angle:
            if angle is None or not phrase:
                self._flush_bare(phrase, comment)
            else:  # Name <>
                self._file(_phrase(phrase), None, [], [])
            return
        route: bytes | None = None
        if _is_at(angle[0]):
            for index, word in enumerate(angle):
                if word.special and word.text == b":":
                    route = b"".join(piece.text for piece in angle[:index])
                    angle = angle[index + 1 :]
                    break
        local, host = _split(angle)
        self._file(_phrase(phrase) or _comment(comment), route, local, host)

    def _flush_bare(self, words: list[_Word], comment: bytes) -> None:
        if not words:
            return
        name = _comment(comment)
        mark = _find_at(words)
        if mark < 0:
            self._file(name, None, [_Word(_phrase(words), False, False)], [])
            return
        stop = mark + 1  # what comes behind a space is no longer the host
        while stop < len(words) and not _apart(words[stop - 1], words[stop]):
            stop += 1
        local, host = _split(words[:stop])
        begin = max(len(local) - 1, 0)
        while begin > 0 and not _apart(local[begin - 1], local[begin]):
            begin -= 1
        if begin > 0:  # Name local@host, without the brackets
            name = name or _phrase(local[:begin])
        self._file(name, None, local[begin:], host)

    def _file(self, name: bytes, route: bytes | None, local: list[_Word], host: list[_Word]) -> None:
        self._addresses += 1
        self._entries.append(
            Mailbox(
                name or None,
                route,
                b"".join([word.text for word in local]),
                b"".join([word.text for word in host]),
            )
        )


def _is_at(word: _Word) -> bool:
    return word.special and word.text == b"@"


def _apart(left: _Word, right: _Word) -> bool:
    """Say whether white space between two words ends an address; around a dot or @ it does not."""
    if not right.spaced or _is_at(left) or _is_at(right):
        return False
    return not left.text.endswith(b".") and not right.text.startswith(b".")


def _find_at(words: list[_Word]) -> int:
    for index, word in enumerate(words):
        if _is_at(word):
            return index
    return -1


def _split(words: list[_Word]) -> tuple[list[_Word], list[_Word]]:
    """Split at the last @, which is where every receiver would look for the host."""
    for index in range(len(words) - 1, -1, -1):
        if _is_at(words[index]):
            return words[:index], words[index + 1 :]
    return words, []


def _phrase(words: list[_Word]) -> bytes:
    text = b"".join([b" " + word.text if word.spaced else word.text for word in words])
    return _SPACES.sub(b" ", text).strip()


def _comment(text: bytes) -> bytes:
    if b"\\" in text:
        text = _ESCAPE.sub(rb"\1", text)
    return _SPACES.sub(b" ", text).strip()
