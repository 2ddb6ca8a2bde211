"""One POP3 connection from greeting to farewell (RFC 1939).

The session asks the core for events, the maildrop for messages, and the
directory who somebody is. Only QUIT after a log-in deletes anything: time-out,
a lost connection and a server that stops leave every message where it is.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from postroad.config.limits import Limits
from postroad.directory.accounts import AccountInfo
from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client, client_of
from postroad.directory.errors import AuthenticationFailed, BadExchange
from postroad.directory.login import Login as Exchange
from postroad.model.refusal import Refused, Unavailable
from postroad.net.connection import Connection
from postroad.net.wake import Wake
from postroad.obs.log import log
from postroad.obs.metrics import POP3_COMMANDS
from postroad.pop3.maildrop import InUse, Maildrop
from postroad.pop3.transaction import ENOUGH, CutOff, answer
from postroad.pop3.upcoming import Upcoming
from postroad.pop3.wire.core import Pop3Core
from postroad.pop3.wire.events import (
    AboutMessages,
    Auth,
    AuthResponse,
    Event,
    HangUp,
    Login,
    Pause,
    Quit,
    StartTls,
)
from postroad.sasl.outcome import Challenge
from postroad.sasl.saslprep import saslprep
from postroad.store.errors import Damaged, NoSuchMailbox, StoreError
from postroad.store.store import Store


class Authenticator(Protocol):
    """Who somebody is (see `directory.Directory.authenticate`)."""

    async def authenticate(self, login: str, password: str, client: Client, mechanism: str) -> LoggedIn: ...

    def mechanisms(self, client: Client, allowed: Collection[str] = ()) -> tuple[str, ...]: ...

    def begin_login(
        self, mechanism: str, client: Client, allowed: Collection[str] = ()
    ) -> Exchange | None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """What POP3 sessions need of the server; one for each listener."""

    store: Store
    directory: Authenticator
    limits: Limits
    locks: Path
    """Where the lock files of mailboxes are; shared by all workers."""
    tls: Callable[[], ssl.SSLContext] | None
    """The context for STLS; None when the listener has no TLS."""
    passwords_in_clear: bool = False
    """Whether passwords are taken without TLS: nobody can listen in."""
    mechanisms: Collection[str] = ()
    """SASL mechanisms that this listener may use; none named: all."""
    on_login: Callable[[Connection], None] = lambda _: None
    """Called once a connection is no stranger's any more."""


async def serve(connection: Connection, services: Services) -> None:
    """Hold a whole session; the `session` of a `net.connection.Connection`."""
    session = _Session(connection, services)
    try:
        await session.run()
    except CutOff as error:
        log.error("pop3.cut_off", conn=connection.id, error=str(error))
        connection.abort()
    except ConnectionError:
        raise  # the peer is gone; the pump knows what to do
    except Exception:
        log.exception("pop3.bug", conn=connection.id)
        session.apologize()
    finally:
        session.close()


def farewell(reason: str) -> bytes:
    """What a connection is told that is not let in (RFC 3206 §4)."""
    return b"-ERR [SYS/TEMP] %b\r\n" % reason.encode("ascii", "replace")


