"""What a backup holds of a data directory: the index, packs up to their committed ends, a few files.

Files are cut into pieces at fixed places. Packs only grow at their end, and
the index changes page by page, so most pieces are the same as last time and
are stored once. Where a message was punched out of a pack, the piece is
stored again with the hole in it: dead mail goes with the last backup that
was made while it lived.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from postroad.backup.manifest import File, Piece
from postroad.db.transaction import Reader
from postroad.directory import seal
from postroad.store.blobs.pack import pack_path
from postroad.store.store import PACKS

INDEX: Final = "index.db"
SETTINGS: Final = "postroad.toml.saved"
"""The settings file as it was, for the operator; a restored server does not read it."""
SERVER_KEY: Final = "backup.key"
SMALL_FILES: Final = ("tls/self-signed.pem", "tls/self-signed.key", seal.FILE_NAME, SERVER_KEY)
"""Files of the data directory that clients or the next backup need as they are."""

PACK_PIECE: Final = 1024 * 1024
INDEX_PIECE: Final = 64 * 1024
"""Sixteen pages: one that changed takes few others along."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A piece of a file, to be read and stored."""

    path: str
    """Of the file, in the data directory."""
    source: Path
    start: int
    length: int
    mark: bytes = b""
    known: Piece | None = None
    """The piece of the backup before, when it cannot have changed since."""

    def read(self) -> bytes:
        """The octets.

        Raises:
            OSError: the file is gone, unreadable or too short.
        """
        descriptor = os.open(self.source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            octets = os.pread(descriptor, self.length, self.start)
        finally:
            os.close(descriptor)
        if len(octets) != self.length:
            raise OSError(
                errno.EIO, f"the file ends before octet {self.start + self.length}", str(self.source)
            )
        return octets


def plan(
    data: Path, copy: Path, reader: Reader, settings: Path | None, before: Mapping[str, File]
) -> list[Planned]:
    """List every piece, in the order of files; `reader` asks the `copy` of the index.

    `before` holds the files of the previous backup of this data directory.
    """
    pieces: list[Planned] = []
    for name in SMALL_FILES:
        pieces += _pieces(name, data / name, _size(data / name), PACK_PIECE)
    if settings is not None:
        pieces += _pieces(SETTINGS, settings, _size(settings), PACK_PIECE)
    for pack, tail in reader.rows("SELECT id, tail FROM pack WHERE tail > 0 ORDER BY id"):
        path = pack_path(Path(PACKS), pack)
        old = before.get(str(path))
        pieces += _pack_pieces(reader, pack, tail, str(path), data / path, old.pieces if old else ())
    pieces += _pieces(INDEX, copy, _size(copy), INDEX_PIECE)
    return pieces


def _pieces(name: str, source: Path, size: int, step: int) -> Iterator[Planned]:
    for start in range(0, size, step):
        yield Planned(name, source, start, min(step, size - start))


def _pack_pieces(
    reader: Reader, pack: int, tail: int, name: str, source: Path, old: tuple[Piece, ...]
) -> Iterator[Planned]:
    marks = _marks(reader, pack, tail)
    for number, start in enumerate(range(0, tail, PACK_PIECE)):
        length = min(PACK_PIECE, tail - start)
        mark = marks.get(number, b"")
        known = old[number] if number < len(old) else None
        # A piece at the end may have grown, and one without a message has nothing to be known by.
        unchanged = known is not None and mark and length == PACK_PIECE == known.length and known.mark == mark
        yield Planned(name, source, start, length, mark, known if unchanged else None)


def _marks(reader: Reader, pack: int, tail: int) -> dict[int, bytes]:
    """For each piece a digest of the messages that lie in it, wholly or in part."""
    digests = {}
    for offset, length, digest in reader.rows(
        "SELECT offset, length, digest FROM blob WHERE pack = ? AND offset < ? ORDER BY offset", pack, tail
    ):
        for number in range(offset // PACK_PIECE, (offset + max(length, 1) - 1) // PACK_PIECE + 1):
            if number not in digests:
                digests[number] = blake2b(digest_size=16)
            digests[number].update(b"%d %d " % (offset, length) + digest)
    return {number: digest.digest() for number, digest in digests.items()}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
