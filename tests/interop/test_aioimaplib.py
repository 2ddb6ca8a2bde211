"""aioimaplib, from PyPI: an asyncio client that waits in IDLE."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aioimaplib

from tests.interop.messages import imap, message, receive
from tests.interop.postroad_server import HOST, PASSWORD, Postroad

PATIENCE = 60.0


@asynccontextmanager
async def connected(server: Postroad, user: str) -> AsyncIterator[Any]:
    """A session of a new user, logged in."""
    client = aioimaplib.IMAP4_SSL(
        HOST, server.ports.imaps, timeout=PATIENCE, ssl_context=server.tls_context()
    )
    await client.wait_hello_from_server()
    assert (await client.login(user, PASSWORD)).result == "OK"
    try:
        yield client
    finally:
        assert (await client.logout()).result == "OK"


async def told(client: Any, *words: bytes) -> None:
    """Wait in IDLE until there has been a line with all of these."""
    while not any(all(word in line for word in words) for line in await client.wait_server_push(PATIENCE)):
        pass


def test_aioimaplib_hears_in_idle_what_others_do(module_server: Postroad) -> None:
    user = "idle@ours.test"
    module_server.add_accounts(user)

    async def listen() -> None:
        async with connected(module_server, user) as client:
            await client.select("INBOX")
            idle = await client.idle_start(timeout=PATIENCE)

            await asyncio.to_thread(receive, module_server, message("bread"), user)
            await told(client, b"1 EXISTS")
            await asyncio.to_thread(mark, module_server, user, "\\Seen")
            await told(client, b"1 FETCH (FLAGS", b"\\Seen")
            await asyncio.to_thread(mark, module_server, user, "\\Deleted")
            await told(client, b"1 EXPUNGE")

            client.idle_done()
            await asyncio.wait_for(idle, PATIENCE)
            # The connection is good for more.
            assert (await client.search("ALL")).lines[0] == b""

    asyncio.run(listen())


def mark(server: Postroad, user: str, flag: str) -> None:
    """Flag the message in another session, and expunge what is deleted."""
    with imap(server, user) as session:
        session.select()
        session.store("1", "+FLAGS", flag)
        session.expunge()


def test_aioimaplib_appends_searches_fetches_and_moves(module_server: Postroad) -> None:
    user = "whole@ours.test"
    module_server.add_accounts(user)
    text = message("Grüße", "Schöne Grüße.\r\n").encode()

    async def work() -> None:
        async with connected(module_server, user) as client:
            assert client.has_capability("MOVE")
            assert (await client.namespace()).lines[0].startswith(b'(("" "/"))')
            assert b"postroad" in b"".join((await client.id(name="aioimaplib")).lines)
            assert (await client.enable("CONDSTORE")).result == "OK"
            assert (await client.append(text, "INBOX", "\\Flagged")).result == "OK"
            await client.select("INBOX")
            assert (await client.uid_search("SUBJECT", '"GRÜßE"')).lines[0] == b"1"
            _, fetched, *_ = (await client.uid("fetch", "1", "(FLAGS MODSEQ BODY.PEEK[])")).lines
            assert bytes(fetched) == text
            assert (await client.uid("move", "1", "Archive")).result == "OK"
            assert b"MESSAGES 1" in (await client.status("Archive", "(MESSAGES)")).lines[0]
            assert (await client.getquotaroot("INBOX")).result == "OK"

    asyncio.run(work())
