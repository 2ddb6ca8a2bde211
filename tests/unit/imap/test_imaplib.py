"""Python's own client, in a thread, over TLS."""

import asyncio
import imaplib
from collections.abc import Callable
from typing import TypeVar

from tests.unit.imap.world import PASSWORD, USER, Server, World, message, trusting

T = TypeVar("T")


def with_imaplib(world: World, work: Callable[[imaplib.IMAP4_SSL], T]) -> T:
    def client(server: Server) -> T:
        with imaplib.IMAP4_SSL("127.0.0.1", server.tls_port, ssl_context=trusting()) as imap:
            imap.login(USER, PASSWORD)
            return work(imap)

    async def serve(server: Server) -> T:
        return await asyncio.to_thread(client, server)

    return world.run(serve)


def test_a_day_with_imaplib(world: World) -> None:
    def work(imap: imaplib.IMAP4_SSL) -> None:
        octets = message("for imaplib")
        assert imap.create('"Lists/Python Dev"')[0] == "OK"
        assert imap.subscribe('"Lists/Python Dev"')[0] == "OK"
        assert b'(\\HasNoChildren) "/" "Lists/Python Dev"' in imap.list("Lists", "*")[1]
        assert imap.append("INBOX", "(\\Seen)", '"01-Feb-2024 10:00:00 +0000"', octets)[0] == "OK"
        assert imap.select()[1] == [b"1"]
        status, data = imap.fetch("1", "(UID RFC822)")
        assert status == "OK"
        assert isinstance(data[0], tuple)
        assert data[0][1] == octets
        assert imap.search(None, "SUBJECT", '"imaplib"')[1] == [b"1"]
        assert imap.store("1", "+FLAGS", "(\\Flagged)")[1] == [b"1 (FLAGS (\\Flagged \\Seen \\Recent))"]
        assert imap.copy("1", '"Lists/Python Dev"')[0] == "OK"
        assert imap.status('"Lists/Python Dev"', "(MESSAGES)")[1] == [b'"Lists/Python Dev" (MESSAGES 1)']
        assert imap.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
        assert imap.expunge()[1] == [b"1"]
        assert imap.uid("SEARCH", "ALL")[1] == [b""]
        assert imap.rename('"Lists/Python Dev"', "Python")[0] == "OK"
        assert imap.delete("Python")[0] == "OK"
        assert imap.namespace()[1] == [b'(("" "/")) (("Other Users/" "/")) (("Shared/" "/"))']
        assert imap.getquotaroot("INBOX")[1] == [[b"INBOX"], [None]]
        assert imap.unselect()[0] == "OK"

    with_imaplib(world, work)


def test_imaplib_in_utf8(world: World) -> None:
    def work(imap: imaplib.IMAP4_SSL) -> None:
        assert imap.enable("UTF8=ACCEPT")[0] == "OK"
        assert imap.create('"Größe"')[0] == "OK"
        assert '(\\HasNoChildren) "/" "Größe"'.encode() in imap.list()[1]
        octets = message("Grüße")
        # It puts `UTF8 (` and `)` into the literal, not around it.
        assert imap.append('"Größe"', None, None, octets)[0] == "OK"
        assert imap.select('"Größe"')[1] == [b"1"]
        _, data = imap.fetch("1", "(BODY[] RFC822.SIZE)")
        assert isinstance(data[0], tuple)
        assert data[0][1] == octets
        assert imap.search(None, "SUBJECT", '"grüße"')[1] == [b"1"]

    with_imaplib(world, work)


def test_a_thousand_messages(world: World) -> None:
    def work(imap: imaplib.IMAP4_SSL) -> None:
        for number in range(20):
            assert imap.append("INBOX", "", "", message(str(number)))[0] == "OK"
        imap.select()
        for _ in range(6):
            imap.copy("1:*", "INBOX")
        status, data = imap.uid("FETCH", "1:*", "(FLAGS ENVELOPE)")
        assert status == "OK"
        assert len(data) == 20 * 2**6

    with_imaplib(world, work)
