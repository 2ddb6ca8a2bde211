"""A server's certificate in words, for the trail. Nothing is verified here."""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

_NAMES: Final = 3  # of the host names in a certificate, that are told
_LONGEST: Final = 253  # octets of a name that can be one (RFC 1035 §2.3.4)


def describe_certificate(der: bytes | None) -> str:
    """Say for whom a certificate is, from whom, until when; empty when there is none.

    Raises nothing: a certificate that cannot be read is said to be so.
    """
    if not der:
        return ""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = _hosts(certificate) or _common(certificate.subject) or "nobody"
        self_signed = certificate.issuer == certificate.subject
        issuer = "itself" if self_signed else _common(certificate.issuer) or "nobody"
        until = certificate.not_valid_after_utc.date().isoformat()
        mark = certificate.fingerprint(hashes.SHA256()).hex()
    except (ValueError, TypeError, x509.InvalidVersion):
        return "unreadable"
    return f"for {names}, by {issuer}, until {until}, sha256 {mark}"


def _hosts(certificate: x509.Certificate) -> str:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ""
    names = extension.value.get_values_for_type(x509.DNSName)
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(name[:_LONGEST] for name in names[:_NAMES]) + more


def _common(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME) or name.get_attributes_for_oid(
        NameOID.ORGANIZATION_NAME
    )
    return str(found[0].value)[:100] if found else ""
