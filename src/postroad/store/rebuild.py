"""The index is lost, the packs are there: make the index again (at a start, or by `store rebuild`)."""

import shutil
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from postroad.db.connect import DATABASE_NAME
from postroad.db.offline import open_database, prepare_data
from postroad.db.transaction import Transaction
from postroad.model.flags import Flag
from postroad.net.clock import SystemClock
from postroad.store import annotations, message_annotations, seen, sharing
from postroad.store.annotations import SERVER
from postroad.store.blobs.pack import sync_folder
from postroad.store.blobs.reader import PackReader
from postroad.store.errors import Damaged
from postroad.store.filing import ENTRY, insert_message
from postroad.store.mailboxes import by_name, create, insert_found, note_subscription
from postroad.store.prepare import Prepared, prepare_now
from postroad.store.replay import Found, FoundAccount, FoundEntry, FoundItem, replay

_WORKSHOP: Final = "index.new"

MARGIN: Final = 1000
"""UIDs and modseqs left out, so that one which a lost tail had given out is never given again."""


@dataclass(slots=True)
class Report:
    """What was brought back and what was not."""

    accounts: int = 0
    mailboxes: int = 0
    messages: int = 0
    queued: int = 0
    lost: list[str] = field(default_factory=list)


class _Unrecorded:
    """Stands where a pack would: what is brought back from the packs is in them already."""

    def blob(self, body: Any, digest: bytes, at: float) -> tuple[int, int]:
        raise AssertionError("no mail arrives while an index is made")

    def journal(self, line: bytes) -> None:
        """Nothing is written down twice."""

    def mark(self) -> object:
        return None

    def back_to(self, mark: object) -> None:
        """Nothing was appended."""

    def begin(self, tx: Transaction) -> None:
        """Nothing will be appended."""

    def tails(self, tx: Transaction) -> None:
        """Nothing has an end."""

    def waiting(self) -> int:
        return 0

    def sync(self) -> None:
        """Nothing waits."""

    def committed(self) -> None:
        """Nothing follows."""

    def abandoned(self, *, in_doubt: bool = False) -> None:
        """Nothing is given up."""


