"""`postroad backup`: keys, making backups, listing them, letting old ones go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from postroad.backup import keys
from postroad.backup import manifest as manifests
from postroad.backup.create import Made, create
from postroad.backup.errors import BackupError, BadKey, Tampered, TargetError, WrongKey
from postroad.backup.holds import one_backup
from postroad.backup.last import Last, note_last
from postroad.backup.manifest import Manifest
from postroad.backup.prune import Keep, Pruned, prune
from postroad.backup.seal import Sealer
from postroad.backup.targets.target import Target
from postroad.cli.backup_place import (
    data_of_store,
    opened,
    scratch_place,
    sealer_of,
    server_key,
    target_option,
)
from postroad.cli.backup_restore import restore, verify
from postroad.cli.here import Here, become_owner, common, pass_here
from postroad.cli.output import Column, Exit, Problem, mark, print_json, print_table, safe
from postroad.cli.progress import progress_bar
from postroad.cli.times import moment
from postroad.config.settings import Settings
from postroad.config.values import about_duration, about_size
from postroad.model.counted import counted

F = TypeVar("F", bound=Callable[..., Any])


@click.group(short_help="Backups: create, list, verify, restore.")
def backup() -> None:
    """Backups, encrypted, to a directory, by ssh or to an S3 store.

    The server may run. It holds half of a key, with which it can make backups
    and cannot read them; restoring takes the half that you keep elsewhere.
    """


backup.add_command(verify)
backup.add_command(restore)


@backup.command()
@common
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--again", is_flag=True, help="FILE is there: give this server its half of it.")
@pass_here
def key(here: Here, file: Path, again: bool) -> None:
    """Make a key: your half, and the server's.

    Yours is put into FILE. Keep that away from this machine, in two places:
    whoever has it can read the backups, without it nobody can. The server's
    is put where it belongs. A file that is there is not touched.
    """
    settings = here.settings()
    place = server_key(settings)
    operator = keys.read_operator_key(file) if again else keys.make()
    if not place.parent.is_dir():
        raise Problem(f"there is no directory {place.parent}", "start the server once, or make it")
    _check_free(place, operator.server)
    if not again:
        keys.write_operator_key(file, operator)
    become_owner(settings.data)
    if not place.exists():
        keys.write_server_key(place, operator.server)
    if here.json:
        print_json({"id": operator.server.id, "operator": str(file), "server": str(place)})
        return
    here.say(f"{mark(True)} Key {operator.server.id}: your half is {safe(str(file))}, the server's {place}.")
    if not again:
        here.say(
            "Move your half to another machine now, and keep a second copy: no backup can be read without it."
        )
    here.next("postroad backup create --target /mnt/backups")


def _check_free(place: Path, wanted: keys.ServerKey) -> None:
    if place.exists() and keys.read_server_key(place) != wanted:
        raise BadKey(f"{place} is there already, with another key; move it away first if you want a new one")


def _keep_options(command: F) -> F:
    """The options that say which backups stay."""
    for option, what in (
        ("--keep-monthly", "the last of each of so many months"),
        ("--keep-weekly", "the last of each of so many weeks"),
        ("--keep-daily", "the last of each of so many days"),
        ("--keep", "so many of the newest"),
    ):
        number = click.IntRange(min=0)
        command = click.option(option, type=number, metavar="N", help=f"Keep {what}; remove others.")(command)
    return command


@backup.command("create")
@common
@target_option
@_keep_options
@click.option("--anew", is_flag=True, help="Store every chunk again: for a target that has damaged some.")
@pass_here
def create_(
    here: Here,
    target: str,
    anew: bool,
    keep: int | None,
    keep_daily: int | None,
    keep_weekly: int | None,
    keep_monthly: int | None,
) -> int:
    """Make a backup; the server may run, and mail flows meanwhile.

    What the target has already is not sent again. With --keep (or `keep` in
    the settings), older backups are removed once the new one is there.
    """
    settings = here.settings()
    data = data_of_store(here)
    sealer = sealer_of(settings)
    stay = _keep(settings, keep, keep_daily, keep_weekly, keep_monthly)
    with one_backup(data), opened(settings, target) as place:
        with progress_bar(here, "Storing") as progress:
            made = create(
                data,
                place,
                sealer,
                hostname=settings.hostname,
                settings=settings.source,
                scratch_place=scratch_place(settings),
                reserve=settings.limits.free_space,
                anew=anew,
                progress=progress,
            )
        manifest = made.manifest
        note_last(data, Last(manifest.id, manifest.made, place.name, manifest.inventory.messages))
        pruned = _prune(here, place, sealer, stay) if stay else None
        _tell_made(here, place, made, pruned)
    return Exit.PROBLEM if made.manifest.damage else Exit.OK


@backup.command("list")
@common
@target_option
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Either half of the key, on a machine that has none.",
)
@pass_here
def list_(here: Here, target: str, key_file: Path | None) -> int:
    """List the backups that the target holds, the oldest first."""
    settings = here.settings()
    sealer = Sealer(keys.read_server_key(key_file)) if key_file is not None else sealer_of(settings)
    become_owner(settings.data)
    with opened(settings, target) as place:
        found = [(one, _read(place, sealer, one)) for one in manifests.backup_ids(place)]
    if here.json:
        print_json(
            [
                _facts(one) if isinstance(one, Manifest) else {"id": name, "problem": str(one)}
                for name, one in found
            ]
        )
    elif not found:
        here.say(f"{place.name} holds no backup yet.")
        here.next("postroad backup create")
    else:
        print_table(
            [
                Column("ID"),
                Column("MADE"),
                Column("SERVER", cut=True),
                Column("ACCOUNTS", "right"),
                Column("MESSAGES", "right"),
                Column("SIZE", "right"),
                Column("STATE", cut=True),
            ],
            [_row(name, one) for name, one in found],
        )
        here.next("postroad backup verify --key FILE")
    return Exit.OK if all(isinstance(one, Manifest) for _, one in found) else Exit.PROBLEM


@backup.command("prune")
@common
@target_option
@_keep_options
@pass_here
def prune_(
    here: Here,
    target: str,
    keep: int | None,
    keep_daily: int | None,
    keep_weekly: int | None,
    keep_monthly: int | None,
) -> None:
    """Remove older backups, and chunks that no backup needs.

    The newest backup always stays. Without --keep (here or in the settings)
    no backup is removed, only what one that was interrupted has left behind.
    """
    settings = here.settings()
    data = data_of_store(here)
    sealer = sealer_of(settings)
    stay = _keep(settings, keep, keep_daily, keep_weekly, keep_monthly)
    with one_backup(data), opened(settings, target) as place:
        pruned = _prune(here, place, sealer, stay)
    if here.json:
        print_json({"removed": pruned.backups, "chunks": pruned.chunks, "octets": pruned.octets})
    else:
        here.say(f"{mark(True)} {_said(pruned)}")


def _prune(here: Here, target: Target, sealer: Sealer, keep: Keep) -> Pruned:
    with progress_bar(here, "Removing") as progress:
        return prune(target, sealer, keep, progress)


def _keep(settings: Settings, *told: int | None) -> Keep:
    """What the options say; what the settings say when there are none."""
    if any(number is not None for number in told):
        return Keep(*(number or 0 for number in told))
    said = settings.backup
    return Keep(said.keep, said.keep_daily, said.keep_weekly, said.keep_monthly)


def _read(target: Target, sealer: Sealer, backup_id: str) -> Manifest | BackupError:
    try:
        return manifests.read(target, sealer, backup_id)
    except (Tampered, WrongKey, TargetError) as error:
        return error


def _tell_made(here: Here, target: Target, made: Made, pruned: Pruned | None) -> None:
    manifest = made.manifest
    if here.json:
        facts = {**_facts(manifest), "target": target.name, "added_chunks": made.added_chunks}
        facts |= {"added_octets": made.added_octets, "seconds": round(made.seconds, 3)}
        print_json({**facts, "removed": pruned.backups if pruned else []})
        return
    for line in manifest.damage:
        click.echo(f"{mark(False)} {safe(line)}")
    counts = manifest.inventory
    here.say(
        f"{mark(not manifest.damage)} {manifest.id}: {counted(counts.messages, 'message')}"
        f" of {counted(counts.accounts, 'account')} in {safe(target.name)}"
    )
    here.say(
        f"  {about_size(manifest.octets)}, of which {about_size(made.added_octets)} were new there;"
        f" {about_duration(made.seconds)}"
    )
    if pruned is not None:
        here.say(f"  {_said(pruned)}")
    if manifest.damage:
        here.say("All else is in the backup.")
        here.next("postroad store check")
    else:
        here.next("postroad backup verify --key FILE")


def _said(pruned: Pruned) -> str:
    count = len(pruned.backups)
    what = f"{counted(count, 'older backup')}"
    return (
        f"{what} removed, {about_size(pruned.octets)} got back."
        if count or pruned.chunks
        else "Nothing to remove."
    )


def _facts(manifest: Manifest) -> dict[str, Any]:
    counts = msgspec.structs.asdict(manifest.inventory)
    return {
        "id": manifest.id,
        "made": manifest.made,
        "hostname": manifest.hostname,
        "version": manifest.version,
        "schema": manifest.schema,
        "size": manifest.octets,
        "inventory": {**counts, "digest": manifest.inventory.digest.hex()},
        "damage": list(manifest.damage),
    }


def _listed(name: str, found: Manifest | BackupError) -> dict[str, Any]:
    return _facts(found) if isinstance(found, Manifest) else {"id": name, "problem": str(found)}


def _row(name: str, found: Manifest | BackupError) -> list[object]:
    if not isinstance(found, Manifest):
        return [name, moment(manifests.time_of(name)), "", "", "", "", str(found)]
    counts = found.inventory
    state = "ok" if not found.damage else "with damage of the server"
    return [
        *(name, moment(found.made), found.hostname, counts.accounts, counts.messages),
        *(about_size(found.octets), state),
    ]
