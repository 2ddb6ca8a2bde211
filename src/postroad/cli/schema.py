"""`postroad store upgrade` and `downgrade`: the schema of a data directory whose server is stopped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from postroad.cli.here import Here, become_owner, common, pass_here
from postroad.cli.output import Problem, mark, print_json
from postroad.cli.progress import progress_bar
from postroad.db.connect import DATABASE_NAME
from postroad.db.copies import copy_path
from postroad.db.migrate import LATEST
from postroad.db.upgrade import take_back, upgrade, way_back
from postroad.prepare_start import AlreadyRunning, Instance


@click.command("upgrade")
@common
@pass_here
def upgrade_command(here: Here) -> None:
    """Bring the data directory to the schema of this postroad; the server must be stopped.

    Starting the server does the same. A copy of the index is taken first.
    """
    with _stopped(here) as data, progress_bar(here, "Copying the index") as progress:
        found = upgrade(data, progress)
    if here.json:
        print_json({"schema": LATEST, "before": found})
    elif found == LATEST:
        here.say(f"{data} has schema {LATEST} already.")
    else:
        here.say(f"{mark(True)} {data} has schema {LATEST} now; before, it had {found}.")
        here.say(f"{copy_path(data, found).name} is the index as it was.")


@click.command()
@common
@click.option(
    "--to", "version", type=click.IntRange(min=1), metavar="N", help="Not the previous schema: this."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_here
def downgrade(here: Here, version: int | None, yes: bool) -> None:
    """Take the data directory back to an earlier schema; the server must be stopped.

    For a postroad that turns out not to suit you. All mail stays, also what
    has arrived since the upgrade. What the older schema cannot hold is named
    before anything is done, and a copy of the index is taken.
    """
    with _stopped(here) as data:
        way = way_back(data, version)
        if way.lost:
            here.say(f"Schema {way.version} cannot hold, and so these are erased:")
        for what, count in way.lost:
            here.say(f"  {what}: {count}")
        if not yes and sys.stdin.isatty():
            click.confirm(f"Take {data} from schema {way.found} back to {way.version}?", abort=True)
        elif way.lost and not yes:
            raise Problem(
                f"schema {way.version} cannot hold all that is in {data}", "--yes says that it may go"
            )
        with progress_bar(here, "Copying the index") as progress:
            copy = take_back(data, way.version, progress)
    if here.json:
        print_json({"schema": way.version, "before": way.found, "lost": dict(way.lost)})
        return
    here.say(f"{mark(True)} {data} has schema {way.version} now; start it with the postroad that made it.")
    here.say(f"{copy.name} is the index as it was.")


@contextmanager
def _stopped(here: Here) -> Iterator[Path]:
    """The data directory, which no server uses meanwhile."""
    data = here.settings().data
    become_owner(data)
    if not (data / DATABASE_NAME).exists():
        raise Problem(
            f"{data} holds no mail store yet", f"start the server once: postroad serve --data {data}"
        )
    try:
        with Instance(data):
            yield data
    except AlreadyRunning as error:
        raise Problem(str(error), "stop it first: postroad stop") from None
