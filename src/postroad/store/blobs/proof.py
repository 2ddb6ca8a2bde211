"""Whether a message that is read is the one that was filed: by the CRC-32 in its pack, or by its digest.

The line in front of it has both (`record`). Where it names the digest that the
index knows, its CRC is believed, which takes an eighth of the time. An older
postroad has written none, and a line may rot as well.
"""

import hashlib
import zlib

from postroad.store.blobs.record import crc_text, crc_text_in


class Proof:
    """What is added up of one message, from its first octet to its last."""

    __slots__ = ("_crc", "_digest", "_hash", "_said")

    def __init__(self, before: bytes, digest: bytes) -> None:
        """`before` ends with the line in front of the message, as it is in the pack."""
        self._digest = digest
        self._said = crc_text_in(before, digest)
        self._crc = 0
        self._hash = None if self._said else hashlib.sha256()

    @property
    def by_crc(self) -> bool:
        """Whether it goes by the CRC; where that does not fit, the digest tells what has rotted."""
        return self._hash is None

    def add(self, octets: bytes) -> None:
        """Take what comes next."""
        if self._hash is None:
            self._crc = zlib.crc32(octets, self._crc)
        else:
            self._hash.update(octets)

    def holds(self) -> bool:
        """Whether all that was added is the message."""
        if self._hash is None:
            return self._said == crc_text(self._crc)
        return self._hash.digest() == self._digest


def is_as_filed(body: bytes, digest: bytes, before: bytes) -> bool:
    """Whether a message that is in memory is the one that was filed."""
    proof = Proof(before, digest)
    proof.add(body)
    return proof.holds() or (proof.by_crc and hashlib.sha256(body).digest() == digest)
