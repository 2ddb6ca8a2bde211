"""Modified UTF-7, in which IMAP and Maildir write mailbox names (RFC 3501 §5.1.3)."""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Final

# No ampersand inside: behind each of many the search for an end would go through all of the name.
_SHIFTED: Final = re.compile(rb"&([^&-]*+)-")
_TO_SHIFT: Final = re.compile(r"[^\x20-\x25\x27-\x7e]+")
# What Courier shifts as well in the names of Maildir folders: a dot parts their levels there.
_TO_SHIFT_IN_FOLDERS: Final = re.compile(r"[^\x20-\x25\x27-\x2d\x30-\x39\x3b-\x5b\x5d-\x7d]+")


def decode_utf7(raw: bytes) -> str:
    """Return the text of a modified UTF-7 string.

    Raises:
        ValueError: it is not what `encode_utf7` would have written. RFC 3501
            §5.1.3 lets every name be written in one way only, and two
            spellings of one name must not become two mailboxes.
    """
    name = decode_folder(raw)
    if encode_utf7(name) != raw:
        raise ValueError("not modified UTF-7")
    return name


def encode_utf7(text: str) -> bytes:
    """Return `text` in modified UTF-7; lone surrogates become question marks."""
    if text.isascii() and "&" not in text and text.isprintable():
        return text.encode("ascii")
    return _TO_SHIFT.sub(_shift, text).encode("ascii")


def decode_folder(raw: bytes) -> str:
    """Return the text of modified UTF-7 in which anything may be shifted.

    Raises:
        ValueError: it is no modified UTF-7 at all.
    """
    pieces = _SHIFTED.split(raw)
    # split gives plain, shifted, plain, shifted, ..., plain.
    if any(b"&" in plain for plain in pieces[::2]):
        raise ValueError("a shift has no end")
    text = [piece.decode("ascii") for piece in pieces]
    for index in range(1, len(pieces), 2):
        text[index] = _unshift(pieces[index])
    return "".join(text)


def encode_folder(text: str) -> bytes:
    """Return `text` as one level of a Maildir++ folder's name: no dot, slash, colon, tilde or backslash."""
    return _TO_SHIFT_IN_FOLDERS.sub(_shift, text).encode("ascii")


def _shift(match: re.Match[str]) -> str:
    # A run of characters may hold ampersands; each stands for itself as "&-".
    return "&-".join(_base64(run) for run in match[0].split("&"))


def _base64(run: str) -> str:
    if not run:
        return ""
    data = b2a_base64(run.encode("utf-16-be", "replace"), newline=False)
    return "&" + data.rstrip(b"=").replace(b"/", b",").decode("ascii") + "-"


def _unshift(data: bytes) -> str:
    if not data:
        return "&"
    if b"/" in data:
        raise ValueError("not modified base64")
    padded = data.replace(b",", b"/") + b"=" * (-len(data) % 4)
    try:
        octets = a2b_base64(padded, strict_mode=True)
    except Base64Error as error:
        raise ValueError(str(error)) from None
    return octets.decode("utf-16-be")
