"""Reading what is in packs: a descriptor each, `pread`, and digests that are checked."""

import hashlib
import mmap
import os
from collections import OrderedDict
from pathlib import Path
from typing import Final

from postroad.store.blobs.pack import pack_path
from postroad.store.errors import Damaged

OPEN_PACKS: Final = 64
_PIECE: Final = 1024 * 1024
_PROVED: Final = 65_536
"""Messages of which is remembered that they match their digests; then it is forgotten of all."""


class PackReader:
    """Open packs of one worker, least recently used closed first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[int, int] = OrderedDict()
        self._proved: set[int] = set()

    def proved(self, pack: int, offset: int) -> bool:
        """Whether the message there was seen to match its digest not long ago."""
        return pack << 32 | offset in self._proved

    def prove(self, pack: int, offset: int) -> None:
        """Remember that it does: hashing it costs more than reading it."""
        if len(self._proved) >= _PROVED:
            self._proved.clear()
        self._proved.add(pack << 32 | offset)

    def read(self, pack: int, offset: int, length: int) -> bytes:
        """`length` octets at `offset`.

        Raises:
            Damaged: the pack is missing or shorter than that.
        """
        data = os.pread(self.fd(pack), length, offset)
        if len(data) != length:
            raise Damaged(f"pack {pack} ends before octet {offset + length}")
        return data

    def fd(self, pack: int) -> int:
        """An open descriptor; valid until the next call."""
        fd = self._open.get(pack)
        if fd is not None:
            self._open.move_to_end(pack)
            return fd
        try:
            fd = os.open(pack_path(self._folder, pack), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Damaged(f"pack {pack} is missing") from error
        self._open[pack] = fd
        if len(self._open) > OPEN_PACKS:
            os.close(self._open.popitem(last=False)[1])
        return fd

    def map(self, pack: int, offset: int, length: int) -> tuple[mmap.mmap, int]:
        """Map a region; give the map and where in it the region begins."""
        start = offset - offset % mmap.ALLOCATIONGRANULARITY
        region = mmap.mmap(self.fd(pack), length + offset - start, prot=mmap.PROT_READ, offset=start)
        return region, offset - start

    def digest(self, pack: int, offset: int, length: int) -> bytes:
        """SHA-256 of a region, read in pieces."""
        digest = hashlib.sha256()
        while length > 0:
            piece = self.read(pack, offset, min(length, _PIECE))
            digest.update(piece)
            offset += len(piece)
            length -= len(piece)
        return digest.digest()

    def close(self) -> None:
        """Close every pack."""
        while self._open:
            os.close(self._open.popitem()[1])
