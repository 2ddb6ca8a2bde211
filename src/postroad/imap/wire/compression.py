"""DEFLATE in both directions, in steps that a bomb cannot lengthen (RFC 4978, RFC 1951)."""

import zlib
from typing import Final

LEVEL: Final = 3
"""RFC 4978 §4 advises 1 to 5."""
_WINDOW: Final = -13
"""8 KiB to look back, no header: with `_MEMORY` 64 KiB a session, where zlib's usual is 256."""
_MEMORY: Final = 6
_PIECE: Final = 4096
"""Octets given to the inflater at a time."""
_CLIENTS_WINDOW: Final = -15
"""The client may look back as far as the format allows."""
LAST_BLOCKS: Final = (b"\x03\x00", b"\x01\x00\x00\xff\xff")
"""An empty block that ends a stream, in fixed codes or stored (RFC 1951 §3.2); no command begins so."""


class BrokenStream(Exception):
    """What came is no DEFLATE."""


class Compression:
    """One session's two streams; no more than `step` octets are inflated at a time."""

    __slots__ = ("_deflate", "_held", "_inflate", "_more", "_step")

    def __init__(self, step: int) -> None:
        self._step = step
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY)
        self._inflate = zlib.decompressobj(_CLIENTS_WINDOW)
        self._held = bytearray()
        self._more = False
        """The last step was full: there may be more without another octet."""

    def __len__(self) -> int:
        """Octets that have come and are not inflated."""
        return len(self._held)

    def deflate(self, octets: bytes) -> bytes:
        """Compress, to the last octet: the client can read all of it now."""
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def last(self, octets: bytes) -> bytes:
        """Compress, and end the stream with it: the client finds its end within these octets."""
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_FINISH)

    def rest(self) -> tuple[bytes, bytes, bool]:
        """What is inflated and not taken, what stands behind, and whether the client's stream has ended."""
        plain = self._inflate.decompress(b"", self._step) if self._more else b""
        return plain, self._inflate.unused_data + bytes(self._held), self._inflate.eof

    def hold(self, octets: bytes) -> None:
        """Take what has come from the client."""
        self._held += octets

    def inflate(self) -> bytes:
        """Inflate one step of what is held; empty when more has to come.

        Raises:
            BrokenStream: it is no DEFLATE, or goes on behind its end.
        """
        while self._held or self._more:
            # A little at a time: what a step leaves over is copied.
            piece = bytes(self._held[:_PIECE])
            try:
                plain = self._inflate.decompress(piece, self._step)
            except zlib.error as error:
                raise BrokenStream(str(error)) from None
            del self._held[: len(piece) - len(self._inflate.unconsumed_tail)]
            self._more = len(plain) == self._step
            if plain:
                return plain
        if self._inflate.unused_data:
            raise BrokenStream("the stream had ended")
        return b""
