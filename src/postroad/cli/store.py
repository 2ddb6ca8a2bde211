"""`postroad store`: is the mail store sound, making its index again, changing its schema."""

import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from postroad.cli.database import open_store
from postroad.cli.here import Here, become_owner, common, pass_here
from postroad.cli.output import Exit, Problem, mark, print_json, safe
from postroad.cli.progress import progress_bar
from postroad.cli.schema import downgrade, upgrade_command
from postroad.directory import snapshot
from postroad.directory.snapshot import BadSnapshot, Snapshot
from postroad.mend import restore_directory
from postroad.model.counted import counted
from postroad.prepare_start import AlreadyRunning, Instance
from postroad.queue import journal
from postroad.store import check as store_check
from postroad.store import rebuild as store_rebuild
from postroad.store.blobs.reader import PackReader

_PACKS: Final = "packs"


@click.group(short_help="The mail store: check, rebuild, upgrade, downgrade.")
def store() -> None:
    """The mail store: an index in one SQLite file, messages in pack files."""


store.add_command(upgrade_command)
store.add_command(downgrade)


@store.command()
@common
@pass_here
def check(here: Here) -> int:
    """Read every message and compare it with what the index says; the server may run."""
    problems = []
    data = here.settings().data
    with (
        open_store(here) as database,
        closing(PackReader(data / _PACKS)) as packs,
        progress_bar(here, "Reading messages") as progress,
    ):
        for problem in database.read(lambda reader: list(store_check.check(reader, packs, progress))):
            problems.append(problem)
            if not here.json:
                click.echo(f"{mark(False)} {safe(problem.what)}")
    if here.json:
        print_json([{"what": one.what, "mail_affected": one.mail_affected} for one in problems])
    elif not problems:
        here.say(f"{mark(True)} The store is sound.")
    else:
        damaged = sum(one.mail_affected for one in problems)
        here.say(f"{len(problems)} problems, {damaged} of them in the mail itself.")
        here.next("postroad stop, then postroad store rebuild")
    return Exit.PROBLEM if problems else Exit.OK


@store.command()
@common
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_here
def rebuild(here: Here, yes: bool) -> int:
    """Make the index again from the packs and directory.json; the server must be stopped.

    Every message is back in its mailbox afterwards, and what was on its way
    out waits in the queue again. The old index, if there is one, is kept
    beside the new one. The trail is not in the packs.
    """
    data = here.settings().data
    become_owner(data)
    saved = _saved(data)
    if not yes and sys.stdin.isatty():
        click.confirm(
            f"Make the index of {data} again ({counted(len(saved.accounts), 'account')})?", abort=True
        )
    try:
        with Instance(data), progress_bar(here, "Filing messages") as progress:
            aside = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
            report = store_rebuild.rebuild(
                data, lambda tx: restore_directory(tx, saved), journal.restore, aside=aside, progress=progress
            )
    except AlreadyRunning as error:
        raise Problem(str(error), "stop it first: postroad stop") from None
    if here.json:
        print_json(
            {
                "accounts": report.accounts,
                "mailboxes": report.mailboxes,
                "messages": report.messages,
                "queued": report.queued,
                "lost": report.lost,
            }
        )
        return Exit.PROBLEM if report.lost else Exit.OK
    for line in report.lost:
        click.echo(f"{mark(False)} {safe(line)}")
    here.say(
        f"{mark(True)} back are {counted(report.messages, 'message')} in {report.mailboxes}"
        f" mailbox{'' if report.mailboxes == 1 else 'es'} of {counted(report.accounts, 'account')};"
        f" {report.queued} in the queue."
    )
    here.next("postroad store check")
    return Exit.PROBLEM if report.lost else Exit.OK


def _saved(data: Path) -> Snapshot:
    try:
        return snapshot.load(data)
    except FileNotFoundError:
        raise Problem(
            f"{data} has no {snapshot.FILE_NAME}, which says whose mail it is", "take it from a backup"
        ) from None
    except BadSnapshot as error:
        raise Problem(str(error), "take it from a backup") from None
