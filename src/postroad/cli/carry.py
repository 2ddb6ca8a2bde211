"""`postroad account export` and `import`: an account's mail as files, and back."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import click

from postroad.cli.database import open_store
from postroad.cli.here import Here, common, pass_here, user_name
from postroad.cli.output import Exit, Problem, mark, print_json, safe
from postroad.cli.progress import progress_bar
from postroad.directory.accounts import account as find_account
from postroad.importer.export import Exporter
from postroad.importer.formats import UnknownFormat, open_source
from postroad.importer.load import AccountFull, Loader
from postroad.importer.manifest import FILE_NAME, BadManifest, Format
from postroad.importer.values import Report
from postroad.model.counted import counted
from postroad.store.blobs.reader import PackReader

_FORMAT = click.Choice(get_args(Format))


@click.command("export")
@common
@click.argument("address")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=_FORMAT, default="maildir", show_default=True, help="What to write.")
@click.option("--mailbox", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@pass_here
def export(here: Here, address: str, directory: Path, kind: Format, names: tuple[str, ...]) -> int:
    """Write an account's mail into DIRECTORY, with flags and dates.

    The server may run. A message that is damaged is named and left out, and
    the exit status is then 1.
    """
    data = here.settings().data
    _make(directory, data)
    with open_store(here) as database, closing(PackReader(data / "packs")) as packs:
        info = database.read(lambda reader: find_account(reader, address))
        try:
            with progress_bar(here, "Writing messages") as progress:
                exporter = Exporter(database, packs, info.id)
                report = exporter.run(str(info.address), directory, kind, names, progress)
            os.sync()
        except OSError as error:
            raise Problem(
                f"{error.filename or directory} cannot be written: {error.strerror}",
                f"the export is not whole; empty {directory} before the next try",
            ) from None
    said = f"Wrote {counted(report.messages, 'message')} of {info.address.unicode} to {directory} ({kind})."
    return _tell(
        here, report, said, {"address": str(info.address), "directory": str(directory), "format": kind}
    )


@click.command("import")
@common
@click.argument("address")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=_FORMAT, help="What SOURCE is; without it, what it looks like.")
@click.option("--into", default="", metavar="MAILBOX", help="Put all of it into this mailbox and below it.")
@pass_here
def import_(here: Here, address: str, source: Path, kind: Format | None, into: str) -> int:
    """Take the mail of SOURCE, a file or a directory, into an account.

    The server may run. Messages that a mailbox has already are not filed
    again, so that it may be run twice. What is damaged is named and skipped,
    and the exit status is then 1.
    """
    settings = here.settings()
    with open_store(here) as database, closing(PackReader(settings.data / "packs")) as packs:
        info = database.read(lambda reader: find_account(reader, address))
        loader = Loader(database, packs, info.id, settings.limits, into)
        full = False
        try:
            found, files = open_source(source, kind)
            with progress_bar(here, "Reading messages") as progress:
                report = loader.run(files, progress)
        except (UnknownFormat, BadManifest) as error:
            raise Problem(str(error)) from None
        except PermissionError as error:
            raise Problem(
                f"{user_name()} may not read {error.filename}", "let it, and run this again"
            ) from None
        except AccountFull as error:
            report, full = error.report, True
    said = f"Took {counted(report.messages, 'message')} into {info.address.unicode} ({found})"
    said += f", {report.present} were there already." if report.present else "."
    status = _tell(here, report, said, {"address": str(info.address), "format": found, "full": full})
    if full:
        raise Problem(
            f"{info.address.unicode} is full, the rest was left out",
            f"give it room with `postroad account quota {info.address.unicode} SIZE` and run this again",
        )
    return status


def _make(directory: Path, data: Path) -> None:
    """Make an empty directory that the owner of the store may write into."""
    try:
        if directory.exists():
            if any(directory.iterdir()):
                whole = "an export already" if (directory / FILE_NAME).exists() else "something in it"
                raise Problem(f"{directory} has {whole}", "name a new directory")
            return
        directory.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0 and data.exists():
            owner = data.stat()
            os.chown(directory, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise Problem(f"{directory} cannot be made: {error.strerror}") from None


def _tell(here: Here, report: Report, said: str, facts: dict[str, Any]) -> int:
    if here.json:
        bad = [{"where": one.where, "why": one.why} for one in report.bad]
        counts = {"mailboxes": report.mailboxes, "messages": report.messages, "present": report.present}
        print_json({**facts, **counts, "bad": bad})
    else:
        for one in report.bad:
            click.echo(f"{mark(False)} {safe(str(one))}")
        here.say(f"{mark(not report.bad)} {said}")
    return Exit.PROBLEM if report.bad else Exit.OK