class _Session:
    """The state of one connection."""

    def __init__(self, connection: Connection, services: Services) -> None:
        self._connection = connection
        self._services = services
        self._core = Pop3Core(
            secure=connection.tls is not None or services.passwords_in_clear,
            tls_offered=services.tls is not None,
            mechanisms=self._mechanisms(),
            bad_commands=services.limits.errors_hard,
            stranger_commands=services.limits.junk_commands,
        )
        self._upcoming = Upcoming(self._core)
        self._maildrop: Maildrop | None = None
        self._exchange: Exchange | None = None
        self._failed_logins = 0
        self._over = False
        self._left: Event | None = None
        """What has been read already, and is still to be answered."""
        self._unsaid: Awaitable[None] | None = None
        """The rest of an answer, which has to be awaited."""

    def close(self) -> None:
        """Give the mailbox back."""
        if self._maildrop is not None:
            self._maildrop.close()
            self._maildrop = None

    async def run(self) -> None:
        """Greet, then answer until it is over."""
        self._connection.attach(self._core, self._services.limits.unread_timeout)
        self._core.ok(b"postroad ready")
        deadline = self._connection.deadline(self._services.limits.greeting_timeout)
        while not self._over:
            wake = await self._connection.pump(deadline, at_once=self._answer_now)
            deadline = self._connection.due
            if wake is Wake.POKED:
                continue
            if wake is not Wake.DATA:
                # Nothing is said unasked: a client would take it for the answer to its next command.
                log.info("pop3.left", conn=self._connection.id, why=wake.name)
                return
            if await self._answer_all():
                # One deadline a command: a peer that drips octets does not move it.
                deadline = self._connection.deadline(self._patience())
        self._connection.close()

    def apologize(self) -> None:
        """Our own mistake: one reply, and the connection ends without deleting anything."""
        self._core.error(b"internal error", b"SYS/TEMP")
        self._connection.close()

    def _patience(self) -> float:
        limits = self._services.limits
        return limits.pop3_timeout if self._maildrop is not None else limits.command_timeout

    def _answer_now(self) -> bool:
        """Answer what has just come, if that is one command that need not be waited for; else leave it."""
        core = self._core
        if self._maildrop is None:
            return False
        event = core.next_event()
        if isinstance(event, AboutMessages):
            try:
                self._unsaid = self._begin(event)
            except Exception:
                self._left = event  # the session meets it again, and knows what to do
        else:
            self._left = event
        if self._unsaid is not None or self._left is not None or core.buffered() or not core.waiting():
            return False
        self._connection.flush()
        self._connection.extend(self._patience())
        self._look_ahead()
        return True

    async def _answer_all(self) -> bool:
        """Answer what is there; tells whether that was a whole command."""
        answered = False
        while not self._over:
            unsaid, self._unsaid = self._unsaid, None
            if unsaid is None:
                event, self._left = self._left or self._core.next_event(), None
                if event is None:
                    break
                unsaid = self._begin(event) if isinstance(event, AboutMessages) else self._answer(event)
            answered = True
            if unsaid is not None:
                try:
                    await unsaid
                except (StoreError, Unavailable) as error:
                    self._sorry(error)
            if self._core.waiting() > ENOUGH:
                await self._send(b"")
        if not self._core.buffered():
            self._look_ahead()
        return answered or self._core.waiting() > 0  # the core has answers of its own

    def _begin(self, event: AboutMessages) -> Awaitable[None] | None:
        """Answer, as far as that need not be waited for; give the rest."""
        assert self._maildrop is not None, "the core lets nothing of these through before log-in"
        POP3_COMMANDS.count += 1
        try:
            return answer(event, self._maildrop, self._core, self._upcoming, self._send)
        except (StoreError, Unavailable) as error:
            self._sorry(error)
        return None

    def _look_ahead(self) -> None:
        """Make the next reply once the last one has gone out."""
        if self._upcoming.expected:
            asyncio.get_running_loop().call_soon(self._prepare)

    def _prepare(self) -> None:
        if self._maildrop is not None:
            self._upcoming.prepare(self._maildrop)

    async def _send(self, data: bytes) -> None:
        """Send what is waiting, and `data`; wait for a slow client and let others have their turn."""
        await self._connection.send(data)
        # A fast reader of a long pipeline would otherwise keep the loop for itself.
        await asyncio.sleep(0)

    async def _answer(self, event: Event) -> None:
        if isinstance(event, Pause):
            await self._send(b"")
            return
        POP3_COMMANDS.count += 1
        match event:
            case Quit(update):
                await self._quit(update)
            case HangUp(reason):
                log.info("pop3.hung_up", conn=self._connection.id, why=reason)
                self._over = True
            case StartTls():
                await self._start_tls()
            case Login(user, password):
                await self._log_in(_text(user), _text(password))
            case Auth(mechanism, initial):
                await self._begin_exchange(mechanism, initial)
            case AuthResponse(data):
                await self._respond(data)

    # -- before log-in ------------------------------------------------------

    async def _start_tls(self) -> None:
        tls = self._services.tls
        assert tls is not None, "the core offers STLS only with TLS"
        self._core.ok(b"begin TLS")
        self._connection.flush()
        # Whatever came in clear behind STLS is dropped here (RFC 2595 §4).
        self._core.start_tls()
        await self._connection.start_tls(tls())
        self._core.offer(self._mechanisms())

    def _mechanisms(self) -> tuple[bytes, ...]:
        found = self._services.directory.mechanisms(self._client(), self._services.mechanisms)
        return tuple(name.encode() for name in found)

    def _client(self) -> Client:
        return client_of(self._connection, "pop3")

    async def _begin_exchange(self, mechanism: bytes, initial: bytes | None) -> None:
        services = self._services
        exchange = services.directory.begin_login(mechanism.decode(), self._client(), services.mechanisms)
        assert exchange is not None, "the core lets only mechanisms through that were offered"
        self._exchange = exchange
        await self._go_on(exchange.start(initial))

    async def _respond(self, data: bytes | None) -> None:
        exchange = self._exchange
        assert exchange is not None, "an answer needs a challenge"
        if data is None:
            self._fail(b"log-in was given up")
        else:
            await self._go_on(exchange.respond(data))

    async def _log_in(self, login: str | None, password: str | None) -> None:
        """USER and PASS: what cannot be a name is asked for all the same, so that it costs the same time."""
        directory = self._services.directory
        # RFC 6856 §2.2: what SASLprep prohibits is nobody's. A password is compared as it was
        # given when it was set, so it is not changed here.
        login = saslprep(login) if login else None
        if password and not password.isascii() and saslprep(password) is None:
            password = None
        await self._go_on(directory.authenticate(login or "", password or "", self._client(), "USER"))

    async def _go_on(self, step: Awaitable[Challenge | LoggedIn]) -> None:
        """Wait for a step of a log-in; after the last, take the mailbox for this session alone."""
        try:
            outcome = await step
        except BadExchange as error:
            self._fail(str(error).encode("ascii", "replace"))
        except AuthenticationFailed:
            self._failed_logins += 1
            self._fail(b"wrong name or password", b"AUTH")
        except Refused as refused:
            self._failed_logins += 1
            self._fail(refused.public.encode("ascii", "replace"), b"SYS/TEMP")
        except Unavailable:
            self._fail(b"not now, try again later", b"SYS/TEMP")
        else:
            if isinstance(outcome, Challenge):
                self._core.challenge(outcome.data)
            else:
                self._exchange = None
                await self._open(outcome.account)
        if self._failed_logins >= self._services.limits.auth_per_connection:
            self._over = True

    async def _open(self, account: AccountInfo) -> None:
        store = self._services.store.account(account.id)
        try:
            maildrop = Maildrop(store, self._services.locks)
        except InUse:
            self._fail(b"another POP3 session has the mailbox", b"IN-USE")
            return
        except NoSuchMailbox:
            self._fail(b"there is no INBOX", b"SYS/PERM")
            return
        self._maildrop = maildrop
        try:
            await maildrop.fill()
        except (StoreError, Unavailable):
            self.close()
            self._fail(b"not now, try again later", b"SYS/TEMP")
            return
        self._core.logged_in(account.switched_off)
        self._connection.account_id = account.id
        self._services.on_login(self._connection)
        self._core.ok(b"%d messages" % maildrop.messages)
        log.info("pop3.login", conn=self._connection.id, account=account.id, messages=maildrop.messages)

    def _fail(self, text: bytes, code: bytes = b"") -> None:
        self._exchange = None
        self._core.login_failed()
        self._core.error(text, code)

    async def _quit(self, update: bool) -> None:
        """The UPDATE state (RFC 1939 §6): all deletions in one transaction, or none."""
        self._over = True
        maildrop = self._maildrop
        if maildrop is not None and update:
            deleted = maildrop.marked
            try:
                await maildrop.update()
            except (StoreError, Unavailable) as error:
                log.warning("pop3.update_failed", conn=self._connection.id, error=str(error))
                self._core.error(b"nothing was deleted", b"SYS/TEMP")
                return
            finally:
                # The reply may come late; the mailbox is free from here on.
                self.close()
            log.info("pop3.quit", conn=self._connection.id, deleted=deleted)
        self._core.ok(b"bye")

    def _sorry(self, error: StoreError | Unavailable) -> None:
        if isinstance(error, Unavailable):
            log.warning("pop3.unavailable", conn=self._connection.id, what=error.what)
            self._core.error(b"not now, try again later", b"SYS/TEMP")
            return
        log.error("pop3.store_error", conn=self._connection.id, error=str(error), kind=type(error).__name__)
        self._core.error(b"the message cannot be read", _CODES.get(type(error), b"SYS/TEMP"))


def _text(octets: bytes) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


_CODES: Final[dict[type[StoreError], bytes]] = {Damaged: b"SYS/PERM", NoSuchMailbox: b"SYS/PERM"}
