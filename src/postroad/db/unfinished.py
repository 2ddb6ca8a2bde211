"""A restore that was interrupted: its data directory must not be taken for an empty one."""

from pathlib import Path
from typing import Final

UNFINISHED: Final = "restore.unfinished"
"""The folder in which a restore builds; it is gone once all is in its place."""


class UnfinishedRestore(Exception):
    """The data directory holds half of a restore."""


def refuse_unfinished(data: Path) -> None:
    """Raise UnfinishedRestore where a restore has not come to its end."""
    if (data / UNFINISHED).exists():
        raise UnfinishedRestore(
            f"{data} holds a restore that was interrupted; "
            "empty the directory and run postroad backup restore again"
        )
