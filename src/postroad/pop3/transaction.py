"""The TRANSACTION state: what is said about messages (RFC 1939 §5 and §7)."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeAlias

from postroad.pop3.maildrop import Gone, Maildrop
from postroad.pop3.surrogate import said
from postroad.pop3.upcoming import Upcoming
from postroad.pop3.wire.core import Pop3Core
from postroad.pop3.wire.events import AboutMessages, Dele, List, Retr, Rset, Stat, Top, Uidl
from postroad.pop3.wire.multiline import END, Stuffer, cut_lines
from postroad.store.errors import NoSuchMessage, StoreError
from postroad.store.messages import StoredMessage

SLICE: Final = 128 * 1024
"""How much of a message is read and sent at a time."""
ENOUGH: Final = 64 * 1024
"""Replies waiting in the core beyond which they are sent before anything else is made ready."""

Send: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Sends what waits in the core, and then these octets; waits for a slow client."""


class CutOff(ConnectionError):
    """A message cannot be read to its end, so its reply cannot be ended well, so the connection must be."""


def answer(
    event: AboutMessages, maildrop: Maildrop, core: Pop3Core, upcoming: Upcoming, send: Send
) -> Awaitable[None] | None:
    """Answer one command about messages; what cannot be said at once is to be awaited before the next.

    Raises:
        StoreError: nothing has been answered yet.
        CutOff
    """
    try:
        match event:
            case Retr():
                message = maildrop.open(event.number)
                if message.size > SLICE:
                    return _retrieve_large(message, core, send)
                core.push_all(upcoming.reply(event.number, message))
            case Top(number, lines):
                return _top(maildrop.open(number), lines, core, send)
            case Dele(number):
                maildrop.delete(number)
                core.ok()
            case List(None):
                return _listing(b"%d messages" % maildrop.messages, maildrop.scan_listing(), core, send)
            case List(int(number)):
                core.ok(b"%d %d" % (number, maildrop.size(number)))
            case Uidl(None):
                return _listing(b"unique ids follow", maildrop.unique_id_listing(), core, send)
            case Uidl(int(number)):
                core.ok(b"%d %b" % (number, maildrop.unique_id(number)))
            case Stat():
                core.ok(b"%d %d" % (maildrop.messages, maildrop.octets))
            case Rset():
                maildrop.reset()
                core.ok()
            case _:
                raise AssertionError(f"{event} is not about messages")
    except (Gone, NoSuchMessage):
        core.error(b"no such message")
    return None


async def _retrieve_large(message: StoredMessage, core: Pop3Core, send: Send) -> None:
    # The first slice is read before anything is promised: damage is found in time to say so.
    shown = said(message, utf8=core.utf8)
    first = shown(message.read(0, SLICE), 0)
    core.ok(b"%d octets" % message.size)
    stuffer = Stuffer()
    core.push(stuffer.feed(first))
    for start in range(SLICE, message.size, SLICE):
        await send(stuffer.feed(shown(_slice(message, start, message.size), start)))
    core.push(stuffer.finish())


async def _top(message: StoredMessage, lines: int, core: Pop3Core, send: Send) -> None:
    """The header, the empty line, and the first lines of the body."""
    place = message.section((), "HEADER")
    assert place is not None
    start = place[1]
    shown = said(message, utf8=core.utf8)
    first = shown(message.read(0, min(start, SLICE)), 0)
    core.ok(b"top of message follows")
    stuffer = Stuffer()
    core.push(stuffer.feed(first))
    for at in range(SLICE, start, SLICE):
        await send(stuffer.feed(shown(_slice(message, at, start), at)))
    while lines and start < message.size:
        piece, lines = cut_lines(shown(_slice(message, start, message.size), start), lines)
        await send(stuffer.feed(piece))
        start += SLICE
    core.push(stuffer.finish())


async def _listing(text: bytes, pieces: Iterator[bytes], core: Pop3Core, send: Send) -> None:
    core.ok(text)
    for piece in pieces:
        core.push(piece)
        if core.waiting() > ENOUGH:
            await send(b"")
    core.push(END)


def _slice(message: StoredMessage, start: int, end: int) -> bytes:
    try:
        return message.read(start, min(start + SLICE, end))
    except (StoreError, OSError) as error:
        raise CutOff(f"at octet {start}: {error}") from error
