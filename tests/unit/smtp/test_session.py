"""Sessions: what is kept, what is counted, when it ends."""

import asyncio
from pathlib import Path

import pytest

from postroad.model.address import Address
from postroad.model.envelope import Recipient
from postroad.policy.limits import Limits
from postroad.smtp.server.patience import message_deadline
from postroad.smtp.server.services import Role
from tests.transcripts.tls import server_context
from tests.unit.smtp.office import Office
from tests.unit.smtp.wire import connected

EHLO = "EHLO client.test"
LOGIN = "AUTH PLAIN AGFkYUBvdXJzLnRlc3QAc2VzYW1l"
MAIL, RCPT, DATA = "MAIL FROM:<smith@bar.test>", "RCPT TO:<ada@ours.test>", "DATA"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_envelope_and_peer_reach_the_acceptor(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(
                EHLO,
                "MAIL FROM:<smith@bar.test> BODY=8BITMIME RET=HDRS ENVID=QQ314",
                "RCPT TO:<ada@ours.test> NOTIFY=DELAY ORCPT=rfc822;lovelace@ours.test",
                "RCPT TO:<ADA@ours.test>",
                "RCPT TO:<bob@ours.test>",
                DATA,
            )
            assert await client.exchange(b"Subject: x\r\n\r\n..\r\n.\r\n") == "250 2.0.0 accepted as m1"

    asyncio.run(dialogue())
    (taken,) = office.taken
    envelope, peer = taken.envelope, taken.peer
    assert taken.body == b"Subject: x\r\n\r\n.\r\n"
    assert envelope.sender == Address("smith", "bar.test", False)
    assert envelope.recipients == (
        Recipient(
            Address("ada", "ours.test", False), frozenset({"DELAY"}), original="rfc822;lovelace@ours.test"
        ),
        Recipient(Address("bob", "ours.test", False)),
    )
    assert (envelope.body, envelope.ret, envelope.envid) == ("8BITMIME", "HDRS", "QQ314")
    assert (peer.protocol, peer.address, peer.helo, peer.tls) == ("ESMTP", "127.0.0.1", "client.test", "")
    assert (peer.listener, peer.connection_id, peer.account_id) == ("smtp", "c1", None)


@pytest.mark.parametrize(
    ("said", "octets", "kept"),
    [
        ("", b"plain\r\n", "7BIT"),
        (" BODY=7BIT", "grüße\r\n".encode(), "8BITMIME"),
        (" BODY=8BITMIME", b"plain\r\n", "8BITMIME"),
    ],
)
def test_the_body_is_what_came_not_what_was_said(office: Office, said: str, octets: bytes, kept: str) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, MAIL + said, RCPT, DATA)
            await client.exchange(octets + b".\r\n")

    asyncio.run(dialogue())
    assert office.taken[0].envelope.body == kept


def test_messages_without_recipients_are_no_errors(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={"errors_hard": 2}) as client:
            await client.say(EHLO)
            for _ in range(5):
                replies = await client.say(MAIL, "RCPT TO:<nobody@ours.test>", DATA, "RSET")
                assert [reply[:3] for reply in replies] == ["250", "550", "554", "250"]
                await client.say(MAIL)
                assert (await client.exchange(b"BDAT 2 LAST\r\n\r\n"))[:3] == "554"

    asyncio.run(dialogue())


def test_our_bug_ends_one_conversation_with_a_word(tmp_path: Path) -> None:
    class Sleepless(Office):
        async def sleep(self, seconds: float) -> None:
            raise ZeroDivisionError(seconds)

    async def dialogue() -> None:
        async with connected(Sleepless(tmp_path), limits={"errors_soft": 0}) as client:
            client.send(b"FOO\r\n")
            assert (await client.reply())[:3] == "500"
            assert await client.reply() == "421 4.3.0 something went wrong here, closing"

    asyncio.run(dialogue())


def test_a_user_who_logged_in_is_known_to_the_acceptor(office: Office) -> None:
    office.relay = True

    async def dialogue() -> None:
        async with connected(office, role=Role.SUBMISSION) as client:
            await client.say(EHLO, "STARTTLS")
            await client.start_tls()
            await client.say(EHLO, LOGIN, "MAIL FROM:<ada@ours.test> SMTPUTF8", RCPT, DATA)
            await client.exchange(b".\r\n")

    asyncio.run(dialogue())
    peer = office.taken[0].peer
    assert (peer.protocol, peer.login, peer.account_id) == ("UTF8SMTPSA", "ada@ours.test", 1)
    assert peer.tls.startswith("TLSv1.")
    assert office.attempts == [("ada@ours.test", "sesame", "127.0.0.1", "submission")]


