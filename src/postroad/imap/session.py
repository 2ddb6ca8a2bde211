"""An IMAP session from greeting to goodbye (RFC 3501 §3)."""

import asyncio
import ssl
from collections.abc import Callable, Collection
from typing import Final

from postroad.config.limits import Limits
from postroad.imap.answer import Answer, No, ok
from postroad.imap.capabilities import OFFERED
from postroad.imap.commands.append import append
from postroad.imap.commands.cancelupdate import cancel_update
from postroad.imap.commands.capability import capability, enable, identify
from postroad.imap.commands.compress import compress
from postroad.imap.commands.copy import copy, move
from postroad.imap.commands.expunge import close, expunge
from postroad.imap.commands.fetch import fetch
from postroad.imap.commands.idle import idle
from postroad.imap.commands.list import list_mailboxes, lsub
from postroad.imap.commands.login import authenticate, login, start_tls, unauthenticate
from postroad.imap.commands.mailbox import create, delete, rename, subscribe
from postroad.imap.commands.multisearch import multi_search
from postroad.imap.commands.namespace import namespace
from postroad.imap.commands.quota import get_quota, get_quota_root
from postroad.imap.commands.search import search
from postroad.imap.commands.select import select, unselect
from postroad.imap.commands.sort import sort
from postroad.imap.commands.status import status
from postroad.imap.commands.store import store_flags
from postroad.imap.commands.thread import thread
from postroad.imap.dialogue import Authenticator, Dialogue, Services, SessionCounts
from postroad.imap.errors import SERVERBUG, answer_to
from postroad.imap.events import next_event
from postroad.imap.news import catch_up
from postroad.imap.sections import WRITE
from postroad.imap.selected import MailboxGone
from postroad.imap.shared_uids import SharedUids
from postroad.imap.turns import Turns
from postroad.imap.wire import commands
from postroad.imap.wire.commands import Command, Event, SaveFailed
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.search_keys import NumberKey, has_key
from postroad.imap.wire.table import State
from postroad.model.clock import Clock
from postroad.net.connection import Connection
from postroad.obs.log import log
from postroad.obs.metrics import COMMANDS, SESSIONS
from postroad.store.store import Store

