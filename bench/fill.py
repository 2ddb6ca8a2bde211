"""Mailboxes for the reading: filled once for each side, by whatever is quickest there."""

import os
from collections.abc import Callable
from itertools import islice
from typing import Final

from bench import mail
from bench.clients import TAG, command, imap_client, message_count, offers
from bench.dialogue import Ask, Dialogue, run
from bench.replies import Tagged
from bench.servers.dovecot import OWNER
from bench.servers.side import Side

_SESSIONS: Final = 10
_BATCH: Final = 50
"""Messages that are on their way at a time."""


def fill(side: Side, user: str, mailbox: str, count: int, size: int) -> None:
    """Let a mailbox hold so many messages of about this size, if it does not yet."""
    if (user, mailbox) in side.filled:
        return
    if side.maildirs is not None and mailbox != "INBOX":
        _write_maildir(side, user, mailbox, count, size)
    else:
        _append(side, user, mailbox, count, size)
    reader = imap_client(side, user)
    found = message_count(reader, mailbox.encode())
    assert found == count, f"{found} of {count} messages are in {mailbox}"
    reader.close()
    side.filled.add((user, mailbox))


def _append(side: Side, user: str, mailbox: str, count: int, size: int) -> None:
    """Over IMAP, in large steps."""
    first = imap_client(side, user)
    if mailbox != "INBOX":
        command(first, b"CREATE " + mailbox.encode())
    multiple = offers(first, b"MULTIAPPEND")
    sessions = 1 if multiple else min(_SESSIONS, count)
    clients = [first, *(imap_client(side, user) for _ in range(sessions - 1))]
    parts = [range(number, count, sessions) for number in range(sessions)]
    step = multiappend if multiple else appends
    run(clients, [_filling(part, mailbox.encode(), size, step) for part in parts])
    for client in clients:
        client.close()


def _filling(
    numbers: range, mailbox: bytes, size: int, step: Callable[[bytes, list[bytes]], Ask]
) -> Dialogue:
    rest = iter(numbers)
    while batch := [mail.message(number, size) for number in islice(rest, _BATCH)]:
        yield step(mailbox, batch)


def multiappend(mailbox: bytes, batch: list[bytes]) -> Ask:
    """All of them in one command (RFC 3502)."""
    literals = b" ".join(b"{%d+}\r\n%b" % (len(message), message) for message in batch)
    return Ask(b"t APPEND %b %b\r\n" % (mailbox, literals), Tagged(TAG))


def appends(mailbox: bytes, batch: list[bytes]) -> Ask:
    """One command each, pipelined."""
    tags = [*(b"a%d" % number for number in range(len(batch) - 1)), TAG]
    wire = b"".join(
        b"%b APPEND %b {%d+}\r\n%b\r\n" % (tag, mailbox, len(message), message)
        for tag, message in zip(tags, batch, strict=True)
    )
    return Ask(wire, Tagged(TAG, b" OK [APPENDUID ", len(batch)))


def _write_maildir(side: Side, user: str, mailbox: str, count: int, size: int) -> None:
    """As files, which Dovecot finds: over IMAP it would sync each and take minutes."""
    assert side.maildirs is not None
    home = side.maildirs / f"{side.prefix}{user}" / "Maildir"
    folder = home / f".{mailbox}"
    made = [home.parent, home, folder, *(folder / name for name in ("cur", "new", "tmp"))]
    for directory in made:
        directory.mkdir(exist_ok=True)
        os.chown(directory, OWNER, OWNER)
    for number in range(count):
        message = mail.message(number, size)
        name = f"{1_700_000_000 + number}.M{number}.bench,S={len(message)},W={len(message)}:2,"
        with open(folder / "cur" / name, "wb", opener=_private) as file:
            file.write(message)
            os.fchown(file.fileno(), OWNER, OWNER)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
