"""OpenDKIM and postroad verify what the other signs, with both algorithms."""

import base64
import re
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import SigningKey, sign
from postroad.message.header import HeaderBlock
from tests.interop.processes import program, run
from tests.unit.mailauth.dkim.making import MESSAGE, PrivateKey, ed25519, only, record, rsa, zone

KEYS: dict[str, PrivateKey] = {"rsa-sha256": rsa(), "ed25519-sha256": ed25519()}


def opendkim(folder: Path, message: bytes, *lines: str) -> str:
    """Let it read one message with these settings; what it says and would do."""
    settings, file = folder / "opendkim.conf", folder / "message.eml"
    settings.write_text("\n".join(["Syslog no", "RequireSafeKeys no", *lines]) + "\n")
    file.write_bytes(message)
    return run(program("opendkim"), "-x", settings, "-t", file, "-vv")


def verified(folder: Path, message: bytes) -> str:
    known = folder / "keys"
    lines = [f"{kind}._domainkey.a.test ".encode() + record(key) + b"\n" for kind, key in KEYS.items()]
    known.write_bytes(b"".join(lines))
    return opendkim(folder, message, "Mode v", f"TestPublicKeys {known}")


def fields(message: bytes) -> bytes:
    block = HeaderBlock.parse(message)
    keys = [SigningKey("a.test", kind, key) for kind, key in KEYS.items()]
    return sign(block, BodyHashes(message, block.body_start), keys, now=time.time())


def test_it_verifies_what_we_sign(tmp_path: Path) -> None:
    said = " ".join(verified(tmp_path, fields(MESSAGE) + MESSAGE).split())
    for kind in KEYS:
        good = rf"dkim=pass (\(.*?\) )?header\.d=a\.test header\.i=@a\.test header\.a={kind}"
        assert re.search(good, said), said


def test_it_sees_what_was_changed(tmp_path: Path) -> None:
    said = verified(tmp_path, fields(MESSAGE) + MESSAGE.replace(b"well", b"ill"))
    assert "dkim=pass" not in said
    assert "dkim=fail" in said


# What 2.11.0 signs with Ed25519 over a header in simple form it does not verify itself.
@pytest.mark.parametrize(
    ("kind", "ways"),
    [
        ("rsa-sha256", "relaxed/relaxed"),
        ("rsa-sha256", "simple/simple"),
        ("ed25519-sha256", "relaxed/relaxed"),
        ("ed25519-sha256", "relaxed/simple"),
    ],
)
def test_we_verify_what_it_signs(tmp_path: Path, kind: str, ways: str) -> None:
    key = KEYS[kind]
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(pem)
    (tmp_path / "key").chmod(0o600)
    said = opendkim(
        tmp_path,
        MESSAGE,
        "Mode s",
        "Domain a.test",
        "Selector sel",
        f"KeyFile {tmp_path / 'key'}",
        f"SignatureAlgorithm {kind}",
        f"Canonicalization {ways}",
        "OversignHeaders From",
    )
    found = re.search(r"hname='DKIM-Signature' hvalue='(.*?)'", said, re.DOTALL)
    assert found, said
    value = found[1].replace("\r\n", "\n").replace("\n", "\r\n")
    result = only(f"DKIM-Signature: {value}\r\n".encode() + MESSAGE, zone(record(key)), now=time.time())
    assert result.result is Result.PASS, result.reason
    assert base64.b64decode(result.signature)
