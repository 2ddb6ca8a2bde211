"""Mailbox names as names of files: one way there, and what other programs wrote back."""

import hashlib
import unicodedata
from typing import Final

from postroad.message.utf7 import decode_folder, encode_folder

INBOX: Final = "INBOX"
_DOT: Final = "%2E"  # a mailbox of ours has no % in its name
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST: Final = 200  # octets; most file systems stop at 255, and a suffix has to fit


def maildir_folder(name: str) -> str:
    """The directory of a mailbox in Maildir++: `.Archive.2024`, and none for INBOX."""
    if name == INBOX:
        return ""
    return _short("." + ".".join(encode_folder(level).decode() for level in name.split("/")))


def mailbox_of_folder(folder: str) -> str:
    """The mailbox of a Maildir++ directory; its levels may be modified UTF-7 or plain UTF-8."""
    if folder in ("", "."):
        return INBOX
    return "/".join(decoded(level) for level in folder.removeprefix(".").split("."))


def decoded(level: str) -> str:
    """One level as a person reads it."""
    try:
        return decode_folder(level.encode("ascii"))
    except ValueError:
        return level.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def path_of(name: str) -> str:
    """A relative path without dots: `Archive/2024`; `.mbox` may be put behind it."""
    return "/".join(_short(level.replace(".", _DOT)) for level in name.split("/"))


def mailbox_of_path(path: str) -> str:
    """The mailbox that a relative path stands for."""
    levels = [decoded(level.replace(_DOT, ".")) for level in path.split("/") if level]
    return "/".join(levels) or INBOX


def possible(name: str) -> str:
    """The nearest name that a mailbox of ours may have."""
    levels = ["_" if level in ("", ".", "..") else level for level in name.split("/")]
    return "".join("_" if c in "%*" or unicodedata.category(c) in _UNSHOWN else c for c in "/".join(levels))


def _short(text: str) -> str:
    octets = text.encode()
    if len(octets) <= _LONGEST:
        return text
    # The manifest knows the whole name.
    kept = octets[: _LONGEST - 20].decode(errors="ignore")
    return f"{kept}-{hashlib.blake2b(octets, digest_size=6).hexdigest()}"
