"""TLS of every port: versions, ciphers, application protocols (RFC 8996, RFC 9325, RFC 7301)."""

import socket
import ssl
from typing import Final

import pytest

from tests.conformance.wire import PATIENCE, stranger
from tests.interop.postroad_server import Postroad

PROTOCOLS: Final = {"submissions": "smtp", "imaps": "imap", "pop3s": "pop3"}


def greeting(server: Postroad, port: str, context: ssl.SSLContext) -> bytes:
    """What is said first, in TLS."""
    address = ("127.0.0.1", getattr(server.ports, port))
    with (
        socket.create_connection(address, PATIENCE, source_address=(stranger(), 0)) as clear,
        context.wrap_socket(clear, server_hostname="localhost") as secure,
    ):
        return secure.recv(1000)


@pytest.mark.parametrize("port", PROTOCOLS)
@pytest.mark.parametrize("cipher", ["ECDHE+AESGCM", "ECDHE+CHACHA20"])
def test_tls_1_2_has_forward_secrecy_and_aead(server: Postroad, port: str, cipher: str) -> None:
    context = server.tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    assert greeting(server, port, context)


@pytest.mark.parametrize("port", PROTOCOLS)
@pytest.mark.parametrize(
    "cipher",
    ["AES128-SHA", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "ECDHE+AES+SHA256", "aNULL", "eNULL"],
)
def test_other_ciphers_are_refused(server: Postroad, port: str, cipher: str) -> None:
    context = server.tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:!ECDHE+AESGCM:!ECDHE+CHACHA20:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        greeting(server, port, context)


@pytest.mark.parametrize("port", PROTOCOLS)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_refused(server: Postroad, port: str) -> None:
    context = server.tls_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        greeting(server, port, context)


@pytest.mark.parametrize(("port", "spoken"), PROTOCOLS.items())
def test_who_means_another_protocol_hears_nothing(server: Postroad, port: str, spoken: str) -> None:
    for named in ([spoken], ["x-unknown"], []):
        context = server.tls_context()
        if named:
            context.set_alpn_protocols(named)
        assert greeting(server, port, context)
    for named in (
        ["h2", "http/1.1"],
        ["http/1.1"],
        ["ftp"],
        [name for name in ("smtp", "imap") if name != spoken],
    ):
        context = server.tls_context()
        context.set_alpn_protocols(named)
        assert greeting(server, port, context) == b""
