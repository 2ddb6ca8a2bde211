"""Replies as values and as lines (RFC 5321 §4.2, RFC 2034)."""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

TEXT_OCTETS: Final = 500
"""Text of one reply line: 512 octets with code, separator and CR LF (RFC 5321 §4.5.3.1.5)."""

_ENHANCED: Final = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})(?: |$)")
_LINE: Final = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
# What is not printable ASCII has no place in a reply (RFC 5321 §4.2: textstring).
_UNPRINTABLE: Final = re.compile(r"[^\t -~]")


class Reply(Struct, frozen=True):
    """One reply of one or more lines.

    `enhanced` is an RFC 3463 code, and empty where RFC 2034 §4 wants none:
    the greeting, the answer to EHLO and every 3xx.
    """

    code: int
    enhanced: str
    text: str
    """Lines are parted by a line feed."""

    @property
    def first_digit(self) -> int:
        """What the reply comes to, whoever knows its code or not (RFC 5321 §4.2)."""
        return self.code // 100

    @property
    def positive(self) -> bool:
        """Whether the command succeeded or may go on (2xx, 3xx)."""
        return self.code < 400

    def __str__(self) -> str:
        """The reply on one line, for trail and log."""
        text = self.text.replace("\n", " ")
        return f"{self.code} {self.enhanced} {text}" if self.enhanced else f"{self.code} {text}"


@lru_cache(maxsize=256)  # most of what is said is said again and again
def encode(reply: Reply) -> bytes:
    """Return the octets of a reply; every line carries the enhanced code (RFC 2034 §4)."""
    prefix = f"{reply.enhanced} " if reply.enhanced else ""
    if len(reply.text) < TEXT_OCTETS - 12 and reply.text.isascii() and reply.text.isprintable():
        return f"{reply.code} {prefix}{reply.text}\r\n".encode()
    lines = [_clean(prefix + line) for line in reply.text.split("\n")]
    said = [f"{reply.code}-{line}\r\n" for line in lines[:-1]]
    return "".join([*said, f"{reply.code} {lines[-1]}\r\n"]).encode()


def parse_line(line: bytes) -> tuple[int, bool, bytes] | None:
    """Return code, whether it is the last line, and text; None if it is no reply line.

    A bare code without separator is a last line (RFC 5321 §4.2, errata 1543).
    """
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    return int(found[1]), found[2] != b"-", found[3] or b""


def split_enhanced(code: int, text: bytes) -> tuple[str, bytes]:
    """Part an enhanced code from the text of a reply line; empty when there is none.

    A class that contradicts the reply code is no enhanced code (RFC 2034 §4).
    """
    found = _ENHANCED.match(text)
    if found is None or int(found[1]) != code // 100:
        return "", text
    return found[0].strip().decode(), text[found.end() :]


def _clean(line: str) -> str:
    return _UNPRINTABLE.sub("?", line)[:TEXT_OCTETS]
