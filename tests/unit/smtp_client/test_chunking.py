"""BDAT (RFC 3030): when it is used, and what each recipient's fate is then."""

import asyncio
import dataclasses

import pytest
from msgspec.structs import replace

from postroad.smtp.client import SmtpClient
from postroad.smtp.exchange import SMALL, Lapsed, Outgoing
from postroad.smtp.handover import CHUNK, ChunksRefused
from postroad.smtp.manner import Manner
from postroad.smtp.outcome import Unusable
from postroad.testing.remote import CHUNKING, Act, Drop, Hang, Raw, RemoteServer
from tests.unit.smtp_client.dialogue import MESSAGE, PATIENT, hasty, open_client, outgoing, send, verdicts


@pytest.fixture
def remote() -> RemoteServer:
    """A server that pipelines and takes chunks."""
    return RemoteServer(extensions=CHUNKING)


def verbs(remote: RemoteServer) -> list[str]:
    """What was said between EHLO and QUIT."""
    return [command.split(" ")[0] for command in remote.commands if command[:4] not in ("EHLO", "QUIT")]


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (b"Subject: dots\r\n\r\n.\r\n..\r\nend", b"Subject: dots\r\n\r\n.\r\n..\r\nend\r\n"),
        (b"Subject: bare\r\n\r\na\nb\rc\r\n", b"Subject: bare\r\n\r\na\r\nb\r\nc\r\n"),
        (b"", b""),
    ],
)
def test_a_small_message_goes_in_one_flight(remote: RemoteServer, body: bytes, taken: bytes) -> None:
    async def run() -> None:
        async with remote:
            assert verdicts(await send(remote, outgoing(body=body))) == ["delivered"]
        assert remote.messages[0].body == taken
        assert remote.said("BDAT") == [f"BDAT {len(taken)} LAST"]
        assert verbs(remote) == ["MAIL", "RCPT", "BDAT"]

    asyncio.run(run())


