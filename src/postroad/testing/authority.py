"""A certificate authority for the servers of one test, and what it issues."""

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key and what is needed to trust it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()
    """The issuer, the issuer's issuer and so on."""

    @property
    def chain(self) -> list[bytes]:
        """What a server sends (DER)."""
        return [c.public_bytes(Encoding.DER) for c in (self.certificate, *self.above)]

    @cached_property
    def server_context(self) -> ssl.SSLContext:
        """For a server that shows the whole chain."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "both.pem"
            key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            shown = [c.public_bytes(Encoding.PEM) for c in (self.certificate, *self.above)]
            file.write_bytes(key + b"".join(shown))
            context.load_cert_chain(file)
        return context


class Authority:
    """Issues certificates; nobody trusts it who was not told to."""

    def __init__(self, name: str = "Test authority", issuer: "Authority | None" = None) -> None:
        """With an `issuer` it is an intermediate one."""
        self.own: Issued = _make(_common(name), None if issuer is None else issuer.own, (), authority=True)

    def issue(
        self,
        *names: str,
        common: str = "",
        days: tuple[int, int] = (-3650, 3650),
        now: datetime | None = None,
    ) -> Issued:
        """Make a certificate for DNS names, good from and until so many days from `now`."""
        return _make(_common(common), self.own, names, days, now)

    def client_context(self) -> ssl.SSLContext:
        """Trust this authority and no other."""
        pem = self.own.certificate.public_bytes(Encoding.PEM).decode()
        context = ssl.create_default_context(cadata=pem)
        context.hostname_checks_common_name = False
        return context


def _make(
    subject: x509.Name,
    issuer: Issued | None,
    names: tuple[str, ...],
    days: tuple[int, int] = (-3650, 3650),
    now: datetime | None = None,
    *,
    authority: bool = False,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    now = now or datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY)
        .not_valid_after(now + days[1] * _DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        shown = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(shown, critical=not list(subject))
    signer = key if issuer is None else issuer.key
    certificate = builder.sign(signer, hashes.SHA256())
    above = () if issuer is None else (issuer.certificate, *issuer.above)
    return Issued(certificate, key, above)


def _common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