def test_a_log_in_before_starttls_is_not_even_tried(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, role=Role.SUBMISSION) as client:
            await client.say(EHLO)
            client.send(b"STARTTLS\r\n" + LOGIN.encode() + b"\r\n")
            await client.reply()
            await client.start_tls()
            assert (await client.say(EHLO, "MAIL FROM:<ada@ours.test>"))[-1].startswith("530 ")

    asyncio.run(dialogue())
    assert office.attempts == []


@pytest.mark.parametrize(
    "injected",
    [
        b"NOOP\r\n",
        b"EHLO injected.test\r\nMAIL FROM:<injected@bar.test>\r\n",
        b"MAIL FROM:<injected@bar.test>\r\nRCPT TO:<ada@ours.test>\r\nDATA\r\nx\r\n.\r\n",
        b"RSET",
        b"EHLO injec",
        b"STARTTLS\r\n",
        b"\r\n",
    ],
)
def test_nothing_that_came_in_clear_behind_starttls_is_read(office: Office, injected: bytes) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO)
            assert await client.exchange(b"STARTTLS\r\n" + injected) == "220 2.0.0 ready for TLS"
            await client.start_tls()
            replies = await client.say(EHLO, "NOOP", "RCPT TO:<ada@ours.test>", "QUIT")
            assert [reply[:3] for reply in replies] == ["250", "250", "503", "221"]
            assert await client.reply() == ""

    asyncio.run(dialogue())
    assert office.taken == []


def test_what_comes_in_clear_instead_of_a_handshake_ends_it(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, "STARTTLS")
            client.send(b"MAIL FROM:<injected@bar.test>\r\nRCPT TO:<ada@ours.test>\r\nDATA\r\n")
            await client.ended()

    asyncio.run(dialogue())
    assert office.taken == []


def test_a_failed_handshake_ends_the_session(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, "STARTTLS")
            client.send(b"this is no handshake\r\n")
            await client.ended()
            assert client.conn.closed

    asyncio.run(dialogue())


def test_refusals_are_kept_once_at_the_end(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, "MAIL FROM:<forged@bar.test>", MAIL, "RCPT TO:<nobody@ours.test>", RCPT)
            await client.say("RCPT TO:<smith@elsewhere.test>", "RCPT TO:<full@ours.test>", DATA)
            assert office.said_no == []
            await client.exchange(b"bare\nline feed\r\n.\r\n")
            await client.leave()

    asyncio.run(dialogue())
    (no,) = office.said_no
    assert no.sender == "smith@bar.test"
    assert no.recipients == [
        "nobody@ours.test",
        "smith@elsewhere.test",
        "full@ours.test",
        "ada@ours.test",
    ]
    assert no.refusals == [
        "550 5.7.1 sender address is not yours to use (forged by test)",
        "nobody@ours.test: 550 5.1.1 no such user here",
        "smith@elsewhere.test: 550 5.7.1 relaying is not allowed",
        "full@ours.test: 452 4.2.2 mailbox full (full)",
        "ada@ours.test: 550 5.5.2 the message has a bare CR or LF; lines end in CR LF",
    ]


def test_a_session_without_refusals_leaves_no_trail(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say("GET / HTTP/1.1")

    asyncio.run(dialogue())
    assert office.said_no == []


def test_errors_cost_time_beyond_the_soft_limit(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={"errors_soft": 2, "errors_hard": 5, "error_delay": 3}) as client:
            replies = await client.say(*["FOO"] * 4)
            assert replies == ["500 5.5.1 the command is not known here"] * 4
            assert office.slept == [3, 3]
            await client.say("FOO")
            assert await client.reply() == "421 4.7.0 too many errors, closing"
            await client.ended()

    asyncio.run(dialogue())


@pytest.mark.parametrize("limit", ["greeting_timeout", "command_timeout"])
def test_a_silent_peer_is_told_and_closed(office: Office, limit: str) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={limit: 0}) as client:
            if limit == "command_timeout":
                client.send(b"NOOP\r\n")
                assert await client.reply() == "250 2.0.0 ok"
            assert await client.reply() == "421 4.4.2 waited too long, closing"
            await client.ended()

    asyncio.run(dialogue())


def test_half_a_command_does_not_extend_the_deadline(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={"greeting_timeout": 0}) as client:
            client.send(b"NO")
            assert await client.reply() == "421 4.4.2 waited too long, closing"

    asyncio.run(dialogue())


