"""MAIL, RCPT, DATA: what is sent, and what each recipient's fate is."""

import asyncio

import pytest
from msgspec.structs import replace

from postroad.smtp.exchange import Lapsed
from postroad.smtp.outcome import Unusable
from postroad.smtp.timeouts import Timeouts
from postroad.testing.remote import EXTENSIONS, Act, Drop, Hang, Raw, RemoteServer
from tests.unit.smtp_client.dialogue import MESSAGE, hasty, open_client, outgoing, send, utf8, verdicts

PLAIN = [word for word in EXTENSIONS if word != "PIPELINING"]


@pytest.fixture(params=[EXTENSIONS, PLAIN], ids=["pipelined", "one by one"])
def remote(request: pytest.FixtureRequest) -> RemoteServer:
    """A server, once with and once without PIPELINING."""
    return RemoteServer(extensions=request.param)


def test_a_message_arrives_as_it_is(remote: RemoteServer) -> None:
    body = b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nend without line end"

    async def run() -> None:
        async with remote:
            assert verdicts(await send(remote, outgoing(body=body))) == ["delivered"]
        (taken,) = remote.messages
        assert taken.body == body + b"\r\n"
        assert (taken.sender, taken.recipients) == ("ada@here.test", ["bob@remote.test"])

    asyncio.run(run())


def test_each_recipient_has_a_fate_of_its_own(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 who is that", to="nobody@")
    remote.answer("RCPT", "451 4.7.1 come back later", to="grey@")

    async def run() -> None:
        async with remote:
            message = outgoing("bob@remote.test", "nobody@remote.test", "grey@remote.test")
            outcomes = await send(remote, message)
        assert verdicts(outcomes) == ["delivered", "failed", "deferred"]
        assert outcomes[1].words == "550 5.1.1 who is that"
        assert outcomes[2].status == "4.7.1"
        assert remote.messages[0].recipients == ["bob@remote.test"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("reply", "verdict", "status"),
    [
        ("552 too many recipients", "deferred", "4.0.0"),
        ("552 5.5.3 too many recipients", "deferred", "4.5.3"),
        ("552 5.2.2 mailbox full", "failed", "5.2.2"),
        ("550 5.5.3 no list of that length", "failed", "5.5.3"),
    ],
)
def test_whom_a_server_has_no_room_left_for_is_tried_again(
    remote: RemoteServer, reply: str, verdict: str, status: str
) -> None:
    remote.answer("RCPT", "550 5.1.1 no", to="nobody@")
    remote.answer("RCPT", reply, to="last@")

    async def run() -> None:
        async with remote:
            crowd = outgoing("nobody@remote.test", "bob@remote.test", "last@remote.test")
            outcomes = await send(remote, crowd)
            assert verdicts(outcomes) == ["failed", "delivered", verdict]
            assert (outcomes[2].words, outcomes[2].status) == (reply, status)
            # Whoever is the first that it could have taken has another reason to be refused.
            alone = await send(remote, outgoing("nobody@remote.test", "last@remote.test"))
            assert verdicts(alone) == ["failed", "failed"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("CONNECT", "250 mx.remote.test is ready"),
        ("EHLO", "251 mx.remote.test"),
        ("RSET", "220 2.0.0 forgotten"),
        ("MAIL", "253 2.1.0 why not"),
        ("RCPT", "259 2.1.5 why not"),
        ("DATA", "351 send it"),
        ("END", "299 2.0.0 taken"),
    ],
)
def test_what_a_code_that_nobody_knows_says_by_its_first_digit_is_heeded(
    remote: RemoteServer, step: str, reply: str
) -> None:
    remote.answer(step, reply)

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            for _ in range(2):
                assert verdicts(await client.send(outgoing())) == ["delivered"]
            await client.close()
        assert len(remote.messages) == 2

    asyncio.run(run())


