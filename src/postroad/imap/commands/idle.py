"""IDLE (RFC 2177): the one command during which news comes by itself."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.events import heard
from postroad.imap.news import tell_all
from postroad.imap.wire.event import IdleEnd
from postroad.imap.wire.session_commands import Idle
from postroad.net.wake import Wake


async def idle(dialogue: Dialogue, command: Idle) -> Answer | None:
    """Tell what happens in the mailbox until the client says DONE."""
    core, conn = dialogue.core, dialogue.conn
    # First the subscription, then the look: what happens between the two is not missed.
    # Of another's account the session hears as long as it has a mailbox of that selected.
    unsubscribe = dialogue.services.store.watch.subscribe(f"account:{dialogue.account.id}", conn.poke)
    try:
        core.continuation(b"idling")
        core.expect_done(command.tag)
        await tell_all(dialogue)
        deadline = conn.deadline(max(dialogue.services.limits.imap_idle_timeout, 1800))
        while True:
            match await heard(core):
                case None:
                    pass
                case IdleEnd(done=True):
                    return ok(b"done")
                case IdleEnd():
                    return None  # answered by the core
                case _:
                    dialogue.over = True
                    return None
            match await conn.pump(deadline):
                case Wake.DATA:
                    pass
                case Wake.POKED:
                    await tell_all(dialogue)
                case Wake.TIMEOUT:
                    core.bye(b"nothing came for too long")
                    dialogue.over = True
                    return None
                case Wake.DRAIN:
                    core.bye(b"the server is stopping", b"UNAVAILABLE")
                    dialogue.over = True
                    return None
                case Wake.CLOSED:
                    dialogue.over = True
                    return None
    finally:
        unsubscribe()
