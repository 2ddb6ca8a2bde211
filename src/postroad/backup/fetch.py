"""Reading files out of a backup: whole, or a few octets of a pack."""

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from postroad.backup.errors import NoSuchObject, Tampered
from postroad.backup.in_order import in_order
from postroad.backup.manifest import File, Manifest, Piece, chunk_path
from postroad.backup.seal import Opener
from postroad.backup.targets.target import Target

_KEPT: Final = 16
"""Chunks kept open while messages are picked; neighbours are asked for one after the other."""
_BLOCK: Final = 4096
_ZEROS: Final = bytes(_BLOCK)


class Fetcher:
    """The chunks of one target, opened and compared with their names."""

    def __init__(self, target: Target, opener: Opener) -> None:
        self._target = target
        self._opener = opener
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def piece(self, piece: Piece) -> bytes:
        """The octets of a piece.

        Raises:
            Tampered: its chunk is missing, was changed, or holds something else.
            TargetError
        """
        try:
            chunk = self._target.get(chunk_path(piece.name))
        except NoSuchObject:
            raise Tampered(f"chunk {piece.name.hex()} is missing") from None
        octets = self._opener.open(piece.name, chunk)
        if len(octets) != piece.length:
            raise Tampered(f"chunk {piece.name.hex()} has {len(octets)} octets instead of {piece.length}")
        return octets

    def read(self, file: File, offset: int, length: int) -> bytes:
        """Some octets of a file.

        Raises:
            Tampered, TargetError
        """
        parts = []
        start = 0
        for piece in file.pieces:
            low, high = max(offset, start), min(offset + length, start + piece.length)
            if low < high:
                parts.append(self._cached(piece)[low - start : high - start])
            start += piece.length
        found = b"".join(parts)
        if len(found) != length:
            raise Tampered(f"{file.path} ends before octet {offset + length}")
        return found

    def write(
        self,
        file: File,
        path: Path,
        progress: Callable[[int], None] = lambda _octets: None,
        lost: list[str] | None = None,
    ) -> None:
        """Write a file out, durable when this returns; what is zero becomes a hole again.

        `progress` is told of octets as they are written. With `lost` a damaged
        chunk is named there and leaves zeros, and the rest is written.

        Raises:
            Tampered, TargetError
            OSError: the disk is full or failing.
        """

        def fetch(piece: Piece) -> bytes:
            try:
                return self.piece(piece)
            except Tampered as error:
                if lost is None:
                    raise Tampered(f"{file.path}: {error}") from None
                lost.append(f"{file.path}: {error}")
                return bytes(piece.length)

        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            start = 0
            for octets in in_order(fetch, file.pieces):
                _write_sparse(descriptor, octets, start)
                start += len(octets)
                progress(len(octets))
            os.ftruncate(descriptor, start)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _cached(self, piece: Piece) -> bytes:
        octets = self._kept.get(piece.name)
        if octets is None:
            octets = self._kept[piece.name] = self.piece(piece)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(piece.name)
        return octets


def file_of(manifest: Manifest, path: str) -> File:
    """A file of a backup.

    Raises:
        Tampered: the backup has no such file.
    """
    for file in manifest.files:
        if file.path == path:
            return file
    raise Tampered(f"backup {manifest.id} has no {path}")


def _write_sparse(descriptor: int, octets: bytes, at: int) -> None:
    """Write at an offset, but no block of zeros: a message punched out takes no room again."""
    if _ZEROS not in octets:
        _write_all(descriptor, octets, at)
        return
    run = 0  # where the octets begin that are not written yet
    for start in range(0, len(octets), _BLOCK):
        if octets[start : start + _BLOCK] == _ZEROS:
            _write_all(descriptor, octets[run:start], at + run)
            run = start + _BLOCK
    _write_all(descriptor, octets[run:], at + run)


def _write_all(descriptor: int, octets: bytes, at: int) -> None:
    view = memoryview(octets)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written
