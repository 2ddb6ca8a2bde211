"""An IMAP session from greeting to goodbye (RFC 3501 §3)."""

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final

from postroad.config.limits import Limits
from postroad.imap.answer import Answer, No
from postroad.imap.capabilities import OFFERED
from postroad.imap.dialogue import Authenticator, Dialogue, Services, SessionCounts
from postroad.imap.dispatch import carry_out, may_expunge
from postroad.imap.errors import SERVERBUG, answer_to
from postroad.imap.events import next_event
from postroad.imap.news import catch_up, may_be_news, tell_others
from postroad.imap.notify.overview import Overviews
from postroad.imap.sections import WRITE
from postroad.imap.selected import MailboxGone
from postroad.imap.shared_uids import SharedUids
from postroad.imap.turns import Turns
from postroad.imap.wire.command import Command
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import Event, SaveFailed
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.mailbox_commands import Select
from postroad.imap.wire.search_commands import Search, Thread
from postroad.imap.wire.table import State
from postroad.model.clock import Clock
from postroad.net.connection import Connection
from postroad.obs.log import log
from postroad.obs.metrics import IMAP_COMMANDS, SESSIONS
from postroad.store.store import Store

_SESSIONS: Final = SESSIONS.labels("imap")
_STRANGER: Final = State.NOT_AUTHENTICATED
LARGE_SEARCHES: Final = 2
"""Large messages that are in memory at a time for SEARCH; each takes its size, and decoded once more."""
NOTHING_SAID: Final[Mapping[str, bytes]] = MappingProxyType({})


class ImapSession:
    """What a listener needs to serve IMAP: `run` is one session."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Authenticator,
        clock: Clock,
        limits: Limits,
        hostname: str,
        tls_context: ssl.SSLContext | None,
        passwords_in_clear: bool = False,
        mechanisms: Collection[str] = (),
        counts: SessionCounts,
        administrators: Collection[str] = (),
        about_server: Mapping[str, bytes] = NOTHING_SAID,
        on_login: Callable[[Connection], None] = lambda _: None,
        on_logout: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """`tls_context` is for STARTTLS; whether TLS is on already is asked of each connection."""
        self._services = Services(
            store=store,
            directory=directory,
            clock=clock,
            limits=limits,
            hostname=hostname,
            tls_context=tls_context,
            passwords_in_clear=passwords_in_clear,
            mechanisms=mechanisms,
            shared_uids=SharedUids(),
            overviews=Overviews(),
            counts=counts,
            large_searches=asyncio.Semaphore(LARGE_SEARCHES),
            administrators=administrators,
            about_server=about_server,
            on_login=on_login,
            on_logout=on_logout,
        )
        self._limits = ImapLimits(
            line_prelogin=limits.imap_line_prelogin,
            line=limits.imap_line,
            literal=limits.imap_literal,
            literals_size=limits.imap_literals_size,
            literals=limits.imap_literals,
            metadata_value=limits.metadata_value,
            message_size=limits.message_size,
        )

    async def run(self, conn: Connection) -> None:
        """Serve one client until it, or the server, goes away."""
        core = ImapServerCore(self._limits, OFFERED)
        dialogue = Dialogue(conn, core, self._services)
        conn.attach(core)
        _SESSIONS.inc()
        try:
            core.tagged(
                b"*",
                b"OK",
                b"%b postroad at your service" % self._services.hostname.encode(),
                b"CAPABILITY " + dialogue.capabilities(),
            )
            turns = Turns(conn, self._services.clock)
            deadline: float | None = conn.deadline(self._services.limits.greeting_timeout)
            while (event := await next_event(dialogue, deadline)) is not None:
                deadline = None
                await _serve(dialogue, event)
                if core.unsent > WRITE:
                    # Within a pipeline, wait for a client that does not read.
                    await conn.send(b"", self._services.limits.unread_timeout)
                elif core.buffered():
                    await turns.next()
        finally:
            _SESSIONS.dec()
            dialogue.leave()
            log.info("imap.end", conn=conn.id)


async def _serve(dialogue: Dialogue, event: Event) -> None:
    """Carry out one command and answer it; no error of ours ends the session."""
    if isinstance(event, SaveFailed) and dialogue.maybe_selected is not None:
        dialogue.maybe_selected.saved = ()
    if not isinstance(event, Command):
        return  # what is left of a command that has been answered
    IMAP_COMMANDS.count += 1
    try:
        try:
            answer = await carry_out(dialogue, event)
        except (ConnectionError, MailboxGone):
            raise
        except Exception as error:
            answer = _excuse(dialogue, event, error)
        if answer is not None:
            # What SELECT has just told is news enough; a correction of it, EXPUNGE of all
            # things, in the same answer is legal and more than clients are ready for.
            if isinstance(event, Select):
                tell_others(dialogue)
            elif not dialogue.over and may_be_news(dialogue):
                code = await catch_up(dialogue, expunge=may_expunge(event))
                if isinstance(event, Search | Thread) and not answer.code and _owes_expunges(dialogue):
                    answer = answer._replace(code=b"EXPUNGEISSUED")  # RFC 5530 §3: what is gone was not found
                if code and answer.code:
                    dialogue.tell_modseq(code)
                elif code:
                    answer = answer._replace(code=code)
            dialogue.core.tagged(event.tag, answer.status, answer.text, answer.code)
    except MailboxGone:
        dialogue.mailbox_gone()
    if dialogue.core.state is _STRANGER:
        _bound_strangers(dialogue)


def _owes_expunges(dialogue: Dialogue) -> bool:
    return dialogue.maybe_selected is not None and dialogue.maybe_selected.owes_expunges


def _excuse(dialogue: Dialogue, command: Command, error: Exception) -> Answer:
    answer = answer_to(error)
    if answer is None:
        log.error(
            "imap.bug",
            conn=dialogue.conn.id,
            command=type(command).__name__,
            exc_info=(type(error), error, error.__traceback__),
        )
        return SERVERBUG
    if not isinstance(error, No):
        log.info(
            "imap.refused",
            conn=dialogue.conn.id,
            command=type(command).__name__,
            reason=f"{type(error).__name__}: {error}",
        )
    return answer


def _bound_strangers(dialogue: Dialogue) -> None:
    limits = dialogue.services.limits
    dialogue.stranger_commands += 1
    if dialogue.failures >= limits.auth_per_connection:
        dialogue.core.bye(b"too many failed log-ins")
    elif dialogue.stranger_commands >= limits.junk_commands:
        dialogue.core.bye(b"too many commands without log-in")
    else:
        return
    dialogue.over = True