def test_nothing_is_waited_for_in_one_flight(remote: RemoteServer) -> None:
    # The whole message is there although not even MAIL has been answered (RFC 2920 §3.1).
    async def run() -> None:
        flight: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mx\r\n")
            await reader.readline()
            writer.write(b"250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
            octets = await reader.readuntil(b"Hello.\r\n")
            writer.write(b"250 OK\r\n" * 3)
            flight.set_result(octets)
            await reader.readline()  # QUIT
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        remote.port = server.sockets[0].getsockname()[1]
        client = await open_client(remote)
        assert verdicts(await client.send(outgoing())) == ["delivered"]
        assert (await flight).startswith(b"MAIL FROM:<ada@here.test>\r\nRCPT TO:<bob@remote.test>\r\nBDAT ")
        await client.close()
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def test_other_messages_go_by_data(remote: RemoteServer) -> None:
    big = b"Subject: big\r\n\r\n" + b"x" * 78 + b"\r\n" + MESSAGE * (SMALL // len(MESSAGE))

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            await client.send(outgoing(body=big))
            await client.send(outgoing())  # over a connection that may have been gone for long
            await client.close()
        assert verbs(remote) == ["MAIL", "RCPT", "DATA", ".", "MAIL", "RCPT", "DATA", "."]
        async with RemoteServer(extensions=["CHUNKING"]) as plain:
            await send(plain)
        assert verbs(plain) == ["MAIL", "RCPT", "DATA", "."]
        async with RemoteServer(extensions=CHUNKING) as told:
            client = await open_client(told)
            await client.send(outgoing(), chunks=False)
            await client.close()
        assert verbs(told) == ["MAIL", "RCPT", "DATA", "."]

    asyncio.run(run())


def test_each_recipient_has_a_fate_of_its_own(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 who is that", to="nobody@")
    remote.answer("RCPT", "451 4.7.1 come back later", to="grey@")

    async def run() -> None:
        async with remote:
            message = outgoing("bob@remote.test", "nobody@remote.test", "grey@remote.test")
            assert verdicts(await send(remote, message)) == ["delivered", "failed", "deferred"]
        assert remote.messages[0].recipients == ["bob@remote.test"]

    asyncio.run(run())


def test_nobody_is_left_and_the_dialogue_goes_on(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 no", times=1)

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            first = await client.send(outgoing("nobody@remote.test"))
            second = await client.send(outgoing("bob@remote.test"))
            await client.close()
        assert verdicts(first) == ["failed"]  # and not that BDAT is unknown, which 503 would say
        assert verdicts(second) == ["delivered"]
        assert [taken.recipients for taken in remote.messages] == [["bob@remote.test"]]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("452 4.3.1 disk full", "deferred"),
        ("554 5.7.1 spam", "failed"),
        ("552 5.3.4 too much", "failed"),
        ("354 go ahead", "deferred"),
        ("421 4.3.2 going down", "deferred"),
    ],
)
def test_what_is_said_to_the_chunk_is_said_to_all(remote: RemoteServer, reply: str, verdict: str) -> None:
    remote.answer("BDAT", reply)

    async def run() -> None:
        async with remote:
            outcomes = await send(remote, outgoing("bob@remote.test", "carl@remote.test"))
        assert verdicts(outcomes) == [verdict] * 2
        assert remote.messages == []

    asyncio.run(run())


@pytest.mark.parametrize("reply", ["500 5.5.2 what?", "502 5.5.1 not implemented", "503 5.5.1 no"])
def test_a_server_that_does_not_know_what_it_offers(remote: RemoteServer, reply: str) -> None:
    remote.answer("BDAT", reply)

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            with pytest.raises(ChunksRefused):
                await client.send(outgoing())
            assert client.bad_at_chunks
            client.abort()

    asyncio.run(run())


DROPS: list[Act] = [Drop(), Drop(b"25"), Drop(b"250-half\r\n"), Raw(b"\xff\xfe garbage\r\n"), Hang()]


@pytest.mark.parametrize("act", DROPS, ids=["drop", "half a code", "half a reply", "garbage", "silence"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "BODY", "BDAT"])
def test_a_dialogue_that_breaks_off_may_have_delivered(remote: RemoteServer, step: str, act: Act) -> None:
    # Whole is the message out, so nobody can know: deferred, and by DATA the next time.
    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            remote.answer(step, act)
            client.timeouts = hasty("END" if step in ("BODY", "BDAT") else step)
            outcomes = await client.send(outgoing())
            await client.close()
        assert verdicts(outcomes) == ["deferred"]
        assert outcomes[0].uncertain
        assert client.bad_at_chunks

    asyncio.run(run())


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_who_says_421_before_the_chunk_has_not_taken_it(remote: RemoteServer, step: str) -> None:
    remote.answer(step, "421 4.3.2 going down")

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            with pytest.raises(Unusable) as caught:
                await client.send(outgoing())
            assert caught.value.outcome.words == "421 4.3.2 going down"
            assert not caught.value.outcome.uncertain
            assert not client.bad_at_chunks

    asyncio.run(run())


def test_who_refused_everybody_and_leaves_has_not_taken_it(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 no")
    remote.answer("BODY", Drop())

    async def run() -> None:
        async with remote:
            outcomes = await send(remote)
        assert verdicts(outcomes) == ["failed"]
        assert not outcomes[0].uncertain

    asyncio.run(run())


def test_who_lost_the_right_to_send_sends_nothing(remote: RemoteServer) -> None:
    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            with pytest.raises(Lapsed):
                await client.send(replace(outgoing(), still_ours=lambda: False))
            client.abort()
        assert verbs(remote) == []

    asyncio.run(run())


BINARY = b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 12_000
"""Three chunks, and a bit."""
PLAIN = [word for word in CHUNKING if word != "PIPELINING"]


def binary(*recipients: str) -> Outgoing:
    """A message that is made of octets."""
    return replace(outgoing(*recipients, body=BINARY), body="BINARYMIME")


@pytest.mark.parametrize("extensions", [CHUNKING, PLAIN], ids=["pipelined", "one by one"])
def test_a_binary_message_goes_in_chunks(extensions: list[str]) -> None:
    async def run() -> None:
        async with RemoteServer(extensions=extensions) as remote:
            remote.answer("RCPT", "550 5.1.1 no", to="nobody@")
            outcomes = await send(remote, binary("nobody@remote.test", "bob@remote.test"))
        assert verdicts(outcomes) == ["failed", "delivered"]
        assert remote.messages[0].body == BINARY
        assert remote.messages[0].mail.endswith(" BODY=BINARYMIME")
        sizes = [CHUNK, CHUNK, len(BINARY) - 2 * CHUNK]
        assert remote.said("BDAT") == [f"BDAT {size}{' LAST' * (size < CHUNK)}" for size in sizes]

    asyncio.run(run())


def test_lmtp_answers_for_each(remote: RemoteServer) -> None:
    remote.lmtp = True
    remote.answer("END", "452 4.2.2 full", to="bob@")

    async def run() -> None:
        async with remote:
            client = await SmtpClient.open(
                *(remote.name, remote.address, remote.port),
                hostname="mail.here.test",
                tls=None,
                timeouts=PATIENT,
                manner=Manner(lmtp=True),
            )
            outcomes = await client.send(binary("ada@remote.test", "bob@remote.test"))
            await client.close()
        assert verdicts(outcomes) == ["delivered", "deferred"]

    asyncio.run(run())


def test_nobody_is_left_and_no_chunk_goes_out(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 no")

    async def run() -> None:
        async with remote:
            assert verdicts(await send(remote, binary())) == ["failed"]
        assert remote.said("BDAT") == []

    asyncio.run(run())


@pytest.mark.parametrize(("reply", "verdict"), [("452 4.3.1 full", "deferred"), ("554 5.7.1 no", "failed")])
@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_behind_a_chunk_that_is_refused_comes_none(
    remote: RemoteServer, chunk: int, reply: str, verdict: str
) -> None:
    if chunk > 1:
        remote.answer("BDAT", "250 2.0.0 go on", times=chunk - 1)
    remote.answer("BDAT", reply, times=1)

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            assert verdicts(await client.send(binary())) == [verdict]
            assert verdicts(await client.send(outgoing())) == ["delivered"]
            await client.close()
        assert len(remote.said("BDAT")) == chunk
        assert remote.said("RSET") == ["RSET"]  # RFC 3030 §2: nothing is known of the state before it

    asyncio.run(run())


@pytest.mark.parametrize("act", [*DROPS, "421 4.3.2 going down"], ids=str)
@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_only_the_last_chunk_can_have_delivered(remote: RemoteServer, chunk: int, act: Act) -> None:
    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            if chunk > 1:
                remote.answer("BDAT", "250 2.0.0 go on", times=chunk - 1)
            remote.answer("BDAT", act)
            if isinstance(act, Hang):  # the same time is there for the chunks that are answered
                client.timeouts = dataclasses.replace(PATIENT, end=0.5)
            try:
                outcomes = await client.send(binary())
            except Unusable as error:
                outcomes = [error.outcome]
            await client.close()
        assert verdicts(outcomes) == ["deferred"]
        assert outcomes[0].uncertain == (chunk == 3 and not isinstance(act, str))
        assert remote.messages == []

    asyncio.run(run())


def test_a_reply_to_a_chunk_that_was_not_sent_yet_is_no_delivery(remote: RemoteServer) -> None:
    remote.answer("BDAT", Raw(b"250 2.0.0 go on\r\n250 2.0.0 taken\r\n"))

    async def run() -> None:
        async with remote:
            with pytest.raises(Unusable) as caught:
                await send(remote, binary())
        assert verdicts([caught.value.outcome]) == ["deferred"]
        assert len(remote.said("BDAT")) == 1

    asyncio.run(run())


def test_a_binary_message_is_not_for_every_server() -> None:
    async def run() -> None:
        for extensions in (["PIPELINING", "CHUNKING"], ["BINARYMIME"], []):
            async with RemoteServer(extensions=extensions) as remote:
                (outcome,) = await send(remote, binary())
            assert outcome.status == "5.6.3"
            assert remote.said("MAIL") == []

    asyncio.run(run())