@pytest.mark.parametrize("reply", ["354 go ahead", "199 wait", "250-mx\r\n220 mx"])
@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "HELO"])
def test_a_dialogue_that_does_not_begin_delivers_nothing(remote: RemoteServer, step: str, reply: str) -> None:
    if step == "HELO":
        remote.answer("EHLO", "500 5.5.1 what?")
    remote.answer(step, Raw(f"{reply}\r\n".encode()))

    async def run() -> None:
        async with remote:
            with pytest.raises(Unusable) as caught:
                await open_client(remote)
        assert verdicts([caught.value.outcome]) == ["deferred"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("refusal", "verdict", "words"),
    [
        (b"554 5.7.1 not from there", "failed", "554 5.7.1 not from there"),
        (b"502 5.5.1 what?", "deferred", "4.4.2 the server closed the connection"),
    ],
    ids=["about us", "about the command"],
)
def test_who_refuses_ehlo_and_hangs_up(
    remote: RemoteServer, refusal: bytes, verdict: str, words: str
) -> None:
    remote.answer("EHLO", Drop(refusal + b"\r\n"))

    async def run() -> None:
        async with remote:
            with pytest.raises(Unusable) as caught:
                await open_client(remote)
        assert verdicts([caught.value.outcome]) == [verdict]
        assert caught.value.outcome.words == words

    asyncio.run(run())


def test_nobody_is_left_and_the_dialogue_goes_on(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 no", times=1)
    # RFC 2920 §3.1: a server may say 354 to a pipelined DATA all the same.
    remote.answer("DATA", "354 go ahead", times=1)

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            first = await client.send(outgoing("nobody@remote.test"))
            second = await client.send(outgoing("bob@remote.test"))
            await client.close()
        assert verdicts(first) == ["failed"]
        assert verdicts(second) == ["delivered"]
        assert [taken.recipients for taken in remote.messages] == [["bob@remote.test"]]

    asyncio.run(run())


def test_a_server_that_does_not_begin_anew_gets_no_second_message(remote: RemoteServer) -> None:
    remote.answer("RSET", "502 5.5.1 not here")
    remote.answer("DATA", "554 5.7.1 no", times=1)

    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            first = await client.send(outgoing("ada@remote.test"))
            with pytest.raises(Unusable):
                await client.send(outgoing("bob@remote.test"))
        assert verdicts(first) == ["failed"]
        assert remote.messages == []

    asyncio.run(run())


@pytest.mark.parametrize("pipelining", [True, False])
def test_the_next_message_follows_without_ado_where_the_last_one_was_taken(pipelining: bool) -> None:
    async def run() -> None:
        async with RemoteServer(extensions=["PIPELINING"] * pipelining) as remote:
            client = await open_client(remote)
            for refusal in (None, None, "RCPT", None, "END", None):
                if refusal is not None:
                    remote.answer(refusal, "550 5.7.1 no", times=1)
                await client.send(outgoing())
            await client.close()
            assert len(remote.messages) == 4
            assert remote.said("RSET") == ["RSET"] * 2  # behind those that were refused

    asyncio.run(run())


def test_a_refused_sender_is_everybodys_fate(remote: RemoteServer) -> None:
    remote.answer("MAIL", "553 5.1.8 no such domain")

    async def run() -> None:
        async with remote:
            outcomes = await send(remote, outgoing("bob@remote.test", "carl@remote.test"))
        assert [outcome.words for outcome in outcomes] == ["553 5.1.8 no such domain"] * 2
        assert remote.messages == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("step", "reply", "verdict"),
    [
        ("DATA", "451 4.3.0 no", "deferred"),
        ("DATA", "554 5.6.0 no", "failed"),
        ("DATA", "250 2.0.0 taken before it was sent", "deferred"),
        ("DATA", "250 2.0.0 as if", "deferred"),
        ("END", "452 4.3.1 disk full", "deferred"),
        ("END", "554 5.7.1 spam", "failed"),
        ("END", "354 more", "deferred"),
        ("RCPT", "354 out of step", "deferred"),
    ],
)
def test_what_is_said_to_the_message_is_said_to_all(
    remote: RemoteServer, step: str, reply: str, verdict: str
) -> None:
    remote.answer(step, reply)

    async def run() -> None:
        async with remote:
            try:
                outcomes = await send(remote, outgoing("bob@remote.test", "carl@remote.test"))
            except Unusable as error:
                outcomes = [error.outcome] * 2
        assert verdicts(outcomes) == [verdict] * 2
        assert remote.messages == []

    asyncio.run(run())


DROPS: list[Act] = [Drop(), Drop(b"25"), Drop(b"250-half\r\n"), Raw(b"\xff\xfe garbage\r\n"), Hang()]


