"""Secrets at rest: what the database keeps of them is of no use without the file `seal.key`.

The file lies in the data directory, readable by the server's user alone, and
goes into backups. A copy of the database, a log or a core holds no key.
"""

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

FILE_NAME: Final = "seal.key"

_KEY: Final = 32
_NONCE: Final = 12


class CannotOpen(Exception):
    """A sealed secret was sealed with another key, or for something else."""


class Seal:
    """Seals octets and opens them again."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._key = key

    @classmethod
    def of(cls, data: Path) -> "Seal":
        """The seal of a data directory; its key is made when there is none.

        Raises:
            OSError: the file cannot be read or made.
            CannotOpen: the file is damaged.
        """
        path = data / FILE_NAME
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            _make(path)
            key = path.read_bytes()
        if len(key) != _KEY:
            raise CannotOpen(f"{path} is damaged: it is not {_KEY} octets long")
        return cls(key)

    def close(self, secret: bytes, about: str) -> bytes:
        """Seal a secret; it opens only for what it is about."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, about.encode())

    def derive(self, purpose: str) -> bytes:
        """A key of 32 octets for one purpose, always the same one."""
        return hmac.digest(self._key, f"derived for {purpose}".encode(), "sha256")

    def open(self, sealed: bytes, about: str) -> bytes:
        """Return the secret.

        Raises:
            CannotOpen
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
        except (InvalidTag, ValueError):
            raise CannotOpen(f"what is sealed for {about} does not open with {FILE_NAME}") from None


def _make(path: Path) -> None:
    """Put a new key in place whole and durable; of several processes that try, the first has its way."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