def test_a_message_has_to_be_whole_in_time(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={"data_timeout": 0}) as client:
            await client.say(EHLO, MAIL, RCPT, DATA)
            assert await client.reply() == "421 4.4.2 waited too long, closing"
            await client.ended()

    asyncio.run(dialogue())
    assert office.taken == []


@pytest.mark.parametrize(
    ("octets", "deadline"),
    [(0, 1060), (500, 1061), (5000, 1070), (270_000, 1600), (10_000_000, 1600)],
)
def test_octets_buy_time_for_a_message(octets: int, deadline: float) -> None:
    limits = Limits(command_timeout=60, data_rate=500, data_timeout=600)
    assert message_deadline(1000, octets, limits) == deadline


def test_a_peer_that_leaves_in_the_middle_of_a_message_leaves_nothing(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, MAIL, RCPT, DATA)
            client.send(b"Subject: half a mess")
            await client.leave()

    asyncio.run(dialogue())
    assert office.taken == []
    assert all(spool.closed for spool in office.spools)


def test_the_spool_is_closed_behind_each_message(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO)
            for recipient in ("ada", "loop", "crash"):
                await client.say(MAIL, f"RCPT TO:<{recipient}@ours.test>", DATA)
                await client.exchange(b"x\r\n.\r\n")
            await client.say(MAIL, RCPT)
            await client.exchange(b"BDAT 2\r\n\r\n")
            await client.say("RSET")
            assert [spool.closed for spool in office.spools] == [True] * 4

    asyncio.run(dialogue())


def test_a_server_that_stops_says_so_to_an_idle_peer(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, MAIL)
            client.conn.drain()
            assert await client.reply() == "421 4.3.2 the server is stopping, try again"
            await client.ended()

    asyncio.run(dialogue())


def test_a_server_that_stops_takes_the_message_that_is_half_here(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, MAIL, RCPT, DATA)
            client.send(b"Subject: half")
            client.conn.drain()
            assert await client.exchange(b"\r\n.\r\n") == "250 2.0.0 accepted as m1"
            assert await client.reply() == "421 4.3.2 the server is stopping, try again"

    asyncio.run(dialogue())
    assert len(office.taken) == 1


def test_a_peer_in_the_middle_of_a_message_is_told_when_the_time_is_up(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, MAIL, RCPT, DATA)
            client.send(b"Subject: half")
            client.conn.drain(last_call=True)
            assert await client.reply() == "421 4.3.2 the server is stopping, try again"
            await client.ended()

    asyncio.run(dialogue())
    assert office.taken == []


def test_a_poke_is_of_no_interest(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            client.conn.poke()
            assert await client.say(EHLO, "NOOP") == ["250 HELP", "250 2.0.0 ok"]

    asyncio.run(dialogue())


def test_a_large_message_over_tls(office: Office) -> None:
    body = b"".join(b"%07d " % number + b"x" * 70 + b"\r\n" for number in range(50_000))

    async def dialogue() -> None:
        async with connected(office, tls=server_context()) as client:
            await client.say(EHLO, f"{MAIL} SIZE={len(body)}", RCPT, DATA)
            assert await client.exchange(body + b".\r\n") == "250 2.0.0 accepted as m1"

    asyncio.run(dialogue())
    assert office.taken[0].body == body
    assert office.taken[0].peer.protocol == "ESMTPS"


def test_what_is_said_no_to_survives_a_trail_that_cannot_be_written(tmp_path: Path) -> None:
    class Forgetful(Office):
        async def refused(self, *_: object) -> None:
            raise OSError("the disk is gone")

    office = Forgetful(tmp_path)

    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO, MAIL, "RCPT TO:<nobody@ours.test>")
            assert await client.say("QUIT") == ["221 2.0.0 mx.ours.test closes"]
            await client.ended()

    asyncio.run(dialogue())


def test_asking_in_vain_again_and_again_ends_it(office: Office) -> None:
    full = "RCPT TO:<full@ours.test>"

    async def dialogue() -> None:
        async with connected(office, limits={"recipients": 3}) as client:
            await client.say(EHLO, MAIL, full, full, RCPT, DATA)
            assert (await client.exchange(b"x\r\n.\r\n")).startswith("250 ")
            # What was accepted starts the count anew; refused messages count as well.
            await client.say(MAIL, full, full, "RCPT TO:<outage@ours.test>", DATA)
            assert (await client.exchange(b"x\r\n.\r\n")).startswith("451 ")
            await client.say(MAIL)
            assert (await client.say(full))[-1] == "452 4.2.2 mailbox full"
            assert await client.reply() == "421 4.7.0 too many refusals, closing"
            await client.ended()

    asyncio.run(dialogue())
    assert len(office.taken) == 1