@pytest.mark.parametrize("act", DROPS, ids=["drop", "half a code", "half a reply", "garbage", "silence"])
@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "END", "RSET", "QUIT"])
def test_a_dialogue_that_breaks_off_defers(remote: RemoteServer, step: str, act: Act) -> None:
    async def run() -> None:
        async with remote:
            if step in ("CONNECT", "EHLO"):
                remote.answer(step, act)
                with pytest.raises(Unusable) as caught:
                    await open_client(remote, timeouts=hasty(step))
                assert verdicts([caught.value.outcome]) == ["deferred"]
                return
            client = await open_client(remote)
            if step == "RSET":
                remote.answer("MAIL", "451 4.3.0 not this one", times=1)
                assert verdicts(await client.send(outgoing())) == ["deferred"]
            remote.answer(step, act)
            client.timeouts = hasty(step)
            try:
                outcomes = await client.send(outgoing())
            except Unusable as error:
                outcomes = [error.outcome]
            await client.close()
        assert verdicts(outcomes) == ["delivered" if step == "QUIT" else "deferred"]
        assert outcomes[0].uncertain == (step in ("BODY", "END"))

    asyncio.run(run())


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "END"])
def test_421_defers_with_its_words(remote: RemoteServer, step: str) -> None:
    remote.answer(step, "421 4.3.2 going down")

    async def run() -> None:
        async with remote:
            try:
                outcomes = await send(remote)
            except Unusable as error:
                outcomes = [error.outcome]
        assert [outcome.words for outcome in outcomes] == ["421 4.3.2 going down"]
        assert verdicts(outcomes) == ["deferred"]

    asyncio.run(run())


def test_421_spares_those_who_were_refused(remote: RemoteServer) -> None:
    remote.answer("RCPT", "550 5.1.1 no", to="nobody@")
    remote.answer("RCPT", "421 4.7.0 too much", to="last@")

    async def run() -> None:
        async with remote:
            outcomes = await send(
                remote, outgoing("bob@remote.test", "nobody@remote.test", "last@remote.test")
            )
        assert [outcome.code for outcome in outcomes] == [421, 550, 421]

    asyncio.run(run())


def test_a_refusal_in_the_middle_of_the_message_counts(remote: RemoteServer) -> None:
    remote.answer("BODY", "552 5.3.4 enough", Hang(), times=1)

    async def run() -> None:
        async with remote:
            outcomes = await send(remote, outgoing(body=b"x" * 78 + b"\r\n" + MESSAGE * 200_000))
        assert outcomes[0].words == "552 5.3.4 enough"
        assert verdicts(outcomes) == ["failed"]

    asyncio.run(run())


def test_what_the_server_cannot_carry_is_not_sent() -> None:
    async def run() -> None:
        async with RemoteServer(extensions=["SIZE 10"]) as remote:
            assert (await send(remote))[0].status == "5.3.4"
        async with RemoteServer(extensions=[]) as remote:
            assert (await send(remote, outgoing(body="é\r\n".encode())))[0].status == "5.6.3"
            assert (await send(remote, utf8(outgoing())))[0].status == "5.6.7"
            mixed = await send(remote, outgoing("bob@remote.test", "bø@remote.test"))
            assert [outcome.status for outcome in mixed] == ["2.0.0", "5.6.7"]
        assert remote.said("RCPT") == ["RCPT TO:<bob@remote.test>"]

    asyncio.run(run())


def test_parameters_are_for_servers_that_know_them() -> None:
    async def run() -> None:
        message = outgoing("bø@remote.test", body="é\r\n".encode())
        async with RemoteServer() as remote:
            await send(remote, message)
        assert remote.said("MAIL") == ["MAIL FROM:<ada@here.test> SIZE=4 BODY=8BITMIME SMTPUTF8"]
        async with RemoteServer(extensions=[]) as remote:
            await send(remote)
        assert remote.said("MAIL") == ["MAIL FROM:<ada@here.test>"]

    asyncio.run(run())


def test_who_lost_the_right_to_send_does_not_send_the_dot(remote: RemoteServer) -> None:
    async def run() -> None:
        async with remote:
            client = await open_client(remote)
            with pytest.raises(Lapsed):
                await client.send(replace(outgoing(), still_ours=lambda: False))
            client.abort()
        assert remote.said("DATA") == ["DATA"]
        assert remote.messages == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("early", "verdict"), [(b"250 2.0.0 taken", "deferred"), (b"554 5.7.1 not from you", "failed")]
)
def test_a_reply_to_what_was_not_sent_yet_is_no_delivery(
    remote: RemoteServer, early: bytes, verdict: str
) -> None:
    remote.answer("DATA", Raw(b"354 go ahead\r\n" + early + b"\r\n"))

    async def run() -> None:
        async with remote:
            try:
                (outcome,) = await send(remote)
            except Unusable as error:
                outcome = error.outcome
        assert verdicts([outcome]) == [verdict]
        assert not outcome.uncertain
        assert remote.messages == []

    asyncio.run(run())


