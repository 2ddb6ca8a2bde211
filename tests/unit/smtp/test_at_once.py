"""What is answered in the place of a session that waits, and what is left for it."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from postroad.smtp.wire.server import SmtpServerCore
from tests.unit.smtp.office import Office
from tests.unit.smtp.wire import Client, connected

EHLO = "EHLO client.test"
ENVELOPE = b"MAIL FROM:<smith@bar.test>\r\nRCPT TO:<ada@ours.test>\r\n"
STOPPING = "421 4.3.2 the server is stopping, try again"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def heard(client: Client, replies: int) -> list[str]:
    return [(await client.reply())[:3] for _ in range(replies)]


def test_an_envelope_is_answered_before_the_session_has_a_turn(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO)
            client.conn.data_received(ENVELOPE + b"DATA\r\n")
            client.conn.drain()  # the message is awaited by now, or the session would end here
            assert await heard(client, 3) == ["250", "250", "354"]
            assert await client.exchange(b"x\r\n.\r\n") == "250 2.0.0 accepted as m1"
            assert await client.reply() == STOPPING

    asyncio.run(dialogue())


def test_a_stop_between_two_chunks_is_told(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO)
            client.send(ENVELOPE + b"BDAT 10\r\n1234")
            assert await heard(client, 2) == ["250"] * 2
            assert await client.exchange(b"567890") == "250 2.0.0 10 octets received"
            client.conn.drain()
            assert await client.reply() == STOPPING

    asyncio.run(dialogue())


def test_what_has_to_be_waited_for_goes_first_when_the_session_has_its_turn(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO)
            client.send(ENVELOPE + b"BDAT 3 LAST\r\nx\r\nRSET\r\nRCPT TO:<ada@ours.test>\r\nQUIT\r\n")
            assert await heard(client, 6) == ["250", "250", "250", "250", "503", "221"]
            await client.ended()

    asyncio.run(dialogue())
    assert [taken.body for taken in office.taken] == [b"x\r\n"]


def test_a_message_has_its_own_time(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={"data_timeout": 0, "command_timeout": 1000}) as client:
            await client.say(EHLO)
            client.send(ENVELOPE + b"DATA\r\n")
            assert await heard(client, 4) == ["250", "250", "354", "421"]

    asyncio.run(dialogue())


def test_more_than_a_turn_of_commands_are_all_answered(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office, limits={"junk_commands": 1000}) as client:
            await client.say(EHLO)
            client.send(b"RSET\r\n" * 250)
            assert await heard(client, 250) == ["250"] * 250

    asyncio.run(dialogue())


def test_our_bug_is_the_session_s(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: SmtpServerCore) -> NoReturn:
        raise ZeroDivisionError

    async def dialogue() -> None:
        async with connected(office) as client:
            await asyncio.sleep(0)
            monkeypatch.setattr(SmtpServerCore, "next_event", broken)
            assert await client.exchange(b"NOOP\r\n") == "421 4.3.0 something went wrong here, closing"
            await client.ended()

    asyncio.run(dialogue())


def test_what_was_left_of_a_peer_that_is_cut_off_is_let_go(office: Office) -> None:
    async def dialogue() -> None:
        async with connected(office) as client:
            await client.say(EHLO)
            client.conn.data_received(ENVELOPE + b"BDAT 3 LAST\r\nx\r\n")
            client.conn.pause_writing()  # it reads nothing any more
            client.conn.extend(0)
            await client.ended()

    asyncio.run(dialogue())
    assert office.taken == []
