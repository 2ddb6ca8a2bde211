"""Mailboxes for the reading: filled once for each side, by whatever is quickest there."""

import os
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from bench import mail
from bench.clients import TAG, command, imap_client, message_count
from bench.dialogue import Ask, Dialogue, run
from bench.replies import Tagged
from bench.servers.dovecot import OWNER
from bench.servers.side import Side
from postroad.db.transaction import Transaction
from postroad.directory import accounts
from postroad.store import mailboxes
from postroad.store.filing import Letter, file_messages, put_blob
from postroad.store.offline import open_offline
from postroad.store.prepare import prepare_now

_BATCH: Final = 50
"""Messages in one command."""
_GROUP: Final = 2000
"""Messages in one transaction of ours."""


def fill(side: Side, user: str, mailbox: str, count: int, size: int) -> None:
    """Let a mailbox hold so many messages of about this size, if it does not yet."""
    if (user, mailbox) in side.filled:
        return
    if side.store is not None:
        _file(side.store, side.address(user), mailbox, count, size)
    elif side.maildirs is not None and mailbox != "INBOX":
        _write_maildir(side, user, mailbox, count, size)
    else:
        _append(side, user, mailbox, count, size)
    reader = imap_client(side, user)
    found = message_count(reader, mailbox.encode())
    assert found == count, f"{found} of {count} messages are in {mailbox}"
    reader.close()
    side.filled.add((user, mailbox))


def _file(store: Path, address: str, mailbox: str, count: int, size: int) -> None:
    """Through the store's own verbs, beside the server that runs."""

    def work(tx: Transaction, numbers: Iterable[int]) -> None:
        account = accounts.account(tx, address).id
        box = mailboxes.by_name(tx, account, mailbox) or mailboxes.create(tx, account, mailbox)
        for number in numbers:
            prepared = prepare_now(mail.message(number, size))
            blob = put_blob(tx, prepared, 1)
            file_messages(tx, account, box.id, [Letter(blob, prepared)])

    with open_offline(store) as database:
        for first in range(0, count, _GROUP):
            database.write(partial(work, numbers=range(first, min(count, first + _GROUP))))


def _append(side: Side, user: str, mailbox: str, count: int, size: int) -> None:
    """Over IMAP."""
    client = imap_client(side, user)
    if mailbox != "INBOX":
        command(client, b"CREATE " + mailbox.encode())
    run([client], [_filling(count, mailbox.encode(), size)])
    client.close()


def _filling(count: int, mailbox: bytes, size: int) -> Dialogue:
    messages = mail.messages(count, size)
    while batch := list(islice(messages, _BATCH)):
        yield multiappend(mailbox, batch)


def multiappend(mailbox: bytes, batch: list[bytes]) -> Ask:
    """Append all of them by one command (RFC 3502)."""
    literals = b" ".join(b"{%d+}\r\n%b" % (len(message), message) for message in batch)
    return Ask(b"t APPEND %b %b\r\n" % (mailbox, literals), Tagged(TAG))


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
