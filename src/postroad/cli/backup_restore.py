"""`postroad backup verify` and `restore`: what takes the operator's half of the key."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from postroad.backup import keys
from postroad.backup import manifest as manifests
from postroad.backup.fetch import Fetcher, file_of
from postroad.backup.mail import BackupSource, Wanted
from postroad.backup.manifest import Manifest
from postroad.backup.restore import Restored, restore_everything
from postroad.backup.scratch import check_room, scratch
from postroad.backup.seal import Opener, Sealer
from postroad.backup.snapshot import INDEX
from postroad.backup.targets.target import Target
from postroad.backup.verify import verify_by_restoring, verify_chunks
from postroad.cli.backup_place import opened, scratch_place, sealer_of, target_option
from postroad.cli.database import open_store
from postroad.cli.here import Here, become_owner, common, operator, pass_here
from postroad.cli.output import Exit, Problem, mark, print_json, safe
from postroad.cli.progress import progress_bar
from postroad.cli.times import date, moment
from postroad.config.settings import Settings
from postroad.config.values import about_duration, about_size
from postroad.db.offline import OfflineDatabase, prepare_data
from postroad.db.snapshot import read_snapshot
from postroad.directory import changes, snapshot
from postroad.directory.accounts import account as find_account
from postroad.directory.changes import Facts
from postroad.importer.load import AccountFull, Loader
from postroad.importer.values import Report
from postroad.model.address import Address
from postroad.model.counted import counted
from postroad.store.blobs.reader import PackReader
from postroad.store.store import PACKS


class _Moment(click.ParamType[float]):
    """`2026-11-27`, which is its end, or `2026-11-27 14:30`, in the time zone of this machine."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is not a time, such as 2026-11-27 or "2026-11-27 14:30"', param, ctx)
        if len(value) <= len("2026-11-27"):
            at += timedelta(days=1) - timedelta(microseconds=1)
        return at.timestamp()


_KEY = click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The operator's half of the key.",
)
_AT = click.option("--at", type=_Moment(), metavar="TIME", help="The newest backup not after this time.")
_ID = click.argument("backup_id", metavar="[ID]", default="")


@dataclass(frozen=True, slots=True)
class _Found:
    """A backup, and with the operator's half of the key what can read it."""

    manifest: Manifest
    target: Target
    sealer: Sealer
    fetcher: Fetcher | None


@contextmanager
def _backup(
    settings: Settings, target: str, key_file: Path | None, backup_id: str, at: float | None
) -> Iterator[_Found]:
    """Find the backup that is meant; the key is read before root is given up."""
    opener = Opener(keys.read_operator_key(key_file)) if key_file is not None else None
    become_owner(settings.data)
    sealer = opener.sealer if opener is not None else sealer_of(settings)
    with opened(settings, target) as place:
        chosen = manifests.choose(manifests.backup_ids(place), wanted=backup_id, at=at)
        manifest = manifests.read(place, sealer, chosen)
        yield _Found(manifest, place, sealer, Fetcher(place, opener) if opener is not None else None)


@click.command()
@common
@_ID
@target_option
@_KEY
@_AT
@click.option("--quick", is_flag=True, help="Only look whether every chunk is there and whole; needs no key.")
@pass_here
def verify(
    here: Here, backup_id: str, target: str, key_file: Path | None, at: float | None, quick: bool
) -> int:
    """Test a backup by restoring it on trial.

    It is the newest unless you say which. It is restored into a scratch
    folder that is removed afterwards; counts and digests are compared with
    those of the server when the backup was made, and every message is read.
    """
    if key_file is None and not quick:
        raise Problem(
            "restoring on trial takes your half of the key", "name it with --key FILE, or use --quick"
        )
    settings = here.settings()
    began = time.monotonic()
    with _backup(settings, target, key_file, backup_id, at) as found:
        problems = _look(here, found) if quick else _try(here, settings, found)
    manifest, seconds = found.manifest, time.monotonic() - began
    if here.json:
        facts = {"id": manifest.id, "quick": quick, "problems": problems, "damage": list(manifest.damage)}
        print_json({**facts, "seconds": round(seconds, 3)})
        return Exit.PROBLEM if problems else Exit.OK
    for line in manifest.damage:
        here.say(f"{mark(False)} The server had lost this when the backup was made: {safe(line)}")
    for line in problems:
        click.echo(f"{mark(False)} {safe(line)}")
    if problems:
        here.say(f"Backup {manifest.id} is damaged: {len(problems)} problems.")
        here.next("postroad store check" if manifest.damage else "postroad backup create --anew")
    elif quick:
        here.say(f"{mark(True)} {manifest.id}: every chunk is there and whole; {about_duration(seconds)}")
    else:
        counts = manifest.inventory
        here.say(
            f"{mark(True)} {manifest.id}: {counted(counts.messages, 'message')}"
            f" of {counted(counts.accounts, 'account')} came back as before;"
            f" {about_size(manifest.octets)} in {about_duration(seconds)}"
        )
    return Exit.PROBLEM if problems else Exit.OK


