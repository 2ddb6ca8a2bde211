"""`postroad.json`: what the files of an export cannot say by themselves.

It is written last, so an export that has one is whole. Files without one are
read by the conventions of their format alone.
"""

from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from postroad.importer.values import Folder

FILE_NAME: Final = "postroad.json"

Format: TypeAlias = Literal["maildir", "mbox", "eml"]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    format: Format
    version: Literal[1] = 1
    address: str
    folders: list[Folder]


class BadManifest(Exception):
    """There is one, and it is none of ours; the message is for people."""


def save(directory: Path, manifest: Manifest) -> None:
    """Write it; the export is whole from here on."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (directory / FILE_NAME).write_bytes(text + b"\n")


def load(directory: Path) -> Manifest | None:
    """Read it; None when there is none.

    Raises:
        BadManifest: it cannot be believed.
    """
    path = directory / FILE_NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise BadManifest(f"{path} cannot be read: {error}") from None
    for folder in manifest.folders:
        if folder.place.startswith("/") or ".." in Path(folder.place).parts:
            raise BadManifest(f"{path} names a place outside of it: {folder.place}")
    return manifest
