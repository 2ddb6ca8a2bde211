"""The two halves of a backup's key: the server's, which makes backups, and the operator's, which reads them.

The server holds a public key and a secret that names and guards chunks: with
them it can add to a backup, list it, prune it and find out whether it is
whole, but not read the mail in it. The operator's half, kept elsewhere, holds
the private key as well (ADR 5).
"""

import os
import stat
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from postroad.backup.errors import BadKey

_OPERATOR: Final = "postroad-backup-operator-key-1"
_SERVER: Final = "postroad-backup-server-key-1"
_ABOUT: Final = {
    _OPERATOR: "The operator's half of a postroad backup key. Whoever has it can read every backup,\n"
    "# without it no backup can be restored. Keep it away from the server, and keep two copies.",
    _SERVER: "The server's half of a postroad backup key: makes backups and cannot read them.",
}
_PART: Final = 32


@dataclass(frozen=True, slots=True)
class ServerKey:
    """What is needed to make, list, prune and check backups."""

    secret: bytes
    public: bytes

    @property
    def id(self) -> str:
        """Eight digits by which people and backups tell keys apart; gives nothing away."""
        return blake2b(self.secret + self.public, digest_size=4, person=b"postroad key id").hexdigest()


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """What is needed to restore: the private key, and the server's half with it."""

    server: ServerKey
    private: X25519PrivateKey


def make() -> OperatorKey:
    """Make a new key."""
    return _operator(os.urandom(_PART), X25519PrivateKey.generate())


def write_operator_key(path: Path, key: OperatorKey) -> None:
    """Write the operator's half into a new file.

    Raises:
        BadKey: the file is there already, or cannot be written.
    """
    _write(path, _OPERATOR, key.server.id, key.server.secret + key.private.private_bytes_raw())


def write_server_key(path: Path, key: ServerKey) -> None:
    """Write the server's half into a new file.

    Raises:
        BadKey: the file is there already, or cannot be written.
    """
    _write(path, _SERVER, key.id, key.secret + key.public)


def read_operator_key(path: Path) -> OperatorKey:
    """Read the operator's half.

    Raises:
        BadKey
    """
    kind, octets = _read(path)
    if kind != _OPERATOR:
        raise BadKey(f"{path} is the server's half of a key; reading a backup takes the operator's half")
    return _operator(octets[:_PART], X25519PrivateKey.from_private_bytes(octets[_PART:]))


def read_server_key(path: Path) -> ServerKey:
    """Read the server's half; from the operator's it is derived.

    Raises:
        BadKey
    """
    kind, octets = _read(path)
    if kind == _OPERATOR:
        return read_operator_key(path).server
    return ServerKey(octets[:_PART], octets[_PART:])


def public_key(key: ServerKey) -> X25519PublicKey:
    """The public key, for sealing."""
    return X25519PublicKey.from_public_bytes(key.public)


def _operator(secret: bytes, private: X25519PrivateKey) -> OperatorKey:
    return OperatorKey(ServerKey(secret, private.public_key().public_bytes_raw()), private)


def _write(path: Path, kind: str, key_id: str, octets: bytes) -> None:
    text = f"# {key_id}. {_ABOUT[kind]}\n{kind} {b64encode(octets).decode()}\n"
    try:
        # Never open to others, and never over another key: its backups would be lost with it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise BadKey(f"{path} is there already; a key is never overwritten") from None
    except OSError as error:
        raise BadKey(f"{path} cannot be written: {error.strerror}") from None


def _read(path: Path) -> tuple[str, bytes]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(4096).decode("utf-8", "replace")
    except FileNotFoundError:
        raise BadKey(f"there is no key {path}; make one with postroad backup key") from None
    except OSError as error:
        raise BadKey(f"{path} cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise BadKey(f"{path} may be read by others (mode {mode:o}); chmod 600 {path}")
    for line in text.splitlines():
        kind, _, encoded = line.partition(" ")
        if kind in _ABOUT:
            try:
                octets = b64decode(encoded, validate=True)
            except ValueError:
                octets = b""
            if len(octets) == 2 * _PART:
                return kind, octets
            raise BadKey(f"{path} is damaged: the key in it is incomplete; take another copy of it")
    raise BadKey(f"{path} holds no backup key; it is a file that postroad backup key made")
