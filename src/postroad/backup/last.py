"""What became of the last backup, for `postroad status`: a small file in the data directory."""

import os
from pathlib import Path
from typing import Final

import msgspec

_NAME: Final = "backup.last"


class Last(msgspec.Struct, frozen=True):
    """The last backup that was made."""

    id: str
    made: float
    target: str
    messages: int


def note_last(data: Path, last: Last) -> None:
    """Remember a backup; whoever calls holds `one_backup`."""
    beside = data / f"{_NAME}.new"
    beside.write_bytes(msgspec.json.encode(last))
    os.replace(beside, data / _NAME)


def read_last(data: Path) -> Last | None:
    """The last backup of this data directory; None when there was none."""
    try:
        return msgspec.json.decode((data / _NAME).read_bytes(), type=Last)
    except (OSError, msgspec.DecodeError):
        return None