def _look(here: Here, found: _Found) -> list[str]:
    with progress_bar(here, "Reading chunks") as progress:
        return list(verify_chunks(found.target, found.sealer, found.manifest, progress))


def _try(here: Here, settings: Settings, found: _Found) -> list[str]:
    assert found.fetcher is not None
    with scratch(scratch_place(settings)) as folder, progress_bar(here, "Restoring on trial") as progress:
        check_room(folder, found.manifest.octets, settings.limits.free_space)
        return list(verify_by_restoring(folder / "data", found.manifest, found.fetcher, progress))


@click.command()
@common
@_ID
@target_option
@_KEY
@_AT
@click.option("--account", metavar="ADDRESS", help="Only the mail of this account, into the running server.")
@click.option("--mailbox", default="", metavar="NAME", help="Only this mailbox of it.")
@click.option("--uid", type=click.IntRange(min=1), default=None, help="Only the message with this UID in it.")
@click.option("--message", default="", metavar="MESSAGE-ID", help="Only the message with this Message-ID.")
@click.option(
    "--into", default="", metavar="MAILBOX", help='Instead of "Restored" and the day of the backup.'
)
@click.option("--in-place", is_flag=True, help="Into the mailboxes where it was.")
@click.option("--despite-damage", is_flag=True, help="Of everything bring back what is intact.")
@click.option(
    "--release-queue", is_flag=True, help="Send what waits in the queue, though it may have been sent."
)
@pass_here
def restore(
    here: Here,
    backup_id: str,
    target: str,
    key_file: Path | None,
    at: float | None,
    account: str | None,
    mailbox: str,
    uid: int | None,
    message: str,
    into: str,
    in_place: bool,
    despite_damage: bool,
    release_queue: bool,
) -> int:
    """Bring mail back from a backup, by default the newest.

    Without --account it is everything, into an empty data directory. With it,
    the mail of one account, one mailbox or one message goes into the running
    server, into a mailbox of its own or where it was; what is there already
    is not filed again.
    """
    if key_file is None:
        raise Problem("a restore takes your half of the key", "name it with --key FILE", status=Exit.USAGE)
    _check_options(account, mailbox, uid, message, into, in_place)
    settings = here.settings()
    with _backup(settings, target, key_file, backup_id, at) as found:
        if account is None:
            return _everything(here, settings, found, despite_damage, release_queue)
        wanted = Wanted(mailbox, uid or 0, message.strip("<> "))
        where = "" if in_place else into or f"Restored {date(found.manifest.made)}"
        return _mail(here, settings, found, account, wanted, where)


def _check_options(
    account: str | None, mailbox: str, uid: int | None, message: str, into: str, in_place: bool
) -> None:
    if account is None and (mailbox or uid or message or into or in_place):
        raise Problem("whose mail is meant is not said", "name it with --account", status=Exit.USAGE)
    if uid is not None and not mailbox:
        raise Problem(
            "a UID means something in one mailbox only", "name it with --mailbox", status=Exit.USAGE
        )
    if into and in_place:
        raise Problem("--into and --in-place exclude each other", "choose one", status=Exit.USAGE)


