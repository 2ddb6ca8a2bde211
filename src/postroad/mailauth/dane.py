"""DANE for SMTP: which TLSA records count, and whether they name a certificate (RFC 7672, 7671, 6698)."""

import hashlib
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from enum import Enum, IntEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from postroad.model.answers import Tlsa

RECORDS: Final = 50
"""TLSA records that are looked at; the rest of a longer set is left out."""
CHAIN: Final = 10
"""Certificates of a chain that are looked at."""


class Usage(IntEnum):
    """Certificate usages (RFC 7218 §2.1). Those with PKIX are not for SMTP (RFC 7672 §3.1.3)."""

    PKIX_TA = 0
    PKIX_EE = 1
    DANE_TA = 2
    DANE_EE = 3


class Selector(IntEnum):
    """What of a certificate is matched (RFC 7218 §2.2)."""

    CERT = 0
    SPKI = 1


class Matching(IntEnum):
    """How it is matched (RFC 7218 §2.3)."""

    FULL = 0
    SHA2_256 = 1
    SHA2_512 = 2


_UNREADABLE: Final = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
"""What cryptography says of certificates that it cannot make sense of."""
_VERSION: Final = 0xA0
"""The tag of a certificate's version, which those of version 1 leave out."""
_BEFORE_KEY: Final = 5
"""Serial number, signature algorithm, issuer, validity and subject stand in front of the key."""
_DIGESTS: Final = {Matching.SHA2_256: hashlib.sha256, Matching.SHA2_512: hashlib.sha512}


class Result(Enum):
    """What became of the check of a certificate; the values are result types of RFC 8460 §4.3."""

    MATCH = "match"
    NO_CERTIFICATE = "validation-failure"
    MISMATCH = "certificate-not-trusted"
    HOST_MISMATCH = "certificate-host-mismatch"
    EXPIRED = "certificate-expired"


def usable(records: Sequence[Tlsa]) -> tuple[Tlsa, ...]:
    """Those records that can authenticate a server; none may be left (RFC 7672 §2.2, RFC 7671 §9).

    Of several digests for the same usage and selector only the strongest
    counts, so that a weak one cannot be the way in.
    """
    known = [record for record in records[:RECORDS] if _is_usable(record)]
    strongest: dict[tuple[int, int], int] = {}
    for record in known:
        key = record.usage, record.selector
        strongest[key] = max(strongest.get(key, 0), record.matching)
    return tuple(r for r in known if r.matching in (Matching.FULL, strongest[r.usage, r.selector]))


def check(records: Sequence[Tlsa], chain: Sequence[bytes], names: Sequence[str], now: datetime) -> Result:
    """Check a server's `chain` (DER, its own certificate first) against usable records.

    `names` are the reference identifiers of RFC 7672 §3.2.2; for DANE-EE
    neither they nor the dates count (§3.1.1).
    """
    if not chain:
        return Result.NO_CERTIFICATE
    try:
        own = x509.load_der_x509_certificate(chain[0])
        ends = [r for r in records if r.usage == Usage.DANE_EE]
        if any(_matches(record, own) for record in ends):
            return Result.MATCH
        anchors = [r for r in records if r.usage == Usage.DANE_TA]
        if not anchors:
            return Result.MISMATCH
        certificates = [own, *map(x509.load_der_x509_certificate, chain[1:CHAIN])]
        return _check_anchors(anchors, certificates, names, now)
    except _UNREADABLE:
        return Result.NO_CERTIFICATE  # there is one, which cannot be read


def _is_usable(record: Tlsa) -> bool:
    if record.usage not in (Usage.DANE_TA, Usage.DANE_EE) or record.selector not in tuple(Selector):
        return False
    match record.matching:
        case Matching.SHA2_256:
            return len(record.data) == 32
        case Matching.SHA2_512:
            return len(record.data) == 64
        case Matching.FULL:
            return _is_readable(record)
        case _:
            return False


def _is_readable(record: Tlsa) -> bool:
    try:
        if record.selector == Selector.CERT:
            x509.load_der_x509_certificate(record.data)
        else:
            load_der_public_key(record.data)
    except Exception:
        return False
    return True


def _matches(record: Tlsa, certificate: x509.Certificate) -> bool:
    if record.selector == Selector.CERT:
        octets = certificate.public_bytes(Encoding.DER)
    else:
        octets = _spki(certificate)
    if record.matching == Matching.FULL:
        return octets == record.data
    return _DIGESTS[Matching(record.matching)](octets).digest() == record.data


