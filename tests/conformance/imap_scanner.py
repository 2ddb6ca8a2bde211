"""Strings, atoms and numbers of IMAP4rev1 held to the letter (RFC 3501 §9, with errata)."""

import re
from typing import Final, NoReturn

from tests.conformance.imap_values import NotImap

_ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_ASTRING: Final = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_QUOTED: Final = re.compile(rb'"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"')
_QUOTED_UTF8: Final = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_LITERAL: Final = re.compile(rb"\{([0-9]+)\}\r\n")
_NUMBER: Final = re.compile(rb"[0-9]+")
_FLAG: Final = re.compile(rb'\\?[^\x00-\x20(){%*"\\\]\x7f-\xff]+')


class Scanner:
    """Reads one whole response: its line, with literals and what follows them, without the last CR LF."""

    def __init__(self, data: bytes, *, rev2: bool = False) -> None:
        """With `rev2` the client has enabled IMAP4rev2 (RFC 9051)."""
        self.data = data
        self.rev2 = rev2
        self.at = 0

    def fail(self, wanted: str) -> NoReturn:
        """Say what the grammar would have had here."""
        near = self.data[max(self.at - 60, 0) : self.at] + b" >>> " + self.data[self.at : self.at + 60]
        raise NotImap(f"expected {wanted} in {near!r}")

    def eat(self, literal: bytes) -> None:
        """Read exactly this."""
        if not self.sees(literal):
            self.fail(repr(literal))
        self.at += len(literal)

    def sees(self, literal: bytes) -> bool:
        """Whether this comes next."""
        return self.data.startswith(literal, self.at)

    def skip(self, literal: bytes) -> bool:
        """Read this where it comes next."""
        if not self.sees(literal):
            return False
        self.at += len(literal)
        return True

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        """Read what matches."""
        found = pattern.match(self.data, self.at)
        if found is None:
            self.fail(what)
        self.at = found.end()
        return found

    def end(self) -> None:
        """Nothing may be left."""
        if self.at != len(self.data):
            self.fail("the end of the line")

    # -- values ------------------------------------------------------------

    def number(self) -> int:
        """A number: 32 bits."""
        value = int(self.match(_NUMBER, "a number")[0])
        if value > 0xFFFFFFFF:
            self.fail("a number of 32 bits")
        return value

    def number64(self) -> int:
        """number64 (RFC 9051 §9; sizes in STATUS and quotas)."""
        return int(self.match(_NUMBER, "a number")[0])

    def nz_number(self) -> int:
        """A number that is not zero and has no zero in front."""
        if self.sees(b"0"):
            self.fail("a number other than zero")
        return self.number()

    def string(self) -> bytes:
        """Quoted or literal."""
        if self.sees(b'"'):
            pattern = _QUOTED_UTF8 if self.rev2 else _QUOTED
            quoted: bytes = self.match(pattern, "a quoted string (of 7-bit characters for IMAP4rev1)")[1]
            quoted.decode("utf-8")
            return re.sub(rb'\\(["\\])', rb"\1", quoted)
        count = int(self.match(_LITERAL, "a string")[1])
        text = self.data[self.at : self.at + count]
        if len(text) != count:
            self.fail(f"a literal of {count} octets")
        if b"\0" in text:
            self.fail("a literal without NUL")
        self.at += count
        return text

    def nstring8(self) -> bytes | None:
        """An nstring, or a literal8, which is for octets with NUL alone (RFC 3516 §4.3)."""
        if not self.skip(b"~"):
            return self.nstring()
        count = int(self.match(_LITERAL, "a literal")[1])
        octets = self.data[self.at : self.at + count]
        self.at += count
        if len(octets) != count or b"\0" not in octets:
            self.fail(f"a literal8 of {count} octets with NUL")
        return octets

    def nstring(self) -> bytes | None:
        """A string or NIL."""
        if self.skip(b"NIL"):
            return None
        return self.string()

    def astring(self) -> bytes:
        """An atom (with `]`) or a string."""
        if self.sees(b'"') or self.sees(b"{"):
            return self.string()
        return self.match(_ASTRING, "an astring")[0]

    def atom(self) -> bytes:
        """An atom."""
        return self.match(_ATOM, "an atom")[0]

    def flags(self) -> list[bytes]:
        """A flag list in parentheses."""
        self.eat(b"(")
        found: list[bytes] = []
        while not self.skip(b")"):
            if found:
                self.eat(b" ")
            found.append(b"\\*" if self.skip(b"\\*") else self.match(_FLAG, "a flag")[0])
        if len(found) != len({flag.lower() for flag in found}):
            self.fail("each flag once")
        return found

    def any(self) -> object:
        """A value of any kind, for responses of extensions."""
        if self.skip(b"("):
            values: list[object] = []
            while not self.skip(b")"):
                if values and not self.sees(b"("):
                    self.eat(b" ")
                elif values:
                    self.skip(b" ")
                values.append(self.any())
            return values
        if self.skip(b"NIL"):
            return None
        if self.data[self.at : self.at + 1].isdigit():
            found = self.match(re.compile(rb"[0-9:,*]+"), "a number or set")[0]
            return int(found) if found.isdigit() else found
        return self.astring()
