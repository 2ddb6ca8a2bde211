"""Which certificate to serve with; without one of the operator's, a self-signed one.

The self-signed pair lies in the data directory and is kept between runs, so
that a client that was told to trust it need not be told again. It is made
anew when the host name changes or the certificate nears its end.
"""

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from postroad.config.errors import ConfigError
from postroad.config.settings import Settings

_LIFETIME: Final = datetime.timedelta(days=825)
_RENEW_BEFORE: Final = datetime.timedelta(days=30)
_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Two PEM files to load into a TLS context."""

    certificate: Path
    key: Path
    self_signed: bool


def certificate_files(settings: Settings, now: datetime.datetime) -> CertificateFiles:
    """Return the operator's certificate, or the self-signed one, made if need be.

    `now` is an aware time. Only one process calls this at a time (the supervisor).
    """
    tls = settings.tls
    if tls.certificate is not None and tls.key is not None:
        return CertificateFiles(tls.certificate, tls.key, self_signed=False)
    files = self_signed_files(settings.data)
    if not _still_good(files, settings.hostname, now):
        _make(files, settings.hostname, now)
    return files


def self_signed_files(data: Path) -> CertificateFiles:
    """Where the self-signed pair lies, whether it is there or not."""
    return CertificateFiles(data / "tls" / "self-signed.pem", data / "tls" / "self-signed.key", True)


def expires(certificate: Path) -> datetime.datetime:
    """Return when the first certificate of a PEM file ends.

    Raises:
        ConfigError: the file cannot be read or holds no certificate.
    """
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except OSError as error:
        raise ConfigError(str(certificate), 0, "tls.certificate", str(error.strerror)) from None
    except ValueError:
        raise ConfigError(str(certificate), 0, "tls.certificate", "holds no PEM certificate") from None


def _still_good(files: CertificateFiles, hostname: str, now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    except (OSError, ValueError):
        return False
    subject = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return (
        key.public_key() == certificate.public_key()
        and [name.value for name in subject] == [_common_name(hostname)]
        and now < certificate.not_valid_after_utc - _RENEW_BEFORE
    )


def _common_name(hostname: str) -> str:
    return hostname[:64]  # RFC 5280 appendix A.1, ub-common-name


def _make(files: CertificateFiles, hostname: str, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(hostname))])
    names = dict.fromkeys((hostname, *_ALWAYS))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(text) for text in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files.certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(
        files.key,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write(path: Path, octets: bytes) -> None:
    """Put a file in place whole, readable by this user alone."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
