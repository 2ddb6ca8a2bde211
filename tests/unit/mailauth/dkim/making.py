"""Signatures of any kind for tests, wrong ones too."""

import asyncio
import base64
import hashlib
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.dkim.body import BodyHashes, Wanted
from postroad.mailauth.dkim.canonical import Canonical
from postroad.mailauth.dkim.header_data import HeaderData
from postroad.mailauth.dkim.limits import DEFAULT, Limits
from postroad.mailauth.dkim.result import SignatureResult, Verification
from postroad.mailauth.dkim.verify import verify
from postroad.message.header import HeaderBlock

NOW = 1_700_000_000.0
MESSAGE = (
    b"From: Ada <ada@a.test>\r\n"
    b"To: bob@b.test\r\n"
    b"Subject: A  letter\r\n \t of two lines\r\n"
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    b"\r\n"
    b"Dear  Bob, \r\n"
    b"\tall is well.\r\n"
    b"\r\n"
)

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


@cache
def rsa(bits: int = 2048, exponent: int = 65537) -> RSAPrivateKey:
    """Give the one RSA key of that size."""
    return generate_private_key(exponent, bits)


@cache
def ed25519() -> Ed25519PrivateKey:
    """Give the one Ed25519 key."""
    return Ed25519PrivateKey.from_private_bytes(bytes(32))


def record(key: PrivateKey, tags: str = "v=DKIM1; ") -> bytes:
    """Give the key record that publishes a key."""
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"{tags}k=ed25519; p={base64.b64encode(raw).decode()}".encode()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{tags}p={base64.b64encode(der).decode()}".encode()


def signed(key: PrivateKey | None = None, message: bytes = MESSAGE, /, **tags: str | None) -> bytes:
    """Put a signature on top; a tag of None is left out, `c`, `h`, `l` and `a` mean what they say."""
    key = key or ed25519()
    kind = "ed25519" if isinstance(key, Ed25519PrivateKey) else "rsa"
    all_tags: dict[str, str | None] = {
        "v": "1",
        "a": f"{kind}-sha256",
        "c": "relaxed/relaxed",
        "d": "a.test",
        "s": "sel",
        "h": "From:To:Subject:Date",
        **tags,
    }
    ways = (all_tags["c"] or "simple/simple").split("/")
    header_way = Canonical(ways[0])
    body_way = Canonical(ways[1]) if len(ways) > 1 else Canonical.SIMPLE
    length = all_tags.get("l")
    block = HeaderBlock.parse(message)
    wanted = Wanted(body_way, None if length is None else int(length))
    digest = BodyHashes(message, block.body_start).digest(wanted)
    all_tags.setdefault("bh", base64.b64encode(digest).decode())
    text = "; ".join(f"{name}={value}" for name, value in all_tags.items() if value is not None)
    field = f"DKIM-Signature: {text}; b=".encode()
    block = HeaderBlock.parse(field + b"\r\n" + message)
    names = [name.strip().lower().encode() for name in (all_tags["h"] or "").split(":")]
    data = HeaderData(block).signed_by(block.fields[0], header_way, names)
    if isinstance(key, Ed25519PrivateKey):
        octets = key.sign(hashlib.sha256(data).digest())
    else:
        sha1 = (all_tags["a"] or "").endswith("sha1")
        octets = key.sign(data, PKCS1v15(), SHA1() if sha1 else SHA256())
    return field + base64.b64encode(octets) + b"\r\n" + message


def zone(text: bytes | None = None, name: str = "sel._domainkey.a.test") -> ZoneResolver:
    """Give a DNS with one key record: that of the Ed25519 key, unless another is given."""
    resolver = ZoneResolver()
    resolver.add_txt(name, record(ed25519()) if text is None else text)
    return resolver


def verified(
    message: bytes, resolver: ZoneResolver | None = None, *, now: float = NOW, limits: Limits = DEFAULT
) -> Verification:
    """Verify all signatures."""
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    resolver = zone() if resolver is None else resolver
    return asyncio.run(verify(block, body, resolver, now=now, limits=limits))


def only(message: bytes, resolver: ZoneResolver | None = None, *, now: float = NOW) -> SignatureResult:
    """Verify the one signature of a message."""
    [result] = verified(message, resolver, now=now).results
    return result
