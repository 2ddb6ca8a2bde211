"""Making a backup while mail flows."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from postroad import __version__
from postroad.backup import manifest as manifests
from postroad.backup.errors import Tampered, TargetError, WrongKey
from postroad.backup.in_order import in_order
from postroad.backup.inventory import take_inventory
from postroad.backup.manifest import File, Manifest, Piece
from postroad.backup.scratch import check_room, scratch
from postroad.backup.seal import Sealer
from postroad.backup.snapshot import INDEX, Planned, plan
from postroad.backup.targets.target import Target
from postroad.db.connect import DATABASE_NAME
from postroad.db.snapshot import read_snapshot, take_snapshot
from postroad.store.blobs.hold import hold_packs
from postroad.store.store import PACKS

IDENTITY: Final = "backup.id"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    manifest: Manifest
    added_chunks: int
    added_octets: int
    """What had not been in the target before; with the manifest."""
    seconds: float


@dataclass(slots=True)
class _Shelf:
    """Chunks in the target: each is put once."""

    target: Target
    sealer: Sealer
    present: dict[str, int]
    added: dict[str, int] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)

    def store(self, planned: Planned) -> Piece:
        """Store a piece, unless its chunk is there.

        Octets of the data directory that cannot be read are zeros and are told of.

        Raises:
            OSError: the copy of the index cannot be read.
        """
        known = planned.known
        if known is not None and self.present.get(manifests.chunk_path(known.name)) == known.stored:
            return known
        mark = planned.mark
        try:
            octets = planned.read()
        except OSError as error:
            if planned.path == INDEX:
                raise
            self.damage.append(f"{planned.path}, octets from {planned.start} on: {error.strerror or error}")
            octets, mark = bytes(planned.length), b""  # it may be readable another time
        name = self.sealer.name(octets)
        path = manifests.chunk_path(name)
        stored = self.present.get(path)
        if stored is None:
            sealed = self.sealer.seal(name, octets)
            self.target.put(path, sealed)
            stored = self.present[path] = self.added[path] = len(sealed)
        return Piece(name, planned.length, stored, mark)


def create(
    data: Path,
    target: Target,
    sealer: Sealer,
    *,
    hostname: str = "",
    settings: Path | None = None,
    scratch_place: Path,
    reserve: int = 0,
    anew: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Made:
    """Make a backup; whoever calls holds `one_backup`. What was acknowledged before is in it.

    `anew` stores every chunk again, for a target that has damaged some.
    `progress` is told octets done and octets in all.

    Raises:
        TargetError: what was put so far stays and is not put again next time.
        NoRoom: for a copy of the index.
    """
    began = time.monotonic()
    target.clear()
    server = _identity(data)
    previous = _previous(target, sealer, server)
    shelf = _Shelf(target, sealer, {} if anew else _present(target, previous))
    before = {file.path: file for file in previous.files} if previous is not None and not anew else {}
    with hold_packs(data / PACKS), scratch(scratch_place) as folder:
        copy = folder / INDEX
        check_room(folder, sum(_size(data / (DATABASE_NAME + suffix)) for suffix in ("", "-wal")), reserve)
        made = time.time()
        take_snapshot(data, copy, lambda _done, _all: None)
        with read_snapshot(copy) as reader:
            inventory = take_inventory(reader)
            schema = reader.value("PRAGMA user_version")
            pieces = plan(data, copy, reader, settings, before)
        files = tuple(_store(shelf, pieces, progress))
    manifest = Manifest(
        id=manifests.new_id(made),
        made=made,
        finished=time.time(),
        server=server,
        hostname=hostname,
        version=__version__,
        schema=schema,
        files=files,
        inventory=inventory,
        damage=tuple(shelf.damage),
    )
    target.settle()
    size = manifests.write(target, sealer, manifest)
    added = sum(shelf.added.values()) + size
    return Made(manifest, len(shelf.added), added, time.monotonic() - began)


def _store(shelf: _Shelf, pieces: Sequence[Planned], progress: Callable[[int, int], None]) -> Iterator[File]:
    total = sum(piece.length for piece in pieces)
    done = 0
    stored = zip(pieces, in_order(shelf.store, pieces, nice=True), strict=True)  # mail goes first
    for path, group in groupby(stored, key=lambda pair: pair[0].path):
        of_file = []
        for planned, piece in group:
            of_file.append(piece)
            done += planned.length
            progress(done, total)
        yield File(path, tuple(of_file))


def _previous(target: Target, sealer: Sealer, server: str) -> Manifest | None:
    """The newest backup of this data directory that can be read."""
    for backup_id in reversed(manifests.backup_ids(target)):
        try:
            found = manifests.read(target, sealer, backup_id)
        except (Tampered, WrongKey, TargetError):
            continue  # `verify` and `list` tell of it; it only costs reading more
        if found.server == server:
            return found
    return None


def _present(target: Target, previous: Manifest | None) -> dict[str, int]:
    """The chunks in the target; those that have lost octets are to be put again."""
    present = target.list(manifests.CHUNKS)
    for path, stored in (previous.chunks() if previous is not None else {}).items():
        if present.get(path, stored) != stored:
            del present[path]
    return present


def _identity(data: Path) -> str:
    """A random name of the data directory, made at its first backup. A restored one gets its own."""
    path = data / IDENTITY
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.write_text(secrets.token_hex(8) + "\n")
        return path.read_text().strip()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
