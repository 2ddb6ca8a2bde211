"""`postroad account purge`: what was deleted is erased now, and not after its time."""

import sys
import time
from collections.abc import Sequence
from typing import Final

import click

from postroad.cli.database import ask, open_store
from postroad.cli.deleted import Found, look
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Problem, print_json
from postroad.cli.progress import Progress, progress_bar
from postroad.config.values import about_size
from postroad.db.offline import OfflineDatabase
from postroad.directory import changes, kept_accounts, snapshot
from postroad.model.counted import counted
from postroad.store import kept
from postroad.store.kept import Kept, Which
from postroad.store.sweep import SAFE_SECONDS, sweep_blobs_now

_PACKS: Final = "packs"


@click.command()
@common
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_here
def purge(here: Here, address: str, yes: bool) -> None:
    """Erase for good, and now, what was deleted at an address and could be restored.

    Mail that is in mailboxes stays. Backups have what they have, and the
    trail tells for 30 days from whom to whom a message went.
    """
    found = ask(here, lambda reader: look(reader, address, Which()))
    if not (found.messages or found.mailboxes or found.removed):
        if here.json:
            print_json({"messages": 0, "mailboxes": 0, "accounts": 0})
        here.say(f"Nothing that was deleted at {address} is kept.")
        return
    what = _summary(found)
    if not yes:
        if not sys.stdin.isatty():
            raise Problem(f"this erases {what} for good", "--yes says that you mean it")
        click.confirm(f"Erase {what} of {address} for good?", abort=True)
    with open_store(here) as database, progress_bar(here, "Erasing messages") as progress:
        _purge(database, found, progress)
        database.read(lambda reader: snapshot.save(reader, here.settings().data))
        sweep_blobs_now(database, here.settings().data / _PACKS, time.time())
    if here.json:
        print_json(
            {
                "messages": len(found.messages),
                "mailboxes": len(found.mailboxes),
                "accounts": len(found.removed),
            }
        )
    here.say(f"Erased {what} of {address}.")
    last = max([0, *(one.at for one in found.messages), *(one.at for one in found.removed)])
    if last > time.time() - SAFE_SECONDS:
        here.say("What was deleted within the last hour is punched out of the packs when that hour is over.")


def _purge(database: OfflineDatabase, found: Found, progress: Progress) -> None:
    database.read(kept.overwrite)
    who, done = operator(), 0
    total = len(found.messages) + sum(one.messages for one in found.removed)
    for part in kept.steps(found.messages):
        _erase_part(database, part)
        done += len(part)
        progress(done, total)
    account = found.account
    if account is not None:
        old: changes.Facts = {
            "deleted messages": len(found.messages),
            "deleted mailboxes": len(found.mailboxes),
        }
        database.write(lambda tx: kept.erase_names(tx, account.id))
        database.write(
            lambda tx: changes.record(tx, who=who, noun="account", name=str(account.address), old=old, new={})
        )
    for one in found.removed:
        while not _erase_account(database, one.id, who):
            done = min(total, done + kept_accounts.STEP)
            progress(done, total)


def _erase_part(database: OfflineDatabase, part: Sequence[Kept]) -> None:
    database.write(lambda tx: kept.erase(tx, part, at_once=True))


def _erase_account(database: OfflineDatabase, kept_id: int, who: str) -> bool:
    return database.write(lambda tx: kept_accounts.erase_account(tx, kept_id, who=who, at_once=True))


def _summary(found: Found) -> str:
    theirs = sum(one.messages for one in found.removed)
    parts = [
        f"{counted(count, noun)}{more}"
        for count, noun, more in (
            (len(found.messages), "deleted message", f" ({about_size(found.octets)})"),
            (len(found.mailboxes), "deleted mailbox name", ""),
            (
                len(found.removed),
                "removed account",
                f" ({counted(theirs, 'message')})",
            ),
        )
        if count
    ]
    return " and ".join(parts)
