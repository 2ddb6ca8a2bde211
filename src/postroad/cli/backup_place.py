"""Where backups are and with which key: what the commands of `postroad backup` share."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import click

from postroad.backup.keys import read_server_key
from postroad.backup.scratch import DEFAULT
from postroad.backup.seal import Sealer
from postroad.backup.snapshot import SERVER_KEY
from postroad.backup.targets.choose import open_target
from postroad.backup.targets.target import Target
from postroad.cli.here import Here, become_owner
from postroad.cli.output import Exit, Problem
from postroad.config.settings import Settings
from postroad.db.connect import DATABASE_NAME

_REMOTE: Final = ("ssh://", "s3://")

target_option: Final = click.option(
    "--target",
    default="",
    metavar="PLACE",
    help="A directory, ssh://user@host/path or s3://bucket/prefix, instead of backup.target.",
)


def server_key(settings: Settings) -> Path:
    """Where the server's half of the key is."""
    return settings.backup.key or settings.data / SERVER_KEY


def sealer_of(settings: Settings) -> Sealer:
    """What can be done with the server's half.

    Raises:
        BadKey
    """
    return Sealer(read_server_key(server_key(settings)))


def scratch_place(settings: Settings) -> Path:
    """Where scratch folders are made."""
    return settings.backup.scratch or settings.data / DEFAULT


def data_of_store(here: Here) -> Path:
    """The data directory, as its owner.

    Raises:
        Problem: it holds no mail store.
    """
    data = here.settings().data
    become_owner(data)
    try:
        if (data / DATABASE_NAME).exists():
            return data
    except PermissionError:
        raise Problem(f"{data} may not be read", "run this as its owner or as root") from None
    raise Problem(f"{data} holds no mail store yet", f"start the server once: postroad serve --data {data}")


@contextmanager
def opened(settings: Settings, told: str) -> Iterator[Target]:
    """The target that an option or the settings name.

    Raises:
        Problem: neither does, or it lies in the data directory.
        TargetError
    """
    where = told or settings.backup.target
    if not where:
        raise Problem(
            "nothing says where backups are",
            "name a place with --target or backup.target in the settings",
            status=Exit.USAGE,
        )
    if not where.startswith(_REMOTE) and Path(os.path.realpath(where)).is_relative_to(
        settings.data.resolve()
    ):
        raise Problem(f"{where} lies in the data directory and would be lost with it", "name another place")
    with closing(open_target(where, settings.backup)) as target:
        try:
            yield target
        except BrokenPipeError:
            raise
        except OSError as error:  # of a disk here: targets have their own error
            raise Problem(f"{error.filename or settings.data}: {error.strerror or error}") from None
