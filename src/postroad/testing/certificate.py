"""One self-signed certificate for all servers of a test run."""

import ssl
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from postroad.config.certificate import certificate_files, self_signed_files
from postroad.config.settings import Settings


def place(settings: Settings) -> None:
    """Put the certificate where a server finds the one that it made for itself."""
    files = self_signed_files(settings.data)
    if not files.certificate.exists():
        files.certificate.parent.mkdir(parents=True, exist_ok=True)
        certificate, key = _made(settings.hostname)
        files.certificate.write_bytes(certificate)
        files.key.write_bytes(key)
        files.key.chmod(0o600)


def client_context(hostname: str) -> ssl.SSLContext:
    """Trust that certificate, as `localhost`, `127.0.0.1` and the server's name, and nothing else."""
    return ssl.create_default_context(cadata=_made(hostname)[0].decode())


@cache
def server_tls(hostname: str) -> ssl.SSLContext:
    """For the scripted servers, which have the same certificate."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "certificate", Path(folder) / "key"
        for path, octets in zip((certificate, key), _made(hostname), strict=True):
            path.write_bytes(octets)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


@cache
def _made(hostname: str) -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        files = certificate_files(Settings(hostname=hostname, data=Path(folder)), datetime.now(UTC))
        return files.certificate.read_bytes(), files.key.read_bytes()
