"""A certificate for localhost that lives as long as the test run."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@cache
def server_context() -> ssl.SSLContext:
    """For the session under test and for listeners with TLS from the first octet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key, certificate = _certificate()
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(key + certificate)
        context.load_cert_chain(file.name)
    return context


@cache
def client_context() -> ssl.SSLContext:
    """For the player: it trusts that certificate alone."""
    return ssl.create_default_context(cadata=certificate_pem())


def certificate_pem() -> str:
    """The certificate, which is its own authority."""
    return _certificate()[1].decode()


@cache
def _certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
