"""Short commands are answered as they come; whatever is out of the ordinary is the session's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from postroad.net.connection import Connection
from tests.transcripts.imap_setting import setting
from tests.unit.imap.test_pipeline import Deaf

_MAIL: Final = {"mail": "plain reply"}


class _Talk:
    """A client whose wire is in memory."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.wire = Deaf(connection)
        connection.connection_made(self.wire)

    def say(self, words: bytes) -> bytes:
        """What is answered before the octets were quite taken."""
        self.connection.data_received(words)
        return self.wire.read()

    async def ask(self, words: bytes) -> bytes:
        """What is answered in the end to a command with the tag `a`."""
        said = self.say(words)
        while b"a OK" not in said and b"a NO" not in said and b"a BAD" not in said:
            await asyncio.sleep(0.001)
            said += self.wire.read()
        return said


@asynccontextmanager
async def _talks() -> AsyncIterator[tuple[_Talk, _Talk]]:
    """Two sessions of ada, both with INBOX selected."""
    async with setting(_MAIL) as run:
        first, second = (_Talk(Connection(run, connection_id=name)) for name in "ab")
        for talk in (first, second):
            await talk.ask(b"a LOGIN ada@demo.test demo\r\n")
            await talk.ask(b"a SELECT INBOX\r\n")
        yield first, second
        for talk in (first, second):
            await talk.ask(b"a LOGOUT\r\n")


@pytest.mark.parametrize(
    "command",
    [
        b"NOOP",
        b"CHECK",
        b"STATUS INBOX (MESSAGES)",
        b"FETCH 1:2 (UID FLAGS RFC822.SIZE INTERNALDATE)",
        b"UID FETCH 1,2 (BODY.PEEK[])",
        b"FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT]<0.10>)",
        b"UID FETCH 7 (FLAGS)",
    ],
)
def test_what_changes_nothing_is_answered_as_it_comes_and_the_same_in_a_pipeline(command: bytes) -> None:
    async def scene() -> None:
        async with _talks() as (talk, _):
            at_once = talk.say(b"a %b\r\n" % command)
            assert b"a OK done" in at_once.replace(b"everything is on disk already", b"done")
            assert at_once + at_once == await _both(talk, b"a %b\r\n" % command)

    asyncio.run(scene())


async def _both(talk: _Talk, line: bytes) -> bytes:
    said = await talk.ask(line + line)
    while said.count(b"\r\na ") + said.startswith(b"a ") < 2:
        await asyncio.sleep(0.001)
        said += talk.wire.read()
    return said


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"FETCH 3 (FLAGS)", b"a BAD there are not so many messages"),
        (b"FETCH 1 (BINARY[9])", b"BINARY[9] NIL"),
        (b"FETCH 1 (ENVELOPE)", b"ENVELOPE ("),
        (b"FETCH 1:* (FLAGS) (CHANGEDSINCE 1)", b"MODSEQ ("),
        (b"FETCH 1 (BODY[])", b"FLAGS (\\Seen"),
        (b"FETCH 1", b"a BAD"),
        (b"XYZZY", b"a BAD"),
    ],
)
def test_whatever_is_out_of_the_ordinary_is_answered_all_the_same(command: bytes, answer: bytes) -> None:
    async def scene() -> None:
        async with _talks() as (talk, _):
            assert answer in await talk.ask(b"a %b\r\n" % command)

    asyncio.run(scene())


@pytest.mark.parametrize("command", [b"NOOP", b"FETCH 1 (UID)", b"STATUS INBOX (UIDNEXT)"])
def test_what_others_have_changed_is_told_with_it(command: bytes) -> None:
    async def scene() -> None:
        async with _talks() as (one, other):
            await other.ask(b"a STORE 2 +FLAGS (\\Flagged)\r\n")
            said = await one.ask(b"a %b\r\n" % command)
            assert b"* 2 FETCH" in said
            assert b"\\Flagged" in said

    asyncio.run(scene())


def test_a_message_that_others_have_expunged_is_missed() -> None:
    async def scene() -> None:
        async with _talks() as (one, other):
            await other.ask(b"a STORE 1 +FLAGS (\\Deleted)\r\n")
            await other.ask(b"a EXPUNGE\r\n")
            assert b"a NO [EXPUNGEISSUED]" in await one.ask(b"a FETCH 1:2 (UID BODY.PEEK[])\r\n")
            assert b"* 1 EXPUNGE" in await one.ask(b"a NOOP\r\n")

    asyncio.run(scene())


def test_octet_by_octet_it_is_the_same() -> None:
    async def scene() -> None:
        async with _talks() as (talk, _):
            at_once = talk.say(b"a FETCH 1 (UID)\r\n")
            for octet in b"a FETCH 1 (UID)\r":
                assert talk.say(bytes([octet])) == b""
            assert await talk.ask(b"\n") == at_once

    asyncio.run(scene())