class Endless:
    """Fifty megabytes that exist only when they are read."""

    size = 50 * 1024 * 1024

    def __init__(self) -> None:
        self.read_to = 0

    def read(self, start: int, end: int) -> bytes:
        self.read_to = max(self.read_to, end)
        return (b"x" * 78 + b"\r\n") * ((min(end, self.size) - start) // 80)


def test_a_server_that_leaves_is_not_written_to(remote: RemoteServer) -> None:
    source = Endless()

    async def run() -> None:
        async with remote:
            remote.answer("BODY", Drop())
            with pytest.raises(Unusable):
                await send(remote, replace(outgoing(), source=source, body="8BITMIME"))

    asyncio.run(run())
    assert source.read_to < source.size


def test_a_server_that_does_not_read_is_not_written_to(remote: RemoteServer) -> None:
    source = Endless()

    async def run() -> None:
        async with remote:
            remote.answer("BODY", Hang())
            client = await open_client(remote, timeouts=Timeouts(block=0.05))
            with pytest.raises(Unusable) as caught:
                await client.send(replace(outgoing(), source=source, body="8BITMIME"))
        assert "reads nothing" in caught.value.outcome.text

    asyncio.run(run())
    # What the kernel takes for itself, on both sides, and what the transport may hold.
    assert source.read_to < source.size / 2


def with_limits(remote: RemoteServer, limits: str) -> RemoteServer:
    """The same server, which says how much it takes at a time."""
    return RemoteServer(extensions=[*remote.extensions, f"LIMITS {limits}"])


CROWD = [f"user{n}@remote.test" for n in range(5)]


def test_a_server_gets_no_more_recipients_at_a_time_than_it_takes(remote: RemoteServer) -> None:
    limited = with_limits(remote, "RCPTMAX=2 MAILMAX=20")
    limited.answer("RCPT", "550 5.1.1 who is that", to="user3@")

    async def run() -> None:
        async with limited:
            outcomes = await send(limited, outgoing(*CROWD))
        assert verdicts(outcomes) == ["delivered", "delivered", "delivered", "failed", "delivered"]
        assert [taken.recipients for taken in limited.messages] == [CROWD[:2], CROWD[2:3], CROWD[4:]]
        assert {taken.body for taken in limited.messages} == {MESSAGE}
        assert limited.connections == 1

    asyncio.run(run())


@pytest.mark.parametrize("limits", ["MAILMAX=2", "rcptmax=2 MAILMAX=2"])
def test_nor_more_messages_over_one_connection(remote: RemoteServer, limits: str) -> None:
    limited = with_limits(remote, limits)

    async def run() -> None:
        async with limited:
            client, may_follow = await open_client(limited), []
            for _ in range(2):
                await client.send(outgoing(*CROWD[:2]))
                may_follow.append(client.open_for_more)
            await client.close()
            assert may_follow == [True, False]

    asyncio.run(run())


def test_what_goes_wrong_later_is_about_those_who_come_later(remote: RemoteServer) -> None:
    """The first two have the message: nobody may be sent it again for what befell the others."""
    limited = with_limits(remote, "RCPTMAX=2 MAILMAX=2")
    limited.answer("RCPT", Drop(), to="user2@")

    async def run() -> None:
        async with limited:
            outcomes = await send(limited, outgoing(*CROWD))
        assert verdicts(outcomes) == ["delivered"] * 2 + ["deferred"] * 3
        assert [taken.recipients for taken in limited.messages] == [CROWD[:2]]
        assert outcomes[-1].status == "4.5.3"

    asyncio.run(run())


@pytest.mark.parametrize("limits", ["", "RCPTMAX", "RCPTMAX=0", "RCPTMAX=x", "RCPTMAX=1234567", "OTHER=1"])
def test_limits_that_say_nothing_are_none(remote: RemoteServer, limits: str) -> None:
    limited = with_limits(remote, limits)

    async def run() -> None:
        async with limited:
            assert verdicts(await send(limited, outgoing(*CROWD))) == ["delivered"] * 5
        assert len(limited.messages) == 1

    asyncio.run(run())
