"""The formats by name, and which one a path holds."""

from pathlib import Path
from typing import Final, NamedTuple

from postroad.importer import manifest
from postroad.importer.eml import EmlSource, EmlTarget
from postroad.importer.maildir import MaildirSource, MaildirTarget, maildirs
from postroad.importer.manifest import Format
from postroad.importer.mbox import MboxSource, MboxTarget, is_mbox
from postroad.importer.values import Source


class _Kind(NamedTuple):
    target: type[MaildirTarget] | type[MboxTarget] | type[EmlTarget]
    source: type[MaildirSource] | type[MboxSource] | type[EmlSource]


FORMATS: Final[dict[Format, _Kind]] = {
    "maildir": _Kind(MaildirTarget, MaildirSource),
    "mbox": _Kind(MboxTarget, MboxSource),
    "eml": _Kind(EmlTarget, EmlSource),
}


class UnknownFormat(Exception):
    """Nothing at the path looks like mail; the message is for people."""


def open_source(path: Path, wanted: Format | None = None) -> tuple[Format, Source]:
    """Read a path as `wanted`, or as what it looks like; our own exports say it themselves.

    Raises:
        UnknownFormat: there is nothing there, or nothing that is known.
        BadManifest: it is one of our exports, and damaged.
    """
    if not path.exists():
        raise UnknownFormat(f"there is no {path}")
    found = manifest.load(path) if path.is_dir() else None
    if found is not None and wanted in (None, found.format):
        return found.format, FORMATS[found.format].source(path, found.folders)
    kind = wanted or _guess(path)
    if kind is None:
        raise UnknownFormat(f"{path} holds no Maildir, no mbox and no eml file")
    return kind, FORMATS[kind].source(path)


def _guess(path: Path) -> Format | None:
    if path.is_file():
        return "mbox" if is_mbox(path) else "eml"
    if maildirs(path):
        return "maildir"
    if next(path.rglob("*.eml"), None) is not None:
        return "eml"
    return "mbox" if next(MboxSource(path).folders(), None) is not None else None
