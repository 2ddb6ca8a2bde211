"""rspamd and postroad verify what the other signs (DKIM) and seals (ARC), in chains of both too."""

import asyncio
import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.arc.seal import seal
from postroad.mailauth.arc.verify import ArcResult, verify_chain, wanted_chain_hashes
from postroad.mailauth.authres.values import AuthResults
from postroad.mailauth.authres.values import Result as Verdict
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import SigningKey, sign
from postroad.message.header import HeaderBlock
from tests.interop.dns_server import DnsServer
from tests.interop.rspamd_server import Rspamd
from tests.unit.mailauth.dkim.making import MESSAGE, PrivateKey, ed25519, record, rsa, verified

KEYS: dict[str, PrivateKey] = {"rsa-sha256": rsa(), "ed25519-sha256": ed25519()}


@pytest.fixture(scope="module")
def rspamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rspamd]:
    """It knows a.test's keys by a real name server, and has them to sign and seal with."""
    folder = tmp_path_factory.mktemp("rspamd")
    dns = DnsServer(folder)
    for kind, key in KEYS.items():
        dns.add_text(f"{kind}._domainkey.a", record(key).decode())
    files = {kind: folder / f"{kind}.key" for kind in KEYS}
    files["rsa-sha256"].write_bytes(rsa().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    raw = ed25519().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    files["ed25519-sha256"].write_bytes(base64.b64encode(raw))
    server = Rspamd(folder, dns.address)
    dns.start()
    try:
        server.start("a.test", files)
        try:
            yield server
        finally:
            server.stop()
    finally:
        dns.stop()


def resolver() -> ZoneResolver:
    zone = ZoneResolver()
    for kind, key in KEYS.items():
        zone.add_txt(f"{kind}._domainkey.a.test", record(key))
    return zone


def signed(message: bytes) -> bytes:
    block = HeaderBlock.parse(message)
    keys = [SigningKey("a.test", kind, key) for kind, key in KEYS.items()]
    return sign(block, BodyHashes(message, block.body_start), keys, now=time.time()) + message


def sealed(message: bytes, status: Result) -> bytes:
    block = HeaderBlock.parse(message)
    key = SigningKey("a.test", "rsa-sha256", rsa())
    found = AuthResults("mx.a.test", (Verdict("spf", "pass"), Verdict("arc", status.value)))
    body = BodyHashes(message, block.body_start)
    return seal(block, body, key, results=found, status=status, now=time.time()) + message


def validated(message: bytes) -> ArcResult:
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    body.compute(wanted_chain_hashes(block))
    return asyncio.run(verify_chain(block, body, resolver(), now=time.time()))


def judged(rspamd: Rspamd, message: bytes) -> dict[str, Any]:
    """What it says of a message that a stranger brings for somebody at a.test."""
    return rspamd.check(message, From="eve@b.test", Rcpt="bob@a.test", IP="192.0.2.1", Helo="mx.b.test")


def its_seal(rspamd: Rspamd, message: bytes) -> bytes:
    added = judged(rspamd, message)["milter"]["add_headers"]
    names = ("ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results")
    return b"".join(f"{name}: {added[name]['value']}\r\n".encode() for name in names) + message


def test_it_verifies_what_we_sign(rspamd: Rspamd) -> None:
    symbols = judged(rspamd, signed(MESSAGE))["symbols"]
    assert symbols["R_DKIM_ALLOW"]["options"] == [f"a.test:s={kind}" for kind in KEYS]
    assert "R_DKIM_REJECT" not in symbols


@pytest.mark.parametrize("old", [b"well", b"letter"])
def test_it_sees_what_was_changed(rspamd: Rspamd, old: bytes) -> None:
    symbols = judged(rspamd, signed(MESSAGE).replace(old, b"ill"))["symbols"]
    assert "R_DKIM_ALLOW" not in symbols
    assert "R_DKIM_REJECT" in symbols


def test_we_verify_what_it_signs(rspamd: Rspamd) -> None:
    told = rspamd.check(MESSAGE, From="ada@a.test", Rcpt="bob@b.test", IP="192.0.2.1", User="ada@a.test")
    fields = "".join(f"DKIM-Signature: {value}\r\n" for value in told["dkim-signature"])
    found = verified(fields.encode() + MESSAGE, resolver(), now=time.time())
    assert [(one.selector, one.result) for one in found.results] == [(kind, Result.PASS) for kind in KEYS]


def test_it_validates_what_we_seal(rspamd: Rspamd) -> None:
    one = sealed(signed(MESSAGE), Result.NONE)
    assert judged(rspamd, one)["symbols"]["ARC_ALLOW"]["options"] == ["a.test:s=rsa-sha256:i=1"]
    two = sealed(b"Received: by mx.b.test\r\n" + one, Result.PASS)
    assert judged(rspamd, two)["symbols"]["ARC_ALLOW"]["options"] == ["a.test:s=rsa-sha256:i=2"]


def test_it_sees_that_what_we_sealed_was_changed(rspamd: Rspamd) -> None:
    symbols = judged(rspamd, sealed(MESSAGE, Result.NONE).replace(b"well", b"ill"))["symbols"]
    assert "ARC_ALLOW" not in symbols
    assert "ARC_REJECT" in symbols


def test_we_validate_what_it_seals_and_the_chain_goes_on(rspamd: Rspamd) -> None:
    first = its_seal(rspamd, signed(MESSAGE))
    assert validated(first).result is Result.PASS, validated(first).reason
    second = sealed(first, Result.PASS)
    assert judged(rspamd, second)["symbols"]["ARC_ALLOW"]["options"] == ["a.test:s=rsa-sha256:i=2"]
    # A third set of its own would be wrong: 3.4 seals the sets before from the newest on (RFC 8617 §5.1.1).
    third = sealed(second, Result.PASS)
    found = validated(third)
    assert (found.result, len(found.sealers), found.oldest_pass) == (Result.PASS, 3, 0)
    assert judged(rspamd, third)["symbols"]["ARC_ALLOW"]["options"] == ["a.test:s=rsa-sha256:i=3"]
    assert validated(third.replace(b"well", b"ill")).result is Result.FAIL