def _everything(here: Here, settings: Settings, found: _Found, despite_damage: bool, release: bool) -> int:
    assert found.fetcher is not None
    began = time.monotonic()
    with progress_bar(here, "Restoring") as progress:
        restored = restore_everything(
            settings.data,
            found.manifest,
            found.fetcher,
            hold_queue=not release,
            despite_damage=despite_damage,
            progress=progress,
        )
    _tell_everything(here, settings.data, found.manifest, restored, time.monotonic() - began, release)
    return Exit.PROBLEM if restored.lost else Exit.OK


def _tell_everything(
    here: Here, data: Path, manifest: Manifest, restored: Restored, seconds: float, release: bool
) -> None:
    counts = restored.inventory
    if here.json:
        facts = {
            "id": manifest.id,
            "data": str(data),
            "messages": counts.messages,
            "lost": list(restored.lost),
        }
        print_json({**facts, "queued": restored.waiting, "held": not release, "seconds": round(seconds, 3)})
        return
    for line in restored.lost:
        click.echo(f"{mark(False)} {safe(line)}")
    here.say(
        f"{mark(not restored.lost)} {data} is as it was at {moment(manifest.made)}:"
        f" {counted(counts.messages, 'message')} of {counted(counts.accounts, 'account')},"
        f" {about_size(manifest.octets)} in {about_duration(seconds)}"
    )
    if restored.waiting and not release:
        here.say(
            f"{counted(restored.waiting, 'recipient')} in the queue held back: the mail may have got there"
            " since; see `postroad queue list`, then `postroad queue release` or `cancel` each."
        )
    here.next("postroad store check" if restored.lost else f"postroad serve --data {data}")


def _mail(here: Here, settings: Settings, found: _Found, address: str, wanted: Wanted, into: str) -> int:
    assert found.fetcher is not None
    with (
        open_store(here) as database,
        closing(PackReader(settings.data / PACKS)) as packs,
        scratch(scratch_place(settings)) as folder,
    ):
        info = database.read(lambda reader: find_account(reader, address))
        index = file_of(found.manifest, INDEX)
        check_room(folder, index.length, settings.limits.free_space)
        with progress_bar(here, "Fetching the index") as progress:
            done = 0

            def step(octets: int) -> None:
                nonlocal done
                done += octets
                progress(done, index.length)

            found.fetcher.write(index, folder / INDEX, step)
        prepare_data(folder)  # a backup of an older schema
        full = False
        with read_snapshot(folder / INDEX) as reader:
            source = BackupSource(found.manifest, found.fetcher, reader, address, wanted)
            loader = Loader(database, packs, info.id, settings.limits, into, trusted=True)
            try:
                with progress_bar(here, "Restoring messages") as progress:
                    report = loader.run(source, progress)
            except AccountFull as error:
                report, full = error.report, True
        _record(database, settings.data, info.address, found.manifest, report)
    _tell_mail(here, found.manifest, address, report, into)
    if full:
        raise Problem(
            f"{address} is full, the rest was left out",
            f"give it room with `postroad account quota {address} SIZE` and run this again",
        )
    return Exit.PROBLEM if report.bad else Exit.OK


def _record(
    database: OfflineDatabase, data: Path, address: Address, manifest: Manifest, report: Report
) -> None:
    """Keep who brought what back."""
    new: Facts = {"restored": report.messages, "backup": manifest.id}
    database.write(lambda tx: changes.record(tx, who=operator(), noun="account", name=str(address), new=new))
    database.read(lambda reader: snapshot.save(reader, data))


def _tell_mail(here: Here, manifest: Manifest, address: str, report: Report, into: str) -> None:
    if here.json:
        bad = [{"where": one.where, "why": one.why} for one in report.bad]
        facts = {"id": manifest.id, "account": address, "into": into or None, "messages": report.messages}
        print_json({**facts, "present": report.present, "bad": bad})
        return
    for one in report.bad:
        click.echo(f"{mark(False)} {safe(str(one))}")
    where = f"in {into}" if into else "where it was"
    there = f", {report.present} were there already" if report.present else ""
    here.say(
        f"{mark(not report.bad)} {counted(report.messages, 'message')}"
        f" of {safe(address)} put back {safe(where)},"
        f" as of {moment(manifest.made)}{there}."
    )
