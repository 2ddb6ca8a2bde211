"""TLS contexts: 1.2 and 1.3, forward secrecy and AEAD only (SAFETY: TLS)."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of 1.3 are all of this kind."""

ALPN: Final = {"smtp": "smtp", "submission": "smtp", "imap": "imap", "pop3": "pop3"}
"""The application protocol of each role (RFC 7301; IANA's registry)."""

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


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make the context that every listener serves with.

    Raises:
        OSError: a file cannot be read.
        ssl.SSLError: they are no certificate and key, or not a pair.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols([*ALPN.values(), *_FOREIGN])
    context.load_cert_chain(certificate, key)
    return context


class ServerTls:
    """The context in force; a reload gives new connections a new one and leaves the others alone."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._context = server_context(certificate, key)

    @property
    def context(self) -> ssl.SSLContext:
        """What the next handshake uses."""
        return self._context

    def reload(self) -> None:
        """Read the files again; on an error the old context stays.

        Raises:
            OSError, ssl.SSLError: as `server_context`.
        """
        self._context = server_context(*self._files)
