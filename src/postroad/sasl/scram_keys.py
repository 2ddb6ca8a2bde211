"""What a server keeps for SCRAM in place of a password (RFC 5802 §3, RFC 7677)."""

import hmac
from dataclasses import dataclass, field
from hashlib import new, pbkdf2_hmac
from typing import Final

HASHES: Final = {"SHA-256": "sha256", "SHA-1": "sha1"}
"""By the names in the mechanisms: what hashlib calls them. The stronger first."""

LEAST_ITERATIONS: Final = 4096
"""RFC 5802 §5.1, RFC 7677 §4."""


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """The keys that come of one password, salt and count."""

    iterations: int
    salt: bytes
    stored_key: bytes = field(repr=False)
    """What a client's proof is held against."""
    server_key: bytes = field(repr=False)
    """What the server proves with that it knows the client."""


def derive(hash_name: str, prepared: str, salt: bytes, iterations: int) -> ScramKeys:
    """Make the keys of a password in its SASLprep form; takes as long as the count says."""
    digest = HASHES[hash_name]
    salted = pbkdf2_hmac(digest, prepared.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", digest)
    return ScramKeys(
        iterations, salt, new(digest, client_key).digest(), hmac.digest(salted, b"Server Key", digest)
    )


def proves(hash_name: str, keys: ScramKeys, message: bytes, proof: bytes) -> bool:
    """Whether a client's proof over the messages of an exchange shows that it knows the password."""
    digest = HASHES[hash_name]
    signature = hmac.digest(keys.stored_key, message, digest)
    if len(proof) != len(signature):
        return False
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    return hmac.compare_digest(new(digest, client_key).digest(), keys.stored_key)


def server_signature(hash_name: str, keys: ScramKeys, message: bytes) -> bytes:
    """The server's own proof over the same messages."""
    return hmac.digest(keys.server_key, message, HASHES[hash_name])