def rebuild(
    data: Path,
    restore_directory: Callable[[Transaction], set[int]],
    restore_queue: Callable[[Transaction, Iterable[FoundItem]], int],
    *,
    aside: str,
    carry_over: Callable[[Transaction], None] = lambda _tx: None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Report:
    """Make a new index from packs; the old one, if any, is kept as `index.db.<aside>`.

    The server must not run. `restore_directory` brings back domains, accounts
    and aliases and gives the ids of the accounts; `restore_queue` what was on
    its way out, and gives how many messages that is; `carry_over` adds what only
    the old index knows. The new index takes its place when it is whole: a
    process that dies before leaves everything as it was.
    """
    found = replay(data / "packs")
    new = data / _WORKSHOP
    shutil.rmtree(new, ignore_errors=True)
    prepare_data(new)
    report = Report()
    with (
        open_database(new, _Unrecorded(), SystemClock()) as database,
        closing(PackReader(data / "packs")) as packs,
    ):
        database.write(carry_over)  # first: its rows have numbers already
        known = database.write(restore_directory)
        database.write(lambda tx: _blobs(tx, found))
        total = sum(len(account.messages) for account in found.accounts.values())
        for account_id, account in sorted(found.accounts.items()):
            if account_id not in known:
                if not account.removed:
                    report.lost.append(f"account {account_id} is in the packs and not in directory.json")
                continue
            database.write(lambda tx, i=account_id, a=account: _account(tx, packs, found, i, a, report))  # type: ignore[misc]
            report.accounts += 1
            progress(report.messages, total)
        report.queued = database.write(lambda tx: restore_queue(tx, found.queue.values()))
        database.write(_count_users)
    _take_its_place(data, new, aside)
    return report


def _take_its_place(data: Path, new: Path, aside: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        old = data / (DATABASE_NAME + suffix)
        if old.exists():
            old.rename(data / f"{DATABASE_NAME}.{aside}{suffix}")
    # The last connection has written all of it to the file itself; nothing is left in the log.
    (new / DATABASE_NAME).rename(data / DATABASE_NAME)
    sync_folder(data)
    shutil.rmtree(new)


def _blobs(tx: Transaction, found: Found) -> None:
    tx.run_many(
        "INSERT INTO pack (id, tail) VALUES (?, ?)"
        " ON CONFLICT (id) DO UPDATE SET tail = max(tail, excluded.tail)",
        list(found.tails.items()),
    )
    last = found.last_group
    tx.run("UPDATE pack_group SET number = ?, id = ?, after = ?", last.number, last.id, last.after)
    tx.run_many(
        "INSERT INTO blob (pack, offset, length, digest, refs) VALUES (?, ?, ?, ?, 0)",
        [(*place, length, digest) for place, (length, digest) in found.blobs.items()],
    )


def _account(
    tx: Transaction, packs: PackReader, found: Found, account_id: int, account: FoundAccount, report: Report
) -> None:
    # The mailboxes that every new account gets would stand in the way of those it had.
    tx.run("DELETE FROM mailbox WHERE account_id = ?", account_id)
    tx.run("DELETE FROM subscription WHERE account_id = ?", account_id)
    wanted = {e.message for m in account.mailboxes.values() for e in m.entries.values()}
    sizes: dict[int, int] = {}
    for message in sorted(wanted):
        try:
            sizes[message] = _message(tx, packs, found, account_id, account, message)
        except (Damaged, KeyError) as error:
            report.lost.append(f"account {account_id}, message {message}: {error}")
    report.messages += len(sizes)
    _kept(tx, packs, found, account_id, account, sizes)
    for mailbox_id, mailbox in account.mailboxes.items():
        entries = {uid: e for uid, e in mailbox.entries.items() if e.message in sizes}
        insert_found(
            tx,
            account_id,
            mailbox_id,
            name=_free_name(tx, account_id, mailbox_id, mailbox.name),
            uidvalidity=mailbox.uidvalidity or (int(tx.now) & 0xFFFFFFFF),
            special_use=mailbox.special,
            uidnext=mailbox.highest_uid + MARGIN,
            modseq=account.modseq + MARGIN,
        )
        tx.run_many(
            ENTRY,
            [
                _row(account_id, mailbox_id, uid, e, sizes[e.message], account.modseq + MARGIN)
                for uid, e in entries.items()
            ],
        )
        _count(tx, account_id, mailbox_id, list(entries.values()), sizes)
        report.mailboxes += 1
    _annotations(tx, account_id, account)
    _notes(tx, account_id, account)
    _sharing(tx, account_id, account)
    # Where no line tells, in packs from before there were such lines, all are shown.
    names = {mailbox.name: True for mailbox in account.mailboxes.values()} | account.subscribed
    for name in (name for name, on in names.items() if on):
        note_subscription(tx, account_id, name, on=True)
    for table in ("account", "kept_account"):  # it is in one of them
        tx.run(
            f"UPDATE {table} SET modseq = ?, next_message_id = ?, next_mailbox_id = ?, next_uidvalidity = ?,"  # noqa: S608 - names from the line above
            " bytes_used = (SELECT coalesce(sum(size), 0) FROM mailbox WHERE account_id = ?),"
            " messages_used = (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE account_id = ?)"
            " WHERE id = ?",
            account.modseq + MARGIN,
            max(account.messages, default=0) + MARGIN,
            account.highest_mailbox + MARGIN,
            max((m.uidvalidity for m in account.mailboxes.values()), default=0),
            *(account_id, account_id, account_id),
        )
    if not account.removed and by_name(tx, account_id, "INBOX") is None:
        create(tx, account_id, "INBOX")  # or nothing could be delivered there


def _annotations(tx: Transaction, account_id: int, account: FoundAccount) -> None:
    there = {SERVER, *account.mailboxes, *account.kept_mailboxes}
    annotations.insert_found(
        tx,
        [
            (account_id, mailbox_id, user_id, entry, value, account.modseq + MARGIN)
            for (mailbox_id, user_id, entry), value in account.annotations.items()
            if value is not None and mailbox_id in there
        ],
    )


def _notes(tx: Transaction, account_id: int, account: FoundAccount) -> None:
    """Bring back annotations of messages that are there, or can be restored."""
    there = {
        (mailbox_id, uid) for mailbox_id, mailbox in account.mailboxes.items() for uid in mailbox.entries
    }
    there |= account.kept.keys()
    message_annotations.insert_found(
        tx,
        [
            (account_id, *note, value, account.modseq + MARGIN)
            for note, value in account.notes.items()
            if value is not None and note[:2] in there
        ],
    )


def _sharing(tx: Transaction, account_id: int, account: FoundAccount) -> None:
    sharing.insert_found(
        tx,
        [
            (account_id, *who, rights)
            for who, rights in account.shares.items()
            if rights and who[0] in {*account.mailboxes, *account.kept_mailboxes}
        ],
    )
    seen.insert_found(
        tx,
        [
            (account_id, *message, int(on), account.modseq + MARGIN)
            for message, on in account.seen.items()
            if message[0] in account.mailboxes and message[2] in account.mailboxes[message[0]].entries
        ],
    )


def _kept(
    tx: Transaction,
    packs: PackReader,
    found: Found,
    account_id: int,
    account: FoundAccount,
    live: dict[int, int],
) -> None:
    """Bring back what was deleted as what can be restored, never as mail."""
    sizes = dict(live)
    for message in sorted({entry.message for entry, _ in account.kept.values()} - live.keys()):
        with suppress(Damaged, KeyError):  # erased already: the line that would say so is lost
            sizes[message] = _message(tx, packs, found, account_id, account, message)
    tx.run_many(
        "INSERT INTO kept (account_id, mailbox_id, uid, at, flags, keywords, size, internal_date, message_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (account_id, *key, at, e.flags, e.keywords, sizes[e.message], e.date, e.message)
            for key, (e, at) in account.kept.items()
            if e.message in sizes
        ],
    )
    tx.run_many(
        "INSERT INTO kept_mailbox (account_id, id, name, special_use, at) VALUES (?, ?, ?, ?, ?)",
        [(account_id, number, m.name, m.special, at) for number, (m, at) in account.kept_mailboxes.items()],
    )


def _free_name(tx: Transaction, account_id: int, mailbox_id: int, name: str) -> str:
    """`name`, or another when a lost line would have renamed or removed who has it."""
    return name if by_name(tx, account_id, name) is None else f"{name} (recovered {mailbox_id})"


def _message(
    tx: Transaction, packs: PackReader, found: Found, account_id: int, account: FoundAccount, message: int
) -> int:
    pack, offset, prefix, thread = account.messages[message]
    length, digest = found.blobs[pack, offset]
    prepared: Prepared = prepare_now(packs.read(pack, offset, length))
    if prepared.digest != digest:
        raise Damaged(f"pack {pack}, octet {offset}: the octets do not match their digest")
    blob_id = tx.value("SELECT id FROM blob WHERE pack = ? AND offset = ?", pack, offset)
    insert_message(tx, account_id, message, blob_id, prepared, prefix, thread)
    return len(prefix) + length


def _row(
    account_id: int, mailbox_id: int, uid: int, entry: FoundEntry, size: int, modseq: int
) -> tuple[int | str, ...]:
    # All are changed for every client: the modseqs that clients know may have been in the lost tail.
    return (
        *(account_id, mailbox_id, uid, modseq, modseq, entry.flags, entry.keywords, size),
        *(entry.date, entry.saved, entry.message),
    )


def _count(
    tx: Transaction, account_id: int, mailbox_id: int, entries: list[FoundEntry], sizes: dict[int, int]
) -> None:
    tx.run(
        "UPDATE mailbox SET messages = ?, unseen = ?, deleted = ?, size = ? WHERE account_id = ? AND id = ?",
        len(entries),
        sum(not e.flags & Flag.SEEN for e in entries),
        sum(bool(e.flags & Flag.DELETED) for e in entries),
        sum(sizes[e.message] for e in entries),
        account_id,
        mailbox_id,
    )


def _count_users(tx: Transaction) -> None:
    tx.run(
        "UPDATE blob SET refs = (SELECT count(*) FROM message m WHERE m.blob_id = blob.id)"
        " + (SELECT count(*) FROM queue_item q WHERE q.blob_id = blob.id)"
    )
    tx.run("UPDATE blob SET freed_at = ? WHERE refs = 0", int(tx.now))
