"""Tokens of the IMAP grammar, read from one whole command (RFC 3501 §9).

Literals stand where the client wrote them: `{3}`, CR LF and three octets. A
line break anywhere else matches no token, so what framing and grammar take
for a literal is always the same.
"""

import re
from typing import Final

from postroad.imap.wire.extensions import ENABLED, Extension
from postroad.imap.wire.mailbox_name import MailboxName, decode_mailbox
from postroad.imap.wire.sequence_set import MAX_NUMBER, SequenceSet

ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]++')
# ASTRING-CHAR is an ATOM-CHAR or "]".
_ASTRING: Final = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]++')
# list-char is an ASTRING-CHAR or a wildcard.
_PATTERN: Final = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]++')
# 8-bit text is let in: clients send UTF-8 (RFC 6855 makes it legal), and it breaks no framing.
_QUOTED: Final = re.compile(rb'"([^\x00\r\n"\\]*+(?:\\["\\][^\x00\r\n"\\]*+)*)"')
_ESCAPED: Final = re.compile(rb"\\(.)")
_LITERAL: Final = re.compile(rb"\{([0-9]{1,10})\+?\}\r\n")
_NUMBER: Final = re.compile(rb"[0-9]{1,20}+(?![0-9])")
_SET: Final = re.compile(
    rb"(?:\*|[1-9][0-9]{0,9}+)(?::(?:\*|[1-9][0-9]{0,9}+))?"
    rb"(?:,(?:\*|[1-9][0-9]{0,9}+)(?::(?:\*|[1-9][0-9]{0,9}+))?)*(?![0-9:,*])"
)
_UTF8: Final = frozenset({Extension.REV2, Extension.UTF8})
_SAVED: Final = SequenceSet((), saved=True)
MAX_MODSEQ: Final = (1 << 63) - 1
"""RFC 7162 §7 mod-sequence-value."""


class BadSyntax(Exception):
    """The command is not what the grammar allows; `text` may go to the client."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class Reader:
    """A command and how far it has been read. Every method raises BadSyntax."""

    __slots__ = ("at", "data", "offered")

    def __init__(self, data: bytes, at: int, offered: frozenset[Extension]) -> None:
        self.data = data
        self.at = at
        self.offered = offered

    def require(self, extension: Extension) -> None:
        """Go on only if the extension is offered to the client, and enabled where it has to be."""
        if extension not in self.offered:
            raise BadSyntax(
                extension.value + (b" is not enabled" if extension in ENABLED else b" is not offered")
            )

    # -- punctuation ------------------------------------------------------

    def space(self) -> None:
        """Read the one space that parts two arguments."""
        if not self.data.startswith(b" ", self.at):
            raise BadSyntax(b"an argument is missing")
        self.at += 1

    def end(self) -> None:
        """Require that nothing is left."""
        if self.at != len(self.data):
            raise BadSyntax(b"too many arguments")

    def sees(self, token: bytes) -> bool:
        """Tell whether `token` comes next."""
        return self.data.startswith(token, self.at)

    def skip(self, token: bytes) -> bool:
        """Read `token` if it comes next."""
        if self.data.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def expect(self, token: bytes) -> None:
        """Read `token`, which has to come next."""
        if not self.skip(token):
            raise BadSyntax(b"expected " + token.strip())

    def word(self) -> bytes:
        """Read an atom that is a name of the protocol, in upper case."""
        return self.atom().upper()

    # -- strings ----------------------------------------------------------

    def atom(self) -> bytes:
        """Read an atom as written."""
        match = ATOM.match(self.data, self.at)
        if match is None:
            raise BadSyntax(b"expected an atom")
        self.at = match.end()
        return match[0]

    def string(self) -> bytes:
        """Read a quoted string or a literal."""
        match = _QUOTED.match(self.data, self.at)
        if match is not None:
            self.at = match.end()
            text: bytes = match[1]
            if not text.isascii() and self.utf8:
                _check_utf8(text)
            return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text
        return self._literal()

    def astring(self) -> bytes:
        """Read an atom-like string, a quoted string or a literal."""
        match = _ASTRING.match(self.data, self.at)
        if match is None:
            return self.string()
        self.at = match.end()
        return match[0]

    def pattern(self) -> bytes:
        """Read a list-mailbox: an astring that may have bare wildcards."""
        match = _PATTERN.match(self.data, self.at)
        if match is None:
            return self.string()
        self.at = match.end()
        return match[0]

    def nstring(self) -> bytes | None:
        """Read a string or NIL, which is None."""
        if self.data[self.at : self.at + 3].upper() == b"NIL":
            self.at += 3
            return None
        return self.string()

    def value(self) -> bytes | None:
        """Read a string, a literal that may hold NUL (`~{…}`), or NIL, which is None (RFC 5464 §5)."""
        if self.skip(b"~"):
            return self._literal(nul=True)
        return self.nstring()

    def mailbox(self) -> MailboxName:
        """Read a mailbox name."""
        return self.decoded(self.astring())

    def decoded(self, name: bytes) -> MailboxName:
        """Read octets as a mailbox name."""
        return decode_mailbox(name, utf8=self.utf8)

    @property
    def utf8(self) -> bool:
        """Whether texts are UTF-8: IMAP4rev2 or UTF8=ACCEPT is enabled."""
        return not self.offered.isdisjoint(_UTF8)

    def _literal(self, *, nul: bool = False) -> bytes:
        match = _LITERAL.match(self.data, self.at)
        if match is None:
            raise BadSyntax(b"expected a string")
        start = match.end()
        end = start + int(match[1])
        text = self.data[start:end]
        if len(self.data) < end or (b"\0" in text and not nul):
            raise BadSyntax(b"a literal must not hold NUL")  # RFC 3501 §9 CHAR8
        self.at = end
        return text

    # -- numbers ----------------------------------------------------------

    def number(self, highest: int = MAX_NUMBER, lowest: int = 0) -> int:
        """Read a number from `lowest` to `highest`."""
        match = _NUMBER.match(self.data, self.at)
        if match is None or not lowest <= (number := int(match[0])) <= highest:
            raise BadSyntax(b"expected a number in its range")
        self.at = match.end()
        return number

    def message_number(self) -> SequenceSet:
        """Read one message number or UID, or `*`, as a set of one (RFC 3501 §9 seq-number)."""
        start = self.at
        message = self.sequence_set()
        if len(message.ranges) != 1 or b":" in self.data[start : self.at]:
            raise BadSyntax(b"expected one message")
        return message

    def sequence_set(self) -> SequenceSet:
        """Read a sequence set, or `$` for the saved one (RFC 5182)."""
        match = _SET.match(self.data, self.at)
        if match is None:
            if self.skip(b"$"):
                self.require(Extension.SEARCHRES)
                return _SAVED
            raise BadSyntax(b"expected a sequence set")
        self.at = match.end()
        text: bytes = match[0]
        if text.isdigit():  # one message, most often
            number = _message_number(text)
            return SequenceSet(((number, number),))
        return SequenceSet(tuple([_range(item) for item in text.split(b",")]))


def _check_utf8(text: bytes) -> None:
    """RFC 6855 §3: a client that says its strings are UTF-8 is held to it."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise BadSyntax(b"that string is no UTF-8") from None


def _range(item: bytes) -> tuple[int | None, int | None]:
    first, colon, last = item.partition(b":")
    low = _message_number(first)
    return (low, _message_number(last)) if colon else (low, low)


def _message_number(digits: bytes) -> int | None:
    if digits == b"*":
        return None
    number = int(digits)
    if number > MAX_NUMBER:
        raise BadSyntax(b"message numbers end at 4294967295")
    return number
