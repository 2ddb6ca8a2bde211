"""Before workers start: an index that is missing, damaged or older than the packs is made again.

Nothing has to be asked for. What was acknowledged is in the packs; who it
belongs to is in `directory.json`; what only the old index knows, trails and
the record of changes, is carried over where it can still be read.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from postroad.db.carry import copy_tables
from postroad.db.connect import DATABASE_NAME, connect
from postroad.db.transaction import Reader, Transaction
from postroad.directory import snapshot
from postroad.directory.snapshot import BadSnapshot, Snapshot
from postroad.model.counted import counted
from postroad.obs.log import log
from postroad.queue import journal
from postroad.store.accounts import create_mailboxes
from postroad.store.condition import Condition, examine
from postroad.store.rebuild import Report, rebuild

_CARRIED: Final = ("trail", "trail_note", "trail_key", "change", "known_network", "auth_failure")


class CannotMend(Exception):
    """The store needs a person; the message says what for."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done, and what could not be."""

    sentences: tuple[str, ...]


def mend(data: Path, *, thorough: bool, progress: Callable[[int, int], None]) -> Mended:
    """Examine the store below `data` and put right what can be; one event in the log says what.

    Raises:
        CannotMend: nothing says whose mail is in the packs; nothing was changed.
    """
    condition = examine(data, thorough=thorough)
    if not (data / DATABASE_NAME).exists() and (data / snapshot.FILE_NAME).exists():
        condition.rebuild = "is missing"  # a server without mail yet, but with people
    for sentence in condition.lost:
        log.error("store.mail_lost", what=sentence)
    if not condition.rebuild:
        return Mended(tuple(condition.lost))
    saved = _saved(data, condition)
    aside = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    report = rebuild(
        data,
        lambda tx: restore_directory(tx, saved),
        journal.restore,
        aside=aside,
        carry_over=lambda tx: copy_tables(tx, data, _CARRIED) if condition.index_readable else None,
        progress=progress,
    )
    for sentence in report.lost:
        log.error("store.mail_lost", what=sentence)
    log.warning(
        "store.mended",
        reason=condition.rebuild,
        accounts=report.accounts,
        messages=report.messages,
        queued=report.queued,
        lost=len(report.lost),
        before=f"{DATABASE_NAME}.{aside}",
    )
    return Mended((_sentence(condition, report), *condition.lost, *report.lost))


def restore_directory(tx: Transaction, saved: Snapshot) -> set[int]:
    """Bring back domains, accounts and aliases; give the ids of the accounts."""
    snapshot.restore(tx, saved)
    for account in saved.accounts:
        create_mailboxes(tx, account.id)
    return saved.account_ids


def _sentence(condition: Condition, report: Report) -> str:
    return (
        f"The index {condition.rebuild} and was made again from the packs, with"
        f" {counted(report.messages, 'message')} of {counted(report.accounts, 'account')}"
        f" and {report.queued} in the queue."
    )


def _saved(data: Path, condition: Condition) -> Snapshot:
    """The directory: the file is never older than an index that is; else what the index has."""
    try:
        return snapshot.load(data)
    except (FileNotFoundError, BadSnapshot) as error:
        if condition.index_readable:
            with closing(connect(data, writable=False)) as connection:
                return snapshot.collect(Reader(connection))
        reason = error if isinstance(error, BadSnapshot) else f"there is no {snapshot.FILE_NAME}"
        raise CannotMend(
            f"the index in {data} {condition.rebuild}, and {reason}, which says whose mail the packs hold:"
            " put that file back from a backup"
        ) from None
