"""A client that follows results by ADDTO and REMOVEFROM has what a new SEARCH or SORT gives (RFC 5267)."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.imap.world import Client, Server, World, message

_COMMANDS: Final = (
    b"UID SEARCH RETURN (%b) FLAGGED",
    b"SEARCH RETURN (%b) OR DELETED NOT FLAGGED",
    b"UID SORT RETURN (%b) (SUBJECT REVERSE SIZE) UTF-8 UNSEEN",
    b"SORT RETURN (%b) (REVERSE SUBJECT) UTF-8 NOT DELETED",
)
_RESULT: Final = re.compile(rb'\* ESEARCH \(TAG "([^"]+)"\)(?: UID)?(.*)')
_CHANGE: Final = re.compile(rb" (ADDTO|REMOVEFROM) \(([^)]*)\)")
_EXPUNGE: Final = re.compile(rb"\* (\d+) EXPUNGE")


def expanded(text: bytes) -> list[int]:
    numbers: list[int] = []
    for piece in text.split(b",") if text else ():
        low, _, high = piece.partition(b":")
        numbers += range(int(low), int(high or low) + 1)
    return numbers


class Follower:
    """A client with one list of results for each command that it follows."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.results: dict[bytes, list[int]] = {}
        self.commands: dict[bytes, bytes] = {}

    async def follow(self, command: bytes) -> None:
        lines = await self.client.do(command % b"UPDATE ALL")
        match = _RESULT.fullmatch(lines[0])
        assert match is not None
        self.results[match[1]] = expanded(match[2].rpartition(b" ")[2])
        self.commands[match[1]] = command

    async def do(self, command: bytes) -> None:
        for line in (await self.client.do(command))[:-1]:
            self.hear(line)

    def hear(self, line: bytes) -> None:
        if (gone := _EXPUNGE.fullmatch(line)) is not None:
            number = int(gone[1])
            for tag, command in self.commands.items():
                if not command.startswith(b"UID"):
                    assert number not in self.results[tag], "it was to be removed first"
                    self.results[tag] = [n - (n > number) for n in self.results[tag]]
        elif (match := _RESULT.fullmatch(line)) is not None:
            results = self.results[match[1]]
            for kind, pairs in _CHANGE.findall(match[2]):
                words = pairs.split()
                for position, numbers in zip(map(int, words[::2]), words[1::2], strict=True):
                    for shift, number in enumerate(expanded(numbers)):
                        if kind == b"ADDTO":
                            assert number not in results
                            results.insert(position - 1 + shift if position else len(results), number)
                        else:
                            assert position == 0 or results[position - 1] == number
                            results.remove(number)
                    if not position:
                        results.sort()

    async def check(self) -> None:
        for tag, command in self.commands.items():
            lines = await self.client.do(command % b"ALL")
            match = _RESULT.fullmatch(lines[0])
            assert match is not None
            assert self.results[tag] == expanded(match[2].rpartition(b" ALL ")[2] if match[2] else b"")


steps = st.lists(
    st.tuples(
        st.sampled_from(["append", "store", "silent", "other", "expunge", "other expunge", "many"]),
        st.integers(1, 6),
        st.sampled_from([b"\\Flagged", b"\\Seen", b"\\Deleted"]),
        st.sampled_from([b"+", b"-"]),
    ),
    max_size=10,
)


async def followed(
    server: Server, client: Client, other: Client, plan: list[tuple[str, int, bytes, bytes]]
) -> None:
    follower = Follower(client)
    await server.inbox(message("b"), message("a", body="long\r\n"), message("Re: b"))
    await client.ok(b"SELECT INBOX")
    await other.ok(b"SELECT INBOX")
    for command in _COMMANDS:
        await follower.follow(command)
    for kind, number, flag, sign in plan:
        match kind:
            case "append":
                await server.inbox(message("abc"[number % 3], body="x" * number))
            case "many":
                await server.inbox(*[message("abc"[n % 3]) for n in range(120)])
            case "store":
                await follower.do(b"STORE %d %bFLAGS (%b)" % (number, sign, flag))
            case "silent":
                await follower.do(b"STORE 1:* %bFLAGS.SILENT (%b)" % (sign, flag))
            case "other":
                await other.do(b"STORE %d:* %bFLAGS (%b)" % (number, sign, flag))
            case "expunge":
                await follower.do(b"EXPUNGE")
            case _:
                await other.do(b"EXPUNGE")
        await follower.do(b"NOOP")
        await follower.check()


@given(steps)
@settings(max_examples=12, deadline=None)
def test_results_that_are_followed_are_those_of_a_new_search(
    plan: list[tuple[str, int, bytes, bytes]],
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        world = World(folder)

        async def talk() -> None:
            async with world.server() as server, server.client() as client, server.client() as other:
                await followed(server, client, other, plan)

        asyncio.run(talk())
    finally:
        shutil.rmtree(folder)
