"""The next thing that a client says."""

import asyncio
from collections.abc import Callable
from typing import Final

from postroad.imap.dialogue import Dialogue
from postroad.imap.news import tell_unasked
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import Event, Hangup
from postroad.net.wake import Wake

_DATA: Final = Wake.DATA  # to look a member up takes longer than a call


async def next_event(
    dialogue: Dialogue, deadline: float | None = None, at_once: Callable[[], bool] | None = None
) -> Event | None:
    """Wait for the next event; None when the session is over, for whatever reason.

    `at_once` may carry commands out meanwhile (`Connection.pump`), and leave one in `Dialogue.left`.

    What happens in a mailbox between two commands is no event: the client
    hears of it with the next one (RFC 3501 §7.4.1), or at once since NOTIFY.
    """
    core, conn = dialogue.core, dialogue.conn
    drain = True
    while not dialogue.over:
        event, dialogue.left = dialogue.left or core.next_event(), None
        if event is None and core.compression is not None:
            event = await heard(core)
        if event is not None:
            if isinstance(event, Hangup):
                break
            return event
        if deadline is None:
            deadline = conn.deadline(dialogue.patience)
        wake = await conn.pump(deadline, drain=drain, at_once=at_once)
        deadline = conn.due
        if wake is _DATA:
            drain = True
            continue
        match wake:
            case Wake.POKED:
                if core.between_commands:
                    await tell_unasked(dialogue)
            case Wake.TIMEOUT:
                core.bye(b"nothing came for too long")
                break
            case Wake.DRAIN if drain and not core.between_commands:
                drain = False  # a peer in the middle of a command is let finish it, up to the last call
            case Wake.DRAIN:
                core.bye(b"the server is stopping", b"UNAVAILABLE")
                break
            case Wake.CLOSED:
                break
    dialogue.over = True
    return None


def event_at_hand(dialogue: Dialogue) -> Event | None:
    """The next event if all of it is here; None where `next_event` has to be awaited.

    Some say a thousand things without a pause: to await each costs as much as to look at it.
    """
    if dialogue.over:
        return None
    event, dialogue.left = dialogue.left or dialogue.core.next_event(), None
    if isinstance(event, Hangup):
        dialogue.over = True
        return None
    return event


async def heard(core: ImapServerCore) -> Event | None:
    """What the client has said already, compressed or not; None if that is no event yet."""
    while True:
        event = core.next_event()
        if event is not None or not core.inflate():
            return event
        await asyncio.sleep(0)  # a step of a bomb is a short turn
