"""STARTTLS as a client: opportunistic, and nothing that came in clear is believed after it."""

import asyncio
import ssl
from collections.abc import Callable

import pytest
import uvloop

from postroad.smtp.client import SmtpClient
from postroad.smtp.outcome import Unusable
from postroad.smtp.security import Security, opportunistic_context
from postroad.smtp.timeouts import Timeouts
from postroad.testing.certificate import server_tls
from postroad.testing.remote import Drop, Raw, RemoteServer
from tests.unit.smtp_client.dialogue import open_client, outgoing, send, verdicts


@pytest.fixture(name="tls")
def a_certificate_that_nobody_vouches_for() -> ssl.SSLContext:
    return server_tls("mx.remote.test")


def test_what_is_offered_is_used(tls: ssl.SSLContext) -> None:
    async def run() -> None:
        async with RemoteServer(tls=tls) as remote:
            (outcome,) = await send(remote, secure=True)
        assert remote.messages[0].tls
        assert outcome.tls.startswith("TLSv1.3 ")
        assert "by itself" in outcome.certificate
        assert len(remote.said("EHLO")) == 2, "what was said in clear is asked again"

    asyncio.run(run())


def test_a_refusal_to_encrypt_is_borne() -> None:
    async def run() -> None:
        async with RemoteServer(extensions=["STARTTLS"]) as remote:
            remote.answer("STARTTLS", "454 4.7.0 TLS is not available")
            assert verdicts(await send(remote, secure=True)) == ["delivered"]
        assert not remote.messages[0].tls

    asyncio.run(run())


@pytest.mark.parametrize(
    "behind", [b"250 OK\r\n", b"2", b"250-mx.evil.test\r\n250 SIZE\r\n"], ids=["reply", "octet", "replies"]
)
def test_octets_behind_the_answer_to_starttls_end_it(tls: ssl.SSLContext, behind: bytes) -> None:
    async def run() -> None:
        async with RemoteServer(tls=tls) as remote:
            remote.answer("STARTTLS", Raw(b"220 go ahead\r\n" + behind))
            with pytest.raises(Unusable) as caught:
                await send(remote, secure=True)
        assert verdicts([caught.value.outcome]) == ["deferred"]
        assert not caught.value.tls_failed, "an injection is no reason to do without TLS"
        assert remote.said("MAIL") == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "promise",
    [
        Drop(b"220 go ahead\r\n"),
        Raw(b"220 go ahead\r\n"),
        Raw(b"220 go ahead\r\nthis is no reply\r\n"),
        Raw(b"220 go ahead\r\n" + b"\xff" * 5000),
    ],
    ids=["gone", "silent", "garbage", "flood"],
)
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_broken_handshake_is_told_apart(
    promise: Raw | Drop, factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def run() -> None:
        async with RemoteServer(extensions=["STARTTLS"]) as remote:
            remote.answer("STARTTLS", promise)  # nothing stands behind it
            with pytest.raises(Unusable) as caught:
                await open_client(remote, tls=Security(opportunistic_context()), timeouts=Timeouts(tls=0.05))
        assert caught.value.tls_failed
        assert caught.value.outcome.status == "4.7.5"

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


def test_a_server_that_is_this_one_is_known() -> None:
    async def run() -> None:
        async with RemoteServer("mail.here.test") as remote:
            with pytest.raises(Unusable) as caught:
                await send(remote, outgoing())
        assert caught.value.ourselves
        assert caught.value.outcome.status == "5.4.6"

    asyncio.run(run())


def test_a_server_that_knows_only_helo() -> None:
    async def run() -> None:
        async with RemoteServer() as remote:
            remote.answer("EHLO", "502 5.5.1 what?")
            assert verdicts(await send(remote)) == ["delivered"]
        assert remote.said("MAIL") == ["MAIL FROM:<ada@here.test>"]

    asyncio.run(run())


def test_nobody_at_home() -> None:
    async def run() -> None:
        remote = RemoteServer()
        await remote.start()
        await remote.stop()
        with pytest.raises(Unusable) as caught:
            await send(remote)
        assert caught.value.outcome.status == "4.4.1"
        assert caught.value.outcome.address == "127.0.0.1"

    asyncio.run(run())


def test_a_host_whose_name_cannot_be_asked_for_is_a_failed_handshake(tls: ssl.SSLContext) -> None:
    async def run() -> None:
        async with RemoteServer(tls=tls) as remote:
            with pytest.raises(Unusable) as caught:
                await SmtpClient.open(
                    f".{'x' * 64}.test",
                    remote.address,
                    remote.port,
                    hostname="here.test",
                    tls=Security(opportunistic_context()),
                    timeouts=Timeouts(),
                )
            assert caught.value.tls_failed

    asyncio.run(run())
