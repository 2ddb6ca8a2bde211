"""What a scanner finds on every port with TLS (SAFETY C27, RFC 9325)."""

import re
import socket
import xml.etree.ElementTree as ET
from typing import Final

import pytest

from tests.interop.postroad_server import Postroad
from tests.interop.processes import program, run

PORTS: Final = {
    "smtp": "--starttls-smtp",
    "submission": "--starttls-smtp",
    "submissions": "",
    "imap": "--starttls-imap",
    "imaps": "",
    "pop3": "--starttls-pop3",
    "pop3s": "",
}


@pytest.mark.parametrize("port", PORTS)
def test_a_scanner_finds_nothing_weak(server: Postroad, port: str) -> None:
    address = f"127.0.0.1:{getattr(server.ports, port)}"
    how = [PORTS[port]] if PORTS[port] else []
    report = run(program("sslscan"), "--xml=-", "--no-colour", "--connect-timeout=20", *how, address)
    (found,) = ET.fromstring(report[report.index("<?xml") :]).iter("ssltest")
    offered = {(p.get("type"), p.get("version")) for p in found.iter("protocol") if p.get("enabled") == "1"}
    assert offered == {("tls", "1.2"), ("tls", "1.3")}
    ciphers = [cipher.get("cipher", "") for cipher in found.iter("cipher")]
    assert ciphers
    for name in ciphers:
        assert name.startswith(("TLS_AES_", "TLS_CHACHA20_", "ECDHE-")), name
        assert "GCM" in name or "CHACHA20" in name, name
    (renegotiation,) = found.iter("renegotiation")
    assert renegotiation.get("secure") == "1" or renegotiation.get("supported") == "0"
    assert all(compression.get("supported") == "0" for compression in found.iter("compression"))
    assert all(bleed.get("vulnerable") == "0" for bleed in found.iter("heartbleed"))
    # Finite fields too come with OpenSSL's TLS 1.3, and Python's ssl cannot choose; all are strong enough.
    groups = {group.get("name", "").partition(" ")[0] for group in found.iter("group")}
    assert {"x25519", "secp256r1"} <= groups
    assert all(
        re.match(r"x(25519|448)|secp(256|384|521)r1|ffdhe\d{4}|X25519MLKEM", name, re.I) for name in groups
    )


@pytest.mark.parametrize("port", ["submissions", "imaps", "pop3s"])
def test_octets_that_are_no_handshake_end_it(server: Postroad, port: str) -> None:
    for octets in (
        b"EHLO x.test\r\n",
        b"\x16\x03\x00\x00\x02\x01\x00",
        b"\x80\x2e\x01\x00\x02",
        b"\x15\x03\x01\x00\x02\x02\x28",
    ):
        with socket.create_connection(("127.0.0.1", getattr(server.ports, port)), timeout=20) as client:
            client.sendall(octets)
            client.shutdown(socket.SHUT_WR)
            said = b""
            try:
                while more := client.recv(1000):
                    said += more
            except ConnectionError:
                pass
        assert len(said) <= 7  # an alert, or nothing at all
