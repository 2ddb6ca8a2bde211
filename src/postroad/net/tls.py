"""TLS contexts: 1.2 and 1.3, forward secrecy and AEAD only (SAFETY: TLS)."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from postroad.net.alerts import AlertingContext

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of 1.3 are all of this kind."""

ALPN: Final = {"smtp": "smtp", "submission": "smtp", "imap": "imap", "pop3": "pop3", "lmtp": ""}
"""The application protocol of each role (RFC 7301; IANA's registry has none for LMTP)."""

# Agreed to in the handshake only so that a client that came to the wrong place is known and can
# be turned away (ALPACA): the ssl module cannot refuse a list without a match.
_FOREIGN: Final = ("http/1.1", "h2", "http/1.0", "ftp", "managesieve", "xmpp-client")


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What was negotiated, for Received, trail and channel binding."""

    version: str
    cipher: str
    sni: str = ""
    alpn: str = ""


def tls_info(transport: asyncio.BaseTransport) -> TlsInfo | None:
    """What a connection negotiated; None in clear."""
    ssl_object = transport.get_extra_info("ssl_object")
    if ssl_object is None:
        return None
    name, _, _ = ssl_object.cipher() or ("", "", 0)
    return TlsInfo(
        version=ssl_object.version() or "",
        cipher=name,
        sni=getattr(ssl_object, "postroad_sni", ""),
        alpn=ssl_object.selected_alpn_protocol() or "",
    )


class ServerContext(AlertingContext):
    """A context that knows the hash of its certificate, which the ssl module does not tell."""

    end_point: bytes = b""
    """The channel binding tls-server-end-point (RFC 5929 §4.1); empty if the certificate allows none."""


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ServerContext:
    """Make a context that listeners serve with; with `client_ca` clients may show a certificate.

    Raises:
        OSError: a file cannot be read.
        ssl.SSLError: they are no certificate and key, or not a pair.
    """
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols([*filter(None, ALPN.values()), *_FOREIGN])
    context.load_cert_chain(certificate, key)
    context.end_point = end_point_binding(certificate.read_bytes())
    if client_ca is not None:
        # Optional: one that is shown must be good, but passwords do without.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client_ca)
    return context


def end_point_binding(certificate: bytes) -> bytes:
    """Hash the first certificate of a PEM file as tls-server-end-point wants it (RFC 5929 §4.1).

    Empty where that is not defined: for signatures without a hash of their own (Ed25519).
    """
    found = x509.load_pem_x509_certificate(certificate)
    algorithm = found.signature_hash_algorithm
    if algorithm is None:
        return b""
    weak = isinstance(algorithm, hashes.MD5 | hashes.SHA1)
    return found.fingerprint(hashes.SHA256() if weak else algorithm)


def channel_bindings(tls: ssl.SSLObject) -> Mapping[str, bytes]:
    """The channel bindings of a connection that we serve, by name (RFC 5929, RFC 9266).

    tls-exporter is there once Python's ssl has it. tls-unique is defined up to TLS 1.2.
    """
    found: dict[str, bytes] = {}
    for name in ("tls-exporter", "tls-unique"):
        if name in ssl.CHANNEL_BINDING_TYPES and (name != "tls-unique" or tls.version() == "TLSv1.2"):
            found[name] = tls.get_channel_binding(name) or b""
    if isinstance(tls.context, ServerContext):
        found["tls-server-end-point"] = tls.context.end_point
    return {name: binding for name, binding in found.items() if binding}


def client_addresses(tls: ssl.SSLObject) -> tuple[str, ...]:
    """The mail addresses in the certificate that a client has shown, if one was asked for and it is good."""
    shown = tls.getpeercert() or {}
    names: object = shown.get("subjectAltName", ())
    assert isinstance(names, tuple)
    return tuple(value for kind, value in names if kind == "email")  # rfc822Name (RFC 5280 §4.2.1.6)


class ServerTls:
    """The contexts in force; a reload gives new connections new ones and leaves the others alone."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None = None) -> None:
        self._files = (certificate, key)
        self._client_ca = client_ca
        self._load()

    def context_for(self, role: str) -> ssl.SSLContext:
        """What the next handshake of a listener uses.

        Other servers are never asked for a certificate: what they have is for other purposes, and a
        handshake with one that our users' authority has not issued would fail.
        """
        return self._for_servers if role in ("smtp", "lmtp") else self._for_users

    def reload(self) -> None:
        """Read the files again; on an error the old context stays.

        Raises:
            OSError, ssl.SSLError: as `server_context`.
        """
        self._load()

    def _load(self) -> None:
        for_servers = server_context(*self._files)
        self._for_users = (
            for_servers if self._client_ca is None else server_context(*self._files, self._client_ca)
        )
        self._for_servers = for_servers
