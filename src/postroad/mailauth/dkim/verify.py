"""Verifying the DKIM signatures of a message (RFC 6376 §6.1, RFC 8301, RFC 8463)."""

import hashlib
from typing import Final

from postroad.mailauth.dkim.body import BodyHashes, Wanted
from postroad.mailauth.dkim.header_data import HeaderData
from postroad.mailauth.dkim.key import KeyRecord, is_signed_by
from postroad.mailauth.dkim.keyring import Keyring, NoKey, TxtResolver
from postroad.mailauth.dkim.limits import DEFAULT, Limits
from postroad.mailauth.dkim.names import read_name
from postroad.mailauth.dkim.result import Result, SignatureResult, Verification
from postroad.mailauth.dkim.signature import FIELD, Signature, Signed, Unreadable, read_signature
from postroad.mailauth.dkim.tags import TagError, without_space
from postroad.message.header import HeaderBlock

_TOO_LONG: Final = Unreadable(Result.POLICY, "the header of the message is beyond the limits")
# RFC 6376 §3.8: to others the body begins at such a line, and what they show there nobody has signed.
_STRANGE: Final = Unreadable(Result.POLICY, "the header has a line that is no field")


def wanted_hashes(block: HeaderBlock, limits: Limits = DEFAULT) -> list[Wanted]:
    """Say which hashes of the body `verify` will ask for: see `BodyHashes.compute`."""
    fields = [field for field in block.fields if field.name_lower == FIELD]
    read = [read_signature(block, field) for field in fields[: limits.signatures]]
    return [one.signed.body for one in read if isinstance(one, Signature)]


async def verify(
    block: HeaderBlock,
    body: BodyHashes,
    resolver: TxtResolver,
    *,
    now: float,
    limits: Limits = DEFAULT,
) -> Verification:
    """Judge every DKIM signature of a message, from the top, up to the limit.

    A message without signatures gives no results. Nothing raises on what a
    stranger wrote. `now` is in seconds since the epoch.
    """
    fields = [field for field in block.fields if field.name_lower == FIELD]
    if not fields:
        return Verification(())
    header = HeaderData(block)
    keyring = Keyring(resolver, limits)
    unfit = _TOO_LONG if block.truncated else _STRANGE if block.has_strange_lines else None
    results = []
    for field in fields[: limits.signatures]:
        read = unfit or read_signature(block, field)
        if isinstance(read, Unreadable):
            results.append(_unreadable(read))
            continue
        problem = _unacceptable(block, read, now, limits)
        key: KeyRecord | None = None
        if problem is None:
            found = await keyring.find(read.signed.selector, read.signed.domain, read.signed.kind)
            if isinstance(found, NoKey):
                problem = found.result, found.reason
            else:
                key = found
                problem = wrong_key(key, read.signed.hash, limits) or _wrong_identity(key, read)
        if problem is None and key is not None and key.key is not None:
            problem = mismatch(header, body, read.signed, key)
            if problem is not None and key.testing:
                # RFC 6376 §3.6.1: who is testing must not fare worse than who does not sign.
                problem = Result.NEUTRAL, f"{problem[1]}; the domain is testing"
        results.append(_judged(read, key, problem, body))
    return Verification(tuple(results), max(0, len(fields) - limits.signatures))


def wrong_key(key: KeyRecord, digest: str, limits: Limits) -> tuple[Result, str] | None:
    """Say why a key may not be used for a signature over that hash, or None when it may."""
    if key.key is None:
        return Result.FAIL, "the key was revoked"  # RFC 6376 §6.1.2
    if key.hashes is not None and digest not in key.hashes:
        return Result.PERMERROR, "the key may not be used with this hash (h=)"
    if key.kind == "rsa":
        if (key.bits or 0) < limits.rsa_bits_least:  # RFC 8301 §3.2
            return Result.FAIL, f"a key of {key.bits} bits is too weak"
        if (key.bits or 0) > limits.rsa_bits_most:
            return Result.POLICY, f"a key of {key.bits} bits is more than we work with"
        if key.exponent_bits > limits.exponent_bits:
            return Result.POLICY, f"an exponent of {key.exponent_bits} bits is more than we work with"
    return None


def mismatch(
    header: HeaderData, body: BodyHashes, signed: Signed, key: KeyRecord
) -> tuple[Result, str] | None:
    """Say what of the message is not what was signed, or None when all is."""
    length = signed.body.length
    if length is not None and length > body.canonical_size(signed.body.way):
        return Result.FAIL, "a part of the signed body is missing (l=)"  # RFC 6376 §3.5
    body_hash = body.digest(signed.body)
    if body_hash != signed.body_hash:
        return Result.FAIL, "the body was changed after it was signed"
    data = header.signed_by(signed.field, signed.way, signed.names)
    if key.key is None or not is_signed_by(key.key, data, hashlib.sha256(data).digest(), signed.octets):
        return Result.FAIL, "the signature does not match: a signed field was changed, or another key signed"
    return None


def untimely(signed: Signed, now: float, limits: Limits) -> tuple[Result, str] | None:
    """Say whether a signature has expired or is from the future (RFC 6376 §3.5)."""
    if signed.expires is not None and now > signed.expires + limits.skew:
        return Result.FAIL, "the signature has expired (x=)"
    if signed.time is not None and signed.time > now + limits.skew:
        return Result.FAIL, "the signature was made in the future (t=)"
    return None


def _unacceptable(
    block: HeaderBlock, signature: Signature, now: float, limits: Limits
) -> tuple[Result, str] | None:
    """Say what is wrong with a signature before any key is asked for."""
    signed = signature.signed
    if signed.hash == "sha1":
        return Result.FAIL, "SHA-1 protects nothing any more"  # RFC 8301 §3.1
    if (problem := untimely(signed, now, limits)) is not None:
        return problem
    if block.count(b"from") > signed.names.count(b"from"):
        # RFC 6376 §8.15: what a reader would be shown may be the one that nobody signed.
        return Result.POLICY, "the message has a From field that is not signed"
    return None


def _wrong_identity(key: KeyRecord, signature: Signature) -> tuple[Result, str] | None:
    if key.strict and signature.identity_domain != signature.signed.domain:  # RFC 6376 §3.6.1, t=s
        return Result.PERMERROR, "the key may not be used for a subdomain (t=s, i=)"
    return None


def _unreadable(read: Unreadable) -> SignatureResult:
    return SignatureResult(
        read.result,
        read.reason,
        domain=_name(read, "d"),
        selector=_name(read, "s"),
        signature=without_space(read.tags.get("b", "")),
    )


def _name(read: Unreadable, tag: str) -> str:
    try:
        return read_name(read.tags.get(tag, ""), tag)
    except TagError:
        return ""


def _judged(
    signature: Signature, key: KeyRecord | None, problem: tuple[Result, str] | None, body: BodyHashes
) -> SignatureResult:
    signed = signature.signed
    length = signed.body.length
    unsigned = 0
    if problem is None:
        if length is not None:
            unsigned = body.canonical_size(signed.body.way) - length
        problem = Result.PASS, "the message is as it was signed"
        if unsigned:
            problem = Result.PASS, f"the last {unsigned} octets of the body are not signed (l=)"
    return SignatureResult(
        *problem,
        domain=signed.domain,
        selector=signed.selector,
        identity=signature.identity,
        algorithm=signed.algorithm,
        key_bits=None if key is None else key.bits,
        testing=key is not None and key.testing,
        signed_fields=tuple([name.decode() for name in signed.names]),
        signed_octets=length,
        unsigned_octets=unsigned,
        time=signed.time,
        expires=signed.expires,
        signature=signed.shown,
    )
