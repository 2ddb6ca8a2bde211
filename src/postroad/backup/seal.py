"""Chunks and manifests as the target sees them: sealed, guarded, under names that give nothing away.

    chunk     "postroad chunk 1\\n"  HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM)  guard
    manifest  "postroad backup 1 <key id>\\n"  nonce  AES-256-GCM

A chunk's name is a keyed digest of what is in it: the same octets are stored
once, and nobody without the key can tell from a name whether a message that
he knows is there. The name goes into the encryption, so a chunk under another
name opens for nobody. The guard is a keyed digest over name and chunk: the
server can check with it what it cannot read.
"""

import hmac
import os
from hashlib import blake2b
from typing import Final

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from postroad.backup.errors import Tampered, WrongKey
from postroad.backup.keys import OperatorKey, ServerKey, public_key

LARGEST: Final = 8 * 1024 * 1024
"""Octets of the largest chunk; a longer one is not ours."""

_CHUNK: Final = b"postroad chunk 1\n"
_MANIFEST: Final = b"postroad backup 1 "
_KEY_ID: Final = 8
_NONCE: Final = 12
_GUARD: Final = 32
_LEVEL: Final = 1  # mail hardly gets smaller with more
_AS_IT_IS: Final = b"\0"
_ZSTD: Final = b"\1"


class Sealer:
    """What the server's half of the key can do."""

    def __init__(self, key: ServerKey) -> None:
        self._key_id = key.id.encode()
        self._public = public_key(key)
        self._names = _derived(key, b"names")
        self._guards = _derived(key, b"guards")
        self._manifests = AESGCM(_derived(key, b"manifests"))
        self._suite = _suite()

    def name(self, octets: bytes) -> bytes:
        """The name of a chunk, from what is in it."""
        return blake2b(octets, key=self._names, digest_size=32).digest()

    def seal(self, name: bytes, octets: bytes) -> bytes:
        """Compress and encrypt a chunk."""
        # A compressor is not for several threads, and making one costs little.
        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(octets)
        plain = _ZSTD + packed if len(packed) < len(octets) else _AS_IT_IS + octets
        sealed = _CHUNK + self._suite.encrypt(plain, self._public, info=_info(name))
        return sealed + self._guard(name, sealed)

    def check(self, name: bytes, chunk: bytes) -> bytes:
        """Give what is sealed inside, unread.

        Raises:
            Tampered: it is not the chunk that was put under this name.
        """
        sealed, guard = chunk[:-_GUARD], chunk[-_GUARD:]
        if not chunk.startswith(_CHUNK) or not hmac.compare_digest(guard, self._guard(name, sealed)):
            raise Tampered(f"chunk {name.hex()} is not what was put there")
        return sealed[len(_CHUNK) :]

    def seal_manifest(self, backup_id: str, octets: bytes) -> bytes:
        """Encrypt a manifest; the server can read it again."""
        nonce = os.urandom(_NONCE)
        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(octets)
        sealed = self._manifests.encrypt(nonce, packed, _info(backup_id.encode()))
        return _MANIFEST + self._key_id + b"\n" + nonce + sealed

    def open_manifest(self, backup_id: str, sealed: bytes) -> bytes:
        """Decrypt a manifest.

        Raises:
            Tampered: it was changed, or is that of another backup.
            WrongKey: it was made with another key.
        """
        head = len(_MANIFEST) + _KEY_ID + 1
        if not sealed.startswith(_MANIFEST) or sealed[head - 1 : head] != b"\n":
            raise Tampered(f"backup {backup_id}: its manifest is damaged")
        made_with = sealed[len(_MANIFEST) : head - 1]
        if made_with != self._key_id:
            raise WrongKey(
                f"backup {backup_id} was made with the key {made_with.decode('ascii', 'replace')}, "
                f"the key given is {self._key_id.decode()}; give the file that postroad backup key made then"
            )
        nonce, body = sealed[head : head + _NONCE], sealed[head + _NONCE :]
        try:
            packed = self._manifests.decrypt(nonce, body, _info(backup_id.encode()))
        except (InvalidTag, ValueError):
            raise Tampered(
                f"backup {backup_id}: its manifest was changed, or is that of another backup"
            ) from None
        return zstandard.ZstdDecompressor().decompress(packed)

    def _guard(self, name: bytes, sealed: bytes) -> bytes:
        digest = blake2b(name, key=self._guards, digest_size=_GUARD)
        digest.update(sealed)
        return digest.digest()


class Opener:
    """What takes the operator's half: reading chunks."""

    def __init__(self, key: OperatorKey) -> None:
        self.sealer = Sealer(key.server)
        self._private = key.private
        self._suite = _suite()

    def open(self, name: bytes, chunk: bytes) -> bytes:
        """Decrypt a chunk and compare it with its name.

        Raises:
            Tampered: it is not the chunk that was put under this name.
        """
        sealed = self.sealer.check(name, chunk)
        try:
            plain = self._suite.decrypt(sealed, self._private, info=_info(name))
        except (InvalidTag, ValueError):
            raise Tampered(f"chunk {name.hex()} cannot be opened") from None
        octets = plain[1:]
        if plain[:1] == _ZSTD:
            octets = zstandard.ZstdDecompressor().decompress(octets, max_output_size=LARGEST)
        if self.sealer.name(octets) != name:
            raise Tampered(f"chunk {name.hex()} holds something else than its name says")
        return octets


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _derived(key: ServerKey, use: bytes) -> bytes:
    """A key for one use alone."""
    return blake2b(key.public, key=key.secret, digest_size=32, person=use).digest()


def _info(name: bytes) -> bytes:
    return b"postroad backup " + name