def _spki(certificate: x509.Certificate) -> bytes:
    """The SubjectPublicKeyInfo as the certificate has it (RFC 6698 §2.1.2, RFC 5280 §4.1).

    A key that was read and written again is not always the same: a point may have been compressed,
    and what an RSA key is for may have been said. Nor has a key to be of a kind that is known here.
    """
    octets = certificate.tbs_certificate_bytes
    at, _ = _content(octets, 0)
    if octets[at] == _VERSION:
        at = sum(_content(octets, at))
    for _ in range(_BEFORE_KEY):
        at = sum(_content(octets, at))
    return octets[at : sum(_content(octets, at))]


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the DER value at an offset begins, and how many octets it has."""
    length, begin = der[at + 1], at + 2
    if length < 0x80:
        return begin, length
    more = length & 0x7F
    return begin + more, int.from_bytes(der[begin : begin + more])


# -- usage 2: a trust anchor ---------------------------------------------------


def _check_anchors(
    records: Sequence[Tlsa], certificates: list[x509.Certificate], names: Sequence[str], now: datetime
) -> Result:
    path = _path_to_anchor(records, certificates)
    if path is None:
        return Result.MISMATCH
    if any(not c.not_valid_before_utc <= now <= c.not_valid_after_utc for c in path):
        return Result.EXPIRED
    return Result.MATCH if _is_for(path[0], names) else Result.HOST_MISMATCH


def _path_to_anchor(
    records: Sequence[Tlsa], certificates: list[x509.Certificate]
) -> list[x509.Certificate] | None:
    """The certificates from the server's own up to one that a record names, each signed by the next.

    An anchor has to be in the chain that was sent (RFC 7672 §3.1.2), unless
    the record itself holds it whole.
    """
    # Each certificate is reached once, by the shortest way: a chain of look-alikes costs no more than others.
    paths, left = deque([[certificates[0]]]), certificates[1:]
    while paths:
        path = paths.popleft()
        top, below = path[-1], len(path) - 1
        # The server's own certificate is an anchor where it has signed itself.
        if any(_matches(r, top) for r in records) and (below or _is_issued_by(top, top)):
            return path
        if any(_is_signed_by(r, top, below) for r in records if r.matching == Matching.FULL):
            return path
        issuers = [c for c in left if _is_authority(c, below) and _is_issued_by(top, c)]
        paths += [[*path, issuer] for issuer in issuers]
        left = [c for c in left if c not in issuers]
    return None


def _is_signed_by(record: Tlsa, certificate: x509.Certificate, below: int) -> bool:
    """Whether an anchor that is in the DNS whole has signed a certificate, `below` authorities up."""
    if record.selector == Selector.CERT:
        anchor = x509.load_der_x509_certificate(record.data)
        return _is_authority(anchor, below) and _is_issued_by(certificate, anchor)
    return _is_signed_with(certificate, load_der_public_key(record.data))


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    return certificate.issuer == issuer.subject and _is_signed_with(certificate, issuer.public_key())


def _is_signed_with(certificate: x509.Certificate, key: object) -> bool:
    """Whether a key has signed a certificate, whatever name the key's owner has."""
    # `verify_directly_issued_by` wants an issuer with a certificate and its name; a bare key has neither.
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    digest = certificate.signature_hash_algorithm
    try:
        match key:
            case rsa.RSAPublicKey() if digest is not None:
                how = certificate.signature_algorithm_parameters
                if not isinstance(how, padding.PSS | padding.PKCS1v15):
                    return False
                key.verify(signature, signed, how, digest)
            case ec.EllipticCurvePublicKey() if digest is not None:
                key.verify(signature, signed, ec.ECDSA(digest))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, signed)
            case _:
                return False
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _is_authority(certificate: x509.Certificate, below: int) -> bool:
    """Whether a certificate may sign others, with so many authorities between it and the server's."""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        # Of before version 3 there are only anchors that sign themselves.
        return certificate.version is x509.Version.v1 and certificate.issuer == certificate.subject
    if not basic.ca or (basic.path_length is not None and basic.path_length < below):
        return False
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _is_for(certificate: x509.Certificate, names: Sequence[str]) -> bool:
    """Whether a certificate is a server's, and for one of the names (RFC 7672 §3.2.3)."""
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        pass
    else:
        if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes):
            return False
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        shown = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        shown = []
    if not shown:  # the common name counts where there is no DNS name at all
        shown = [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return any(
        _names(pattern.lower().rstrip("."), name.lower().rstrip(".")) for pattern in shown for name in names
    )


def _names(pattern: str, name: str) -> bool:
    """A wildcard stands for the whole first label, and for nothing else (RFC 7672 §3.2.3)."""
    if pattern.startswith("*."):
        return bool(name.partition(".")[2]) and pattern[2:] == name.partition(".")[2]
    return pattern == name
