"""Restoring everything, into a data directory that holds nothing yet."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from postroad.backup.errors import Different, NotEmpty
from postroad.backup.fetch import Fetcher
from postroad.backup.inventory import take_inventory
from postroad.backup.manifest import Inventory, Manifest
from postroad.backup.scratch import check_room
from postroad.backup.snapshot import INDEX
from postroad.backup.wind_on import wind_on
from postroad.db.offline import prepare_data
from postroad.db.snapshot import read_snapshot
from postroad.db.unfinished import UNFINISHED
from postroad.directory import snapshot as directory_file
from postroad.store.offline import open_offline

_MOUNTED: Final = "lost+found"  # a file system of its own is empty with it


@dataclass(frozen=True, slots=True)
class Restored:
    """What is back."""

    inventory: Inventory
    waiting: int
    """Recipients in the queue."""
    lost: tuple[str, ...] = ()
    """Chunks that are damaged or missing, in sentences."""


def restore_everything(
    data: Path,
    manifest: Manifest,
    fetcher: Fetcher,
    *,
    hold_queue: bool = True,
    despite_damage: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Restored:
    """Bring a whole backup back into `data`; the server finds all of it there, or refuses to start.

    All is built in a folder below `data` and moved to its place at the end,
    the index last. One that was interrupted can be begun again. With
    `despite_damage` packs come back without the chunks that are lost.

    Raises:
        NotEmpty, NoRoom, Tampered, TargetError, Different
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = data / UNFINISHED
    if others := [path.name for path in data.iterdir() if path != building and path.name != _MOUNTED]:
        raise NotEmpty(
            f"{data} is not empty ({', '.join(sorted(others)[:3])}); restore into an empty directory"
        )
    shutil.rmtree(building, ignore_errors=True)
    check_room(data, manifest.octets)
    lost: list[str] | None = [] if despite_damage else None
    fetch_files(building, manifest, fetcher, progress, lost)
    check_inventory(building, manifest)
    waiting = make_servable(building, hold_queue=hold_queue)
    _move_into_place(building, data)
    return Restored(manifest.inventory, waiting, tuple(lost or ()))


def fetch_files(
    folder: Path,
    manifest: Manifest,
    fetcher: Fetcher,
    progress: Callable[[int, int], None],
    lost: list[str] | None = None,
) -> None:
    """Write every file of a backup below `folder`; for `lost` see `Fetcher.write`, the index never is."""
    done = 0

    def step(octets: int) -> None:
        nonlocal done
        done += octets
        progress(done, manifest.octets)

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "packs").mkdir(mode=0o700, exist_ok=True)
    for file in manifest.files:
        fetcher.write(file, _below(folder, file.path), step, None if file.path == INDEX else lost)


def check_inventory(folder: Path, manifest: Manifest) -> None:
    """Compare what the index holds with what it held when it was backed up.

    Raises:
        Different
    """
    with read_snapshot(folder / INDEX) as reader:
        found = take_inventory(reader)
    for name in ("accounts", "mailboxes", "messages", "octets", "queued"):
        was, now = getattr(manifest.inventory, name), getattr(found, name)
        if was != now:
            raise Different(f"backup {manifest.id} had {was} {name}, {now} came back")
    if found.digest != manifest.inventory.digest:
        raise Different(f"backup {manifest.id}: entries came back with other flags, dates or messages")


def make_servable(folder: Path, *, hold_queue: bool) -> int:
    """Upgrade the index, let its counters jump, write directory.json; gives who waits in the queue."""
    prepare_data(folder)
    with open_offline(folder) as database:
        waiting = database.write(partial(wind_on, hold_queue=hold_queue))
        database.read(lambda reader: directory_file.save(reader, folder))
    return waiting


def _move_into_place(building: Path, data: Path) -> None:
    # The index last: as long as the folder is there, no server begins an empty store beside it.
    for path in sorted(building.iterdir(), key=lambda path: path.name == INDEX):
        path.rename(data / path.name)
    _sync(data)
    building.rmdir()
    _sync(data)


def _below(folder: Path, name: str) -> Path:
    path = folder / name
    if ".." in path.parts or not path.is_relative_to(folder):
        raise Different(f"a backup names the file {name}, which lies outside of the data directory")
    return path


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
