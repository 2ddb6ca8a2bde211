"""Making DKIM signatures (RFC 6376 §5, RFC 8301, RFC 8463).

Both forms are relaxed, the body is signed to its end, and each field that a
reader would be shown is listed once more than it is there, so that nobody can
add another (RFC 6376 §5.4, §8.15).
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from postroad.mailauth.dkim.body import BodyHashes, Wanted
from postroad.mailauth.dkim.canonical import Canonical
from postroad.mailauth.dkim.header_data import HeaderData, without_signature
from postroad.message.header import HeaderBlock

PrivateKey: TypeAlias = RSAPrivateKey | Ed25519PrivateKey

LIFETIME: Final = 10 * 86400
"""Seconds for which a signature holds: our queue and the next one keep mail for five days each."""

OVERSIGNED: Final = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"reply-to",
    b"content-type",
    b"mime-version",
    b"message-id",
)
"""Fields that may not be added either."""
SIGNED: Final = (
    b"sender",
    b"content-transfer-encoding",
    b"in-reply-to",
    b"references",
    b"resent-date",
    b"resent-from",
    b"resent-to",
    b"resent-cc",
    b"list-id",
    b"list-help",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-subscribe",
    b"list-post",
    b"list-owner",
    b"list-archive",
    b"auto-submitted",
)
"""Fields that are signed where they are; a mailing list may add them (RFC 6376 §5.4.1, RFC 8058 §4)."""

BODY: Final = Wanted(Canonical.RELAXED, None)
"""What `sign` asks of the body: for a large one, have it computed in a thread."""
_WIDTH: Final = 74


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key to sign with, and where its other half is published."""

    domain: str
    selector: str
    private: PrivateKey = field(repr=False)

    @property
    def kind(self) -> str:
        """`rsa` or `ed25519`."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @property
    def algorithm(self) -> str:
        """`a=`"""
        return f"{self.kind}-sha256"


def sign(
    block: HeaderBlock,
    body: BodyHashes,
    keys: Sequence[SigningKey],
    *,
    now: float,
    lifetime: int = LIFETIME,
) -> bytes:
    """Return the fields to put on top of a message, one for each key.

    Nothing is returned for a message without From, which cannot be signed, or
    with a header beyond the limits, of which we do not see all.
    """
    if not keys or block.truncated or not block.count(b"from"):
        return b""
    names = names_to_sign(block)
    data = HeaderData(block).selected(Canonical.RELAXED, names)
    tail = (
        *(f"t={int(now)};", f"x={int(now) + lifetime};"),
        *listed(names),
        body_hash_tag(body),
    )
    return b"".join([_field(key, data, tail) for key in keys])


def names_to_sign(block: HeaderBlock) -> list[bytes]:
    """Return what `h=` will list for a message, in lower case."""
    names: list[bytes] = []
    for name in OVERSIGNED:
        names += [name] * (block.count(name) + 1)
    for name in SIGNED:
        names += [name] * block.count(name)
    return names


def body_hash_tag(body: BodyHashes) -> str:
    """Return `bh=` over the whole body in relaxed form."""
    return f"bh={base64.b64encode(body.digest(BODY)).decode()};"


def signature_field(name: str, words: Sequence[str], data: bytes, private: PrivateKey) -> bytes:
    """Return a field of these tags, each with its semicolon, that signs `data` and itself."""
    unsigned = _folded(f"{name}: ", [*words, "b="])
    whole = data + without_signature(Canonical.RELAXED, unsigned, len(name) + 1)
    octets = _signature(private, whole)
    text = base64.b64encode(octets).decode()
    lines = [text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH)]
    return unsigned + "\r\n\t".join(["", *lines]).encode() + b"\r\n"


def _field(key: SigningKey, data: bytes, tail: Sequence[str]) -> bytes:
    words = (
        "v=1;",
        f"a={key.algorithm};",
        "c=relaxed/relaxed;",
        f"d={key.domain};",
        f"s={key.selector};",
        *tail,
    )
    return signature_field("DKIM-Signature", words, data, key.private)


def listed(names: Sequence[bytes]) -> Iterator[str]:
    """Yield the words of `h=`: a fold may stand in front of a colon, nowhere inside of a name."""
    for index, name in enumerate(names):
        first = "h=" if index == 0 else ":"
        yield f"{first}{name.decode()}{';' if index == len(names) - 1 else ''}"


def _folded(start: str, words: Sequence[str]) -> bytes:
    """Put words behind one another on lines of a bearable length."""
    lines = [start]
    for word in words:
        space = "" if word.startswith(":") or lines[-1].endswith((" ", "\t")) else " "
        if len(lines[-1]) + len(space) + len(word) > _WIDTH:
            lines.append("\t")
            space = ""
        lines[-1] += space + word
    return "\r\n".join(lines).encode()


def _signature(private: PrivateKey, data: bytes) -> bytes:
    if isinstance(private, RSAPrivateKey):
        return private.sign(data, PKCS1v15(), SHA256())
    return private.sign(hashlib.sha256(data).digest())  # RFC 8463 §3
