"""Tokens of a provider on loopback, shown by curl and msmtp; postroad asks the provider over HTTPS."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.certificates import Certificates
from tests.interop.messages import arrived, receive
from tests.interop.postroad_server import HOST, Postroad, running
from tests.interop.processes import program, run
from tests.interop.test_msmtp import msmtp
from tests.unit.directory.openid_provider import ProviderServer

ADA = "ada@ours.test"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ProviderServer]:
    """A provider in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ProviderServer(tmp_path)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def token_server(tmp_path: Path, certificates: Certificates, provider: ProviderServer) -> Iterator[Postroad]:
    """A server that believes the provider."""
    more = f'\n[openid]\nissuer = "{provider.issuer}"\naudience = ["mail"]\nca = "{provider.ca}"\n'
    with running(Postroad(tmp_path, certificates, more=more)) as postroad:
        yield postroad


def test_curl_reads(token_server: Postroad, provider: ProviderServer) -> None:
    """With OAUTHBEARER, which it takes also when it is told XOAUTH2."""
    receive(token_server, "Subject: hello\r\n\r\nHello.\r\n")
    where = f"imaps://{HOST}:{token_server.ports.imaps}/INBOX;MAILINDEX=1"
    trust = ("--silent", "--cacert", token_server.certificates.authority)
    right, wrong = provider.token(email=ADA), provider.token(email=ADA, aud="calendar")

    got = run(program("curl"), *trust, "--user", ADA, "--oauth2-bearer", right, where)
    refused = run(program("curl"), *trust, "--user", ADA, "--oauth2-bearer", wrong, where, expect=(67,))

    assert "Subject: hello" in got
    assert refused == ""
    assert "mechanism=OAUTHBEARER" in token_server.log()


@pytest.mark.parametrize("mechanism", ["oauthbearer", "xoauth2"])
def test_msmtp_submits(
    token_server: Postroad, provider: ProviderServer, tmp_path: Path, mechanism: str
) -> None:
    text = f"From: {ADA}\nTo: bob@ours.test\nSubject: by {mechanism}\n\nHello.\n"
    token = provider.token("ec", email=ADA)

    msmtp(token_server, tmp_path, "-a", "tls", "bob@ours.test", auth=mechanism, password=token, stdin=text)

    assert arrived(token_server, f"Subject: by {mechanism}", user="bob@ours.test")
    assert token not in token_server.log()
