"""Public keys as the DNS publishes them (RFC 6376 §3.6.1, RFC 8301 §3.2, RFC 8463 §4.2)."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from postroad.mailauth.dkim.tags import TagError, decode_base64, parse_tags, without_space

ED25519_BITS: Final = 256

PublicKey: TypeAlias = RSAPublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key record that can be used for mail, or says that its key was revoked."""

    kind: str
    """`rsa` or `ed25519`."""
    key: PublicKey | None
    """None: the record says that the key was revoked."""
    hashes: frozenset[str] | None
    """Hash algorithms that may go with the key; None for all."""
    testing: bool
    """`t=y`"""
    strict: bool
    """`t=s`: `i=` may not name a subdomain of `d=`."""

    @property
    def bits(self) -> int | None:
        """Size of the key."""
        match self.key:
            case RSAPublicKey():
                return self.key.key_size
            case Ed25519PublicKey():
                return ED25519_BITS
            case None:
                return None

    @property
    def exponent_bits(self) -> int:
        """Size of an RSA key's exponent, on which its cost depends (RFC 6376 §8.13)."""
        return self.key.public_numbers().e.bit_length() if isinstance(self.key, RSAPublicKey) else 0


def parse_key_record(text: bytes) -> KeyRecord:
    """Read a TXT record with its strings joined.

    Tags that are not known are ignored, and so are `n=` and the `g=` of old (RFC 6376 §C.2).

    Raises:
        TagError: it is no key record, or one that is not for mail or of a kind that nobody knows.
    """
    tags = parse_tags(text)
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != "DKIM1"):
        raise TagError("it is of another version than DKIM1")
    services = _listed(tags.get("s", "*"))
    if not services & {"*", "email"}:
        raise TagError("its key is not for mail (s=)")
    kind = tags.get("k", "rsa")
    if kind not in ("rsa", "ed25519"):
        raise TagError("its key is of an unknown kind (k=)")
    if "p" not in tags:
        raise TagError("it has no key (p=)")
    flags = _listed(tags.get("t", ""))
    return KeyRecord(
        kind=kind,
        key=_load(kind, tags["p"]) if without_space(tags["p"]) else None,
        hashes=frozenset(_listed(tags["h"])) if "h" in tags else None,
        testing="y" in flags,
        strict="s" in flags,
    )


def is_signed_by(key: PublicKey, data: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the holder of a key signed the data, of which `digest` is the SHA-256."""
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, data, PKCS1v15(), SHA256())
        else:
            key.verify(signature, digest)  # RFC 8463 §3: it signs the hash
    except InvalidSignature:
        return False
    return True


def _load(kind: str, text: str) -> PublicKey:
    octets = decode_base64(text, "p")
    try:
        if kind == "ed25519":
            return Ed25519PublicKey.from_public_bytes(octets)
        # SubjectPublicKeyInfo as all publish it, or the bare RSAPublicKey of RFC 6376 §3.6.1.
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise TagError("its key cannot be read (p=)") from None
    if not isinstance(key, RSAPublicKey):
        raise TagError("its key is not of the kind that it says (k=)")
    return key


def _listed(value: str) -> set[str]:
    return {item.strip(" \t") for item in value.split(":")}
