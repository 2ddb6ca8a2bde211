"""A place for what is made on the way: a copy of the index, a restore on trial."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from postroad.backup.errors import NoRoom
from postroad.config.values import about_size

DEFAULT: Final = "backup.scratch"
"""Where it is in the data directory, unless the settings say otherwise."""


@contextmanager
def scratch(place: Path) -> Iterator[Path]:
    """An empty folder of our own in `place`, gone afterwards.

    Each is locked by its user; those whose user was killed are removed.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(place):  # nobody takes a folder for a dead one's before its user has locked it
        for other in place.glob("postroad-*"):
            _remove_if_dead(other)
        folder = Path(tempfile.mkdtemp(prefix="postroad-", dir=place))
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def check_room(folder: Path, needed: int, reserve: int = 0) -> None:
    """Make sure that `needed` octets can be written and `reserve` stay free: a full disk refuses mail.

    Raises:
        NoRoom
    """
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if free < needed + reserve:
        left = f", and {about_size(reserve)} are left for mail" if reserve else ""
        raise NoRoom(f"{folder} has {about_size(free)} free; {about_size(needed)} are needed{left}")


def _remove_if_dead(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # it is in use
    finally:
        os.close(descriptor)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
