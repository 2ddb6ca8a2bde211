"""Certificates in words, whatever servers show."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from postroad.mailauth.dane import Matching, Result, Selector, Usage, check
from postroad.model.answers import Tlsa
from postroad.smtp.certificate import describe_certificate


def certificate(subject: str, issuer: str, names: list[str], *more: x509.ExtensionType) -> bytes:
    """A certificate, in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        more = (alternatives, *more)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def test_for_whom_from_whom_until_when() -> None:
    told = describe_certificate(certificate("mx", "Some CA", ["mx1.x.test", "mx2.x.test"]))
    assert told.startswith("for mx1.x.test, mx2.x.test, by Some CA, until 2027-01-01, sha256 ")


def test_many_names_are_not_all_told() -> None:
    told = describe_certificate(certificate("mx", "mx", [f"mx{n}.x.test" for n in range(50)]))
    assert told.startswith("for mx0.x.test, mx1.x.test, mx2.x.test and 47 more, by itself, ")


def test_a_certificate_for_nobody() -> None:
    assert describe_certificate(certificate("", "Some CA", [])).startswith("for nobody, by Some CA, ")


def test_what_cannot_be_read_is_said_to_be_so() -> None:
    assert describe_certificate(b"\x30\x03\x02\x01\x01") == "unreadable"
    assert describe_certificate(b"") == ""
    assert describe_certificate(None) == ""


OUTDATED: Final = [
    ("2.5.29.17", "3004a3020500"),  # subjectAltName with an x400Address (RFC 5280 §4.2.1.6)
    ("2.5.29.17", "3004a5020500"),  # and with an ediPartyName
    ("2.5.29.35", "3004a102a300"),  # authorityKeyIdentifier
    ("2.5.29.30", "3006a0043002a300"),  # nameConstraints
]


@pytest.mark.parametrize(("kind", "octets"), OUTDATED)
def test_kinds_of_names_that_nobody_knows_any_more(kind: str, octets: str) -> None:
    """A server may show them, and gets its mail."""
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier(kind), bytes.fromhex(octets))
    shown = certificate("mx", "mx", [], strange)
    assert describe_certificate(shown).startswith("for mx, by itself, ")
    now = datetime(2026, 6, 1, tzinfo=UTC)
    named = Tlsa(Usage.DANE_TA, Selector.CERT, Matching.SHA2_256, sha256(shown).digest())
    assert check([named], [shown], ["mx"], now) is Result.NO_CERTIFICATE
    own = Tlsa(Usage.DANE_EE, Selector.CERT, Matching.SHA2_256, sha256(shown).digest())
    assert check([own], [shown], ["mx"], now) is Result.MATCH


def test_what_is_too_long_for_a_name_is_cut() -> None:
    assert len(describe_certificate(certificate("mx", "Some CA", ["x" * 5000]))) < 400
