"""The DKIM-Signature field as a value (RFC 6376 §3.5, RFC 8616 §5)."""

import re
from dataclasses import dataclass, field
from typing import Final

from postroad.mailauth.dkim.body import Wanted
from postroad.mailauth.dkim.canonical import Canonical
from postroad.mailauth.dkim.names import MAX_NAME, is_within, key_name, read_domain, read_name
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.tags import (
    TagError,
    decimal,
    decode_base64,
    decode_quoted,
    parse_tags,
    required,
    without_space,
)
from postroad.message.header import Field, HeaderBlock

FIELD: Final = b"dkim-signature"

_ALGORITHM: Final = re.compile(r"(rsa|ed25519)-(sha1|sha256)")
_HEADER_NAME: Final = re.compile(r"[!-9<-~]+")  # ftext; a semicolon ends the tag
_DIGITS_OF_TIME: Final = 12  # RFC 6376 §3.5: up to the year 31,690
_DIGITS_OF_LENGTH: Final = 76


@dataclass(frozen=True, slots=True)
class Signed:
    """What signatures of DKIM and message signatures of ARC say alike (RFC 8617 §4.1.2)."""

    field: Field
    kind: str
    """`rsa` or `ed25519`."""
    hash: str
    """`sha1` or `sha256`."""
    domain: str
    selector: str
    way: Canonical
    """Canonical form of the header."""
    body: Wanted
    body_hash: bytes
    names: tuple[bytes, ...]
    """`h=` in lower case."""
    octets: bytes
    """The signature itself."""
    time: int | None
    expires: int | None
    shown: str
    """`b=` without white space."""

    @property
    def algorithm(self) -> str:
        """`a=`"""
        return f"{self.kind}-{self.hash}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM signature that can be verified."""

    signed: Signed
    identity: str
    """`i=`"""
    identity_domain: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A signature that is none, and why; with what could be read of it."""

    result: Result
    reason: str
    tags: dict[str, str] = field(default_factory=dict)


def read_signature(block: HeaderBlock, at: Field) -> Signature | Unreadable:
    """Read one DKIM-Signature field."""
    tags: dict[str, str] = {}
    try:
        tags = parse_tags(block.value(at))
        if required(tags, "v") != "1":
            raise TagError("it is of another version than 1")
        signed = read_signed(tags, at)
        if "dns/txt" not in [method.strip(" \t") for method in tags.get("q", "dns/txt").split(":")]:
            raise TagError("its key is to be asked for in an unknown way (q=)")
        identity, identity_domain = _identity(tags, signed.domain)
    except TagError as error:
        # RFC 8601 §2.7.1 calls signatures with syntax errors neutral.
        return Unreadable(Result.NEUTRAL, f"the signature cannot be read: {error}", tags)
    if b"from" not in signed.names:  # RFC 6376 §6.1.1
        return Unreadable(Result.PERMERROR, "the signature does not cover the From field", tags)
    if not is_within(identity_domain, signed.domain):  # RFC 6376 §6.1.1
        return Unreadable(Result.PERMERROR, "the signer names somebody outside its domain (i=)", tags)
    return Signature(signed, identity, identity_domain)


def read_signed(tags: dict[str, str], at: Field, *, gaps: bool = False) -> Signed:
    """Read what DKIM-Signature and ARC-Message-Signature have in common.

    `gaps` lets a list pass that has empty names in it, or nothing at all: chains of ARC have such.

    Raises:
        TagError: a tag is missing or its value is not what it must be.
    """
    kind, digest = read_algorithm(tags)
    domain, selector = read_key_place(tags)
    header_way, body_way = _ways(tags.get("c", "simple/simple"))
    time = decimal(tags, "t", _DIGITS_OF_TIME)
    expires = decimal(tags, "x", _DIGITS_OF_TIME)
    if time is not None and expires is not None and expires <= time:
        raise TagError("it expires before it was made (x=)")  # RFC 6376 §3.5
    return Signed(
        field=at,
        kind=kind,
        hash=digest,
        domain=domain,
        selector=selector,
        way=header_way,
        body=Wanted(body_way, decimal(tags, "l", _DIGITS_OF_LENGTH)),
        body_hash=decode_base64(required(tags, "bh"), "bh"),
        names=_header_names(tags, gaps),
        octets=decode_base64(required(tags, "b"), "b"),
        time=time,
        expires=expires,
        shown=without_space(tags["b"]),
    )


def read_algorithm(tags: dict[str, str]) -> tuple[str, str]:
    """Return kind of key and hash of `a=`.

    Raises:
        TagError: it is missing, or an algorithm that nobody knows.
    """
    found = _ALGORITHM.fullmatch(required(tags, "a"))
    if found is None:
        raise TagError("its algorithm is unknown (a=)")
    return found[1], found[2]


def read_key_place(tags: dict[str, str]) -> tuple[str, str]:
    """Return domain and selector, `d=` and `s=`.

    Raises:
        TagError: one is missing or no name.
    """
    domain = read_domain(required(tags, "d"))
    selector = read_name(required(tags, "s"), "s")
    if len(key_name(selector, domain)) > MAX_NAME:
        raise TagError("the name of its key is too long (s=, d=)")
    return domain, selector


def _ways(text: str) -> tuple[Canonical, Canonical]:
    header, _, body = text.partition("/")
    try:
        return Canonical(header), Canonical(body) if "/" in text else Canonical.SIMPLE
    except ValueError:
        raise TagError("its canonical form is unknown (c=)") from None


def _header_names(tags: dict[str, str], gaps: bool) -> tuple[bytes, ...]:
    value = tags.get("h", "") if gaps and "h" in tags else required(tags, "h")
    names = [name.strip(" \t") for name in value.split(":")]
    if gaps:
        names = [name for name in names if name]
    if not all(map(_HEADER_NAME.fullmatch, names)):
        raise TagError("its list of header fields cannot be read (h=)")
    return tuple([name.lower().encode() for name in names])


def _identity(tags: dict[str, str], domain: str) -> tuple[str, str]:
    if "i" not in tags:
        return f"@{domain}", domain
    identity = decode_quoted(tags["i"])
    local, at, host = identity.rpartition("@")
    if not at:
        raise TagError("the tag i= is no address")
    host = read_name(host, "i")
    return f"{local}@{host}", host
