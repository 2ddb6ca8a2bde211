"""An IMAP session from greeting to goodbye (RFC 3501 §3)."""

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from postroad.config.limits import Limits
from postroad.imap.capabilities import OFFERED
from postroad.imap.dialogue import Authenticator, Dialogue, Services, SessionCounts
from postroad.imap.events import next_event
from postroad.imap.notify.overview import Overviews
from postroad.imap.sections import WRITE
from postroad.imap.serving import serve, serve_now
from postroad.imap.shared_uids import SharedUids
from postroad.imap.turns import Turns
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.limits import ImapLimits
from postroad.model.clock import Clock
from postroad.net.connection import Connection
from postroad.obs.log import log
from postroad.obs.metrics import SESSIONS
from postroad.store.store import Store

_SESSIONS: Final = SESSIONS.labels("imap")
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
        conn.attach(core, self._services.limits.unread_timeout)
        _SESSIONS.inc()
        try:
            core.tagged(
                b"*",
                b"OK",
                b"%b postroad at your service" % self._services.hostname.encode(),
                b"CAPABILITY " + dialogue.capabilities(),
            )
            turns = Turns(conn, self._services.clock)
            at_once = partial(serve_now, dialogue)
            deadline: float | None = conn.deadline(self._services.limits.greeting_timeout)
            while (event := await next_event(dialogue, deadline, at_once)) is not None:
                deadline = None
                await serve(dialogue, event)
                if core.unsent > WRITE:
                    # Within a pipeline, wait for a client that does not read.
                    await conn.send(b"")
                elif core.buffered():
                    await turns.next()
        finally:
            _SESSIONS.dec()
            dialogue.leave()
            log.info("imap.end", conn=conn.id)