_COMMANDS: Final = COMMANDS.labels("imap")
_SESSIONS: Final = SESSIONS.labels("imap")
LARGE_SEARCHES: Final = 2
"""Large messages that are in memory at a time for SEARCH; each takes its size, and decoded once more."""
_MISPLACED: Final = Answer(b"BAD", b"", b"that has no place here")


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
        on_login: Callable[[Connection], None] = lambda _: None,
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
            counts=counts,
            large_searches=asyncio.Semaphore(LARGE_SEARCHES),
            on_login=on_login,
        )
        self._limits = ImapLimits(
            line_prelogin=limits.imap_line_prelogin,
            line=limits.imap_line,
            literal=limits.imap_literal,
            literals_size=limits.imap_literals_size,
            literals=limits.imap_literals,
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
            while (event := await next_event(dialogue)) is not None:
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
    _COMMANDS.inc()
    try:
        try:
            answer = await _carry_out(dialogue, event)
        except (ConnectionError, MailboxGone):
            raise
        except Exception as error:
            answer = _excuse(dialogue, event, error)
        if answer is not None:
            # What SELECT has just told is news enough; a correction of it, EXPUNGE of all
            # things, in the same answer is legal and more than clients are ready for.
            if not dialogue.over and not isinstance(event, commands.Select):
                code = await catch_up(dialogue, expunge=may_expunge(event))
                if code and answer.code:
                    dialogue.tell_modseq(code)
                elif code:
                    answer = answer._replace(code=code)
            dialogue.core.tagged(event.tag, answer.status, answer.text, answer.code)
    except MailboxGone:
        # RFC 2180 §3.3: what else could be told of a mailbox that is no more.
        dialogue.core.bye(b"the mailbox has been deleted")
        dialogue.over = True
    if dialogue.core.state is State.NOT_AUTHENTICATED:
        _bound_strangers(dialogue)


def may_expunge(command: Command) -> bool:
    """Whether EXPUNGE may be sent while answering: one rule for all (RFC 3501 §7.4.1).

    During FETCH, STORE and SEARCH the client counts on message numbers; their
    UID forms are other commands (§6.4.8), unless a UID SEARCH looks for
    numbers (RFC 7162 §3.2.10.2). VANISHED and EXPUNGE are the same here.
    """
    match command:
        case commands.Fetch(uid=uid) | commands.Store(uid=uid):
            return uid
        case commands.Search(uid=uid, key=key) | commands.Thread(uid=uid, key=key):
            return uid and not has_key(key, NumberKey)
        case _:
            return True


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


async def _carry_out(dialogue: Dialogue, command: Command) -> Answer | None:
    """Give the tagged answer; None where it has been given, or there is nobody to give it to."""
    if dialogue.core.state is State.SELECTED:
        return await _in_mailbox(dialogue, command)
    return await _outside(dialogue, command)


async def _in_mailbox(dialogue: Dialogue, command: Command) -> Answer | None:
    """The commands of the selected state (RFC 3501 §6.4), then all others."""
    match command:
        case commands.Fetch():
            return await fetch(dialogue, command)
        case commands.Store():
            return await store_flags(dialogue, command)
        case commands.MultiSearch():
            return await multi_search(dialogue, command)
        case commands.Sort():
            return await sort(dialogue, command)
        case commands.Thread():
            return await thread(dialogue, command)
        case commands.Search():
            return await search(dialogue, command)
        case commands.CancelUpdate():
            return cancel_update(dialogue, command)
        case commands.Copy():
            return await copy(dialogue, command)
        case commands.Move():
            return await move(dialogue, command)
        case commands.Expunge():
            return await expunge(dialogue, command)
        case commands.Check():
            return ok(b"everything is on disk already")
        case commands.Close():
            return await close(dialogue)
        case commands.Unselect():
            return unselect(dialogue)
        case _:
            return await _outside(dialogue, command)


async def _outside(dialogue: Dialogue, command: Command) -> Answer | None:
    """The commands that need a log-in (RFC 3501 §6.3), then those of strangers."""
    match command:
        case commands.Select():
            return await select(dialogue, command)
        case commands.Idle():
            return await idle(dialogue, command)
        case commands.AppendStart():
            return await append(dialogue, command)
        case commands.List():
            return await list_mailboxes(dialogue, command)
        case commands.Lsub():
            return await lsub(dialogue, command)
        case commands.MultiSearch():
            return await multi_search(dialogue, command)
        case commands.Status():
            return status(dialogue, command)
        case commands.Create():
            return await create(dialogue, command)
        case commands.Delete():
            return await delete(dialogue, command)
        case commands.Rename():
            return await rename(dialogue, command)
        case commands.Subscribe():
            return await subscribe(dialogue, command)
        case commands.Namespace():
            return namespace(dialogue)
        case commands.GetQuota():
            return get_quota(dialogue, command)
        case commands.GetQuotaRoot():
            return get_quota_root(dialogue, command)
        case _:
            return await _anywhere(dialogue, command)


async def _anywhere(dialogue: Dialogue, command: Command) -> Answer | None:
    """The commands of any state and of strangers (RFC 3501 §6.1, §6.2)."""
    match command:
        case commands.Noop():
            return ok(b"done")
        case commands.Capability():
            return capability(dialogue)
        case commands.Id():
            return identify(dialogue, command)
        case commands.Enable():
            return enable(dialogue, command)
        case commands.Compress():
            return compress(dialogue, command)
        case commands.Login():
            return await login(dialogue, command)
        case commands.Authenticate():
            return await authenticate(dialogue, command)
        case commands.StartTls():
            return await start_tls(dialogue, command)
        case commands.Unauthenticate():
            return unauthenticate(dialogue)
        case commands.Logout():
            dialogue.core.untagged(b"BYE see you")
            dialogue.over = True
            return ok(b"logged out")
        case _:
            return _MISPLACED
