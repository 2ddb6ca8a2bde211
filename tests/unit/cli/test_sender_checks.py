"""`spf check` and `dmarc check`: the conclusion first, then the evidence."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.unit.cli.conftest import Shell
from tests.unit.dns.server import DnsServer
from tests.unit.mailauth.dkim.making import ed25519, record, signed

ZONE = f"""
x.test. 600 IN TXT "v=spf1 include:y.test -all exp=why.x.test"
y.test. 600 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
why.x.test. 600 IN TXT "%{{i}} is not ours"
_dmarc.x.test. 600 IN TXT "v=DMARC1; p=reject"
_dmarc.q.test. 600 IN TXT "v=DMARC1; p=quarantine"
s._domainkey.x.test. 600 IN TXT "{record(ed25519()).decode().replace(";", chr(92) + ";")}"
"""


@pytest.fixture
def asked(shell: Shell, tmp_path: Path) -> Iterator[Shell]:
    """A shell whose settings name a DNS server that knows the zone."""
    ready, done = threading.Event(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        async with DnsServer(ZONE) as server:
            address.append(server.address)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    (tmp_path / "postroad.toml").write_text(f'data = "{shell.data}"\n[dns]\nservers = ["{address[0]}"]\n')
    yield shell
    done.set()
    thread.join()


def run(shell: Shell, *words: str) -> tuple[int, list[str]]:
    ran = shell(*words, "--config", "postroad.toml")
    assert ran.err == ""
    return ran.status, ran.out.splitlines()


def test_a_host_that_may(asked: Shell) -> None:
    status, lines = run(asked, "spf", "check", "--ip", "192.0.2.7", "--from", "ada@x.test")
    assert status == 0
    assert lines == [
        "✓ pass: x.test lets 192.0.2.7 send its mail (include:y.test → ip4:192.0.2.0/24)",
        "    include:y.test is in the policy of x.test",
        "    ip4:192.0.2.0/24 is in the policy of y.test",
        "    the policy is v=spf1 include:y.test -all exp=why.x.test",
        "    it cost 1 of 10 terms that need the DNS, 0 of 2 found nothing",
    ]


def test_a_host_that_may_not(asked: Shell) -> None:
    status, lines = run(
        asked, "spf", "check", "--ip", "198.51.100.1", "--from", "ada@x.test", "--helo", "x.test"
    )
    assert status == 1
    assert lines[0] == "✕ fail: x.test does not let 198.51.100.1 send its mail (-all)"
    assert "    the domain says: 198.51.100.1 is not ours" in lines
    assert "✕ HELO: fail: x.test does not let 198.51.100.1 send its mail (-all)" in lines
    ran = asked("spf", "check", "--ip", "198.51.100.1", "--from", "", "--config", "postroad.toml", "--json")
    assert msgspec.json.decode(ran.out)[0]["verdict"] == "none"


def test_what_is_no_address_is_said(asked: Shell) -> None:
    assert (
        '"nonsense" is no IP address' in asked("spf", "check", "--ip", "nonsense", "--from", "a@x.test").err
    )
    assert '"nonsense" is no address' in asked("spf", "check", "--ip", "::1", "--from", "nonsense").err


def test_messages(asked: Shell, tmp_path: Path) -> None:
    plain = b"From: Ada <ada@x.test>\r\nSubject: x\r\n\r\nHello.\r\n"
    message = tmp_path / "m.eml"
    message.write_bytes(plain)
    status, lines = run(asked, "dmarc", "check", "m.eml")
    assert (status, lines[0]) == (1, "✕ DMARC fail: the message would be refused")
    assert "    SPF    not checked, since --ip does not say who sent it" in lines
    assert "    DKIM   not signed" in lines
    assert "    record v=DMARC1; p=reject, at _dmarc.x.test" in lines

    status, lines = run(asked, "dmarc", "check", "m.eml", "--ip", "192.0.2.7", "--from", "ada@x.test")
    assert (status, lines[0]) == (0, "✓ DMARC pass: the message would be taken")

    message.write_bytes(signed(ed25519(), plain, d="x.test", s="s", t=None))
    assert run(asked, "dmarc", "check", "m.eml")[0] == 0

    message.write_bytes(plain.replace(b"x.test", b"q.test"))
    assert run(asked, "dmarc", "check", "m.eml")[1][0] == "✕ DMARC fail: the message would be filed as junk"

    message.write_bytes(b"Subject: nobody\r\n\r\nHello.\r\n")
    status, lines = run(asked, "dmarc", "check", "m.eml")
    assert (status, lines[0]) == (1, "✕ DMARC permerror: the message would be refused")
    assert any("the message has no From field" in line for line in lines)
    ran = asked("dmarc", "check", "m.eml", "--config", "postroad.toml", "--json")
    assert msgspec.json.decode(ran.out)["decision"] == "reject"
