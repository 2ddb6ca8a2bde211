"""Fuzz mailbox names and the patterns of LIST."""

import random
from typing import Final

from postroad.imap.pattern import Pattern
from postroad.imap.wire.mailbox_name import decode_mailbox
from postroad.message.utf7 import decode_folder, decode_utf7, encode_folder, encode_utf7
from postroad.store.errors import BadMailboxName
from postroad.store.mailboxes import NAME_LENGTH, normal_name
from tests.fuzz.harness import Target

PIECES: Final = [
    *(b"INBOX", b"inbox", b"/", b".", b"..", b"a", b"&", b"&-", b"&AOk-", b"&ZeVnLIqe-", b"&2D3cqQ-"),
    *(b"&2D0-", b"-"),
    *(b"&AAA-", b"&AAo-", b"&AC8-", b"&AGE-", b"&AOk", b"&AO+-", b"&AOl-", b"&////-", b"%", b"*"),
    *(b"%*", b"\\", b'"'),
    *(b"\0", b"\x7f", b"\xff", b"\xc3\xa9", b" ", b"x" * 300, b"a/" * 30, b"*a" * 20, b"\r\n"),
    b"Archive/2026",
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    try:
        decode_folder(data)
    except ValueError:
        pass  # the one thing it may say
    named = decode_mailbox(data)
    if named.valid and named.name != "INBOX":
        # One name has one spelling in modified UTF-7, and one in UTF-8.
        assert data == (encode_utf7(named.name) if data.isascii() else named.name.encode())
        assert not data.isascii() or decode_utf7(data) == named.name
    encode_folder(named.name)
    assert encode_utf7(named.name).isascii()
    pattern, _, name = data.decode("utf-8", "replace").partition("\n")
    found = Pattern("", pattern)
    if found.wildcards <= 32 and len(name) <= 200:
        found.matches(name)
    assert Pattern("", "*").matches(name)
    try:
        normal = normal_name(named.name)
    except BadMailboxName:
        return
    assert normal_name(normal) == normal
    assert len(normal.encode()) <= NAME_LENGTH
    assert normal.isprintable() or not any(c in normal for c in "\0\r\n\x1b")
    assert not {"", ".", ".."} & set(normal.split("/"))
    assert Pattern("", normal).matches(normal)


def make(chance: random.Random) -> bytes:
    """Make an input: pieces of names strung together."""
    return b"".join(chance.choices(PIECES, k=chance.randrange(10)))


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
