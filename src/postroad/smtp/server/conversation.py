"""One SMTP connection from greeting to goodbye."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeAlias, cast

from msgspec.structs import replace

from postroad.directory.client import client_of
from postroad.model.envelope import Peer
from postroad.model.refusal import Refused
from postroad.net.connection import Connection
from postroad.net.wake import Wake
from postroad.obs.log import log
from postroad.obs.metrics import REFUSALS, SMTP_COMMANDS, SMTP_SESSIONS
from postroad.sasl.outcome import Challenge
from postroad.smtp.server import errors
from postroad.smtp.server.awaited import Awaited
from postroad.smtp.server.each import accept_each
from postroad.smtp.server.greeting import greeting_delay, outwaits
from postroad.smtp.server.haste import AFRESH, AT_ONCE, IN_TIME, AtOnce, InTime
from postroad.smtp.server.introduction import Introduction
from postroad.smtp.server.login import Login
from postroad.smtp.server.offer import offered
from postroad.smtp.server.patience import Enough, Patience
from postroad.smtp.server.refusals import Refusals
from postroad.smtp.server.services import Role, Services
from postroad.smtp.server.transaction import Transaction
from postroad.smtp.wire.events import (
    Answered,
    Auth,
    AuthCancelled,
    AuthResponse,
    ChunkEnd,
    Data,
    DataChunk,
    DataEnd,
    DataRefused,
    Event,
    HangUp,
    Mail,
    Quit,
    Rcpt,
    StartTls,
    Xclient,
)
from postroad.smtp.wire.replies import Reply
from postroad.smtp.wire.server import SmtpServerCore
from postroad.smtp.wire.terms import Terms

TURN: Final = 100
"""Events of one peer in a row before the others have their turn."""

_Rest: TypeAlias = Coroutine[Any, Any, bool]
"""What is left to be done about an event; it says whether the conversation goes on."""

_CAME: Final = Wake.DATA  # to look a member up takes longer than a call
_STOPPING: Final = Wake.DRAIN

_RECIPIENT_OK: Final = Reply(250, "2.1.5", "recipient ok")
_GO_ON: Final = Reply(354, "", "send the message, end with CR LF . CR LF")


class Conversation:
    """What is known of one peer, and what it is told."""

    def __init__(self, services: Services, conn: Connection) -> None:
        self._services = services
        self._conn = conn
        self._visit = services.reception.visit() if services.reception else None
        self._told = Introduction(services, conn)
        self._core = SmtpServerCore(self._terms(), secure=conn.tls is not None)
        self._login = Login(services.directory, services.mechanisms)
        self._transaction: Transaction | None = None
        self._refusals = Refusals()
        self._patience = Patience(services.limits, services.clock, endless=services.role is Role.DELIVERY)
        self._messages = 0
        self._awaited = Awaited(self._core, conn, services.limits)
        self._left: _Rest | None = None
        """What the session has to wait for of what came while it waited."""
        self._end = "gone"

    async def run(self) -> None:
        """Talk until one of both has enough; what was decided is kept then."""
        SMTP_SESSIONS.count += 1
        try:
            self._conn.attach(self._core, self._services.limits.unread_timeout)
            await self._talk()
        except ConnectionError:
            raise
        except Exception:
            log.exception("smtp.bug", conn=self._conn.id, step="conversation")
            self._say_goodbye(errors.BROKEN, "bug")
        finally:
            SMTP_SESSIONS.count -= 1
            self._drop_transaction()
            if self._left is not None:
                self._left.close()
            self._conn.close()
            if self._refusals.count:
                await self._refusals.keep(self._services.acceptor, self._found())
            self._log_end()

    async def _talk(self) -> None:
        core = self._core
        if (delay := greeting_delay(self._services, self._conn)) and not await outwaits(self._conn, delay):
            return
        event: Event | None = core.greet()
        self._awaited.greeted()
        turn = 0
        while True:
            if event is None:
                turn = 0
                if not await self._wait():
                    return
                rest, self._left = self._left, None
            else:
                rest = self._take(event)
                turn += 1
            if rest is not None:
                if not await rest:
                    return
            elif turn == TURN:
                turn = 0
                await asyncio.sleep(0)
            event = core.next_event()

    async def _wait(self) -> bool:
        """Wait for more; whether the conversation goes on, with what is left first."""
        core = self._core
        while True:
            # A message that is half here is worth waiting for when the server stops.
            drain = not core.receiving
            wake = await self._conn.pump(self._awaited.due(), drain=drain, at_once=self._take_at_once)
            if wake is _CAME:
                return True
            if not (wake is _STOPPING and drain and core.receiving):
                break
        match wake:
            case Wake.TIMEOUT:
                return self._say_goodbye(errors.TIMED_OUT, "timeout")
            case Wake.DRAIN:
                return self._say_goodbye(errors.STOPPING, "drained")
            case _:
                return wake is not Wake.CLOSED

    def _take_at_once(self) -> bool:
        """Deal with what came while the session waits; leave it what has to be waited for, and the rest."""
        conn, core = self._conn, self._core
        began_in_message = core.receiving
        try:
            for _ in range(TURN):
                event = core.next_event()
                if event is None:
                    conn.flush()
                    earlier, conn.due = conn.due, self._awaited.due()
                    # Its alarm rings no sooner than it was set for. Behind a chunk it waits for something
                    # else, and is told where the server stops.
                    return conn.due >= earlier and (core.receiving or not began_in_message)
                self._left = self._take(event)
                if self._left is not None:
                    return False
        except Exception as error:
            self._left = _raise(error)  # the session knows what to say
        return False

    # -- events -----------------------------------------------------------

    def _take(self, event: Event) -> _Rest | None:
        """Deal with one event; gives what is left to be done, which says whether the conversation goes on."""
        kind = type(event)
        if kind is DataChunk:
            self._write(cast(DataChunk, event))
            return None
        SMTP_COMMANDS.count += 1
        self._awaited.came()
        if kind in AT_ONCE and (kind is not Rcpt or self._visit is None):
            return self._answer_at_once(cast(AtOnce, event))
        if kind in IN_TIME:
            return self._answer(cast(InTime, event))
        if kind in AFRESH:
            self._drop_transaction()
            return None
        return None if kind is Answered and not cast(Answered, event).fault else self._heed(event)

    async def _heed(self, event: Event) -> bool:
        """Follow what the core has answered by itself; whether the conversation goes on."""
        match event:
            case Answered():
                return await self._count_error(event.reply)
            case AuthCancelled():
                self._login.cancel()
                return await self._count_error(event.reply)
            case DataRefused():
                self._refuse_message(event.reply)
                return not event.fault or await self._count_error(event.reply)
            case Quit():
                self._end = "quit"
                return False
            case HangUp():
                return self._hang_up(event)
            case StartTls():
                await self._start_tls()
        return True

    def _answer_at_once(self, event: AtOnce) -> _Rest | None:
        """Answer without waiting, and be done with it if all is well."""
        private = ""
        try:
            reply = self._decide(event)
        except Exception as error:
            reply, private = errors.refusal(error, self._conn.id, type(event).__name__)
        self._core.answer(reply)
        return None if reply.code < 400 else self._after(event, reply, private)

    async def _answer(self, event: InTime) -> bool:
        if type(event) is DataEnd and self._services.role is Role.DELIVERY:
            return await self._answer_each()
        private = ""
        try:
            reply = await (self._accept() if type(event) is DataEnd else self._weigh(event))
        except Exception as error:
            reply, private = errors.refusal(error, self._conn.id, type(event).__name__)
        if isinstance(reply, Challenge):
            self._core.challenge(reply.data)
            return True
        self._core.answer(reply)
        if type(event) is DataEnd and reply.code < 400:
            self._accepted()
            return True
        return await self._after(event, reply, private)

    async def _weigh(self, event: InTime) -> Reply | Challenge:
        """Ask the services what else takes its time; raises what they say no with."""
        if isinstance(event, Rcpt):
            return await self._receive(event)
        if isinstance(event, Auth):
            return await self._login.begin(event, client_of(self._conn, self._services.role.value))
        if isinstance(event, AuthResponse):
            return await self._login.respond(event)
        assert isinstance(event, Xclient), "a message is accepted, and not weighed"
        return self._introduce(event)

    def _decide(self, event: AtOnce) -> Reply:
        """Ask the services what needs no waiting; raises what they say no with."""
        services, transaction = self._services, self._transaction
        acceptor = services.acceptor
        if isinstance(event, Mail):
            peer = self._peer(smtputf8=event.smtputf8)
            acceptor.check_sender(peer, event.sender)
            self._transaction = Transaction(
                peer, event, services.terms.data_line, services.clock.now(), services.limits.priority
            )
            self._awaited.message_over()
            return self._transaction.welcome()
        assert transaction is not None, "the core lets nothing of this through before MAIL"
        if isinstance(event, Rcpt):
            acceptor.check_recipient(transaction.peer, event.address)
            transaction.add(event)
            return _RECIPIENT_OK
        if isinstance(event, Data):
            return _GO_ON
        return transaction.failed or Reply(250, "2.0.0", f"{event.size} octets received")

    async def _receive(self, event: Rcpt) -> Reply:
        """Take a recipient if who sends may write to it; raises what says no."""
        transaction, visit = self._transaction, self._visit
        assert transaction is not None, "the core lets no RCPT through before MAIL"
        assert visit is not None, "where there is none it was answered at once"
        try:
            self._services.acceptor.check_recipient(transaction.peer, event.address)
            await visit.check(transaction.peer, transaction.reverse_path, event.address)
        except Refused as refusal:
            await visit.slow_down(transaction.peer, event.address, refusal.code)
            raise
        transaction.add(event)
        return _RECIPIENT_OK

    def _introduce(self, event: Xclient) -> Reply:
        """Go on as the one that a proxy speaks for; raises what speaks against it."""
        who = self._told.take(event)
        if self._services.reception is not None:
            self._visit = self._services.reception.visit()
        self._login.forget()
        self._login.who = who
        return self._core.greeting()

    async def _accept(self) -> Reply:
        """Have the whole message taken; raises what services say no with."""
        transaction = self._transaction
        assert transaction is not None, "the core lets no message through before MAIL"
        if transaction.failed is not None:
            return transaction.failed
        if self._visit is not None:
            transaction.note(self._visit.said())
        body, binary = transaction.whole(self._services.store), None
        if transaction.is_binary:
            body, binary = await transaction.unbinary(body, self._services.store), body
        text = await self._services.acceptor.accept(transaction.peer, transaction.envelope(), body, binary)
        return Reply(250, "2.0.0", text)

    def _accepted(self) -> None:
        """A message was taken."""
        self._messages += 1
        self._patience.accepted()
        self._drop_transaction()
        self._services.on_trusted(self._conn)

    async def _answer_each(self) -> bool:
        """Have the message taken for as many recipients as can be, and answer for each (RFC 2033 §4.2)."""
        transaction = self._transaction
        assert transaction is not None, "the core lets no message through before MAIL"
        answers = await accept_each(self._services, transaction, self._conn.id)
        self._core.answer_each([answer.reply for answer in answers])
        for answer in answers:
            if not answer.reply.positive:
                self._refusals.add(transaction.sender, [answer.address], answer.reply, answer.private)
        self._messages += any(answer.reply.positive for answer in answers)
        self._drop_transaction()
        return True

    async def _after(self, event: AtOnce | InTime, reply: Reply, private: str) -> bool:
        """Keep count of what was answered; whether the conversation goes on."""
        match event:
            case Mail() if not reply.positive:
                self._refusals.add(str(event.sender or ""), [], reply, private)
                if reply.code >= 500:
                    return await self._count_error(reply)
                return self._bear(self._patience.refused())
            case Rcpt() if not reply.positive:
                assert self._transaction is not None
                self._refusals.add(self._transaction.sender, [str(event.address)], reply, private)
                return self._bear(self._patience.recipient_refused(reply))
            case Auth() | AuthResponse():
                if self._login.failures >= self._services.limits.auth_per_connection:
                    return self._say_goodbye(errors.TOO_MANY_LOGINS, "failed log-ins")
                if self._login.who is not None:
                    self._conn.account_id = self._login.who.account.id
                    self._services.on_trusted(self._conn)
            case Xclient() if not reply.positive:
                if reply.code != 421:
                    return True
                self._services.on_turned_away(self._conn.peer[0], f"{reply} ([limits] {private})")
                return self._close(private)
            case ChunkEnd() | DataEnd() if not reply.positive:
                self._refuse_message(reply, private)
                return self._bear(self._patience.refused())
            case _:
                pass
        return True

    def _write(self, chunk: DataChunk) -> None:
        transaction = self._transaction
        assert transaction is not None, "the core lets no octets through before MAIL"
        try:
            transaction.write(chunk.data, self._services.store)
        except Exception:
            log.exception("smtp.bug", conn=self._conn.id, step="DataChunk")

    async def _start_tls(self) -> None:
        context = self._services.tls_context
        assert context is not None, "STARTTLS is only offered with a context"
        self._drop_transaction()
        self._core.answer(errors.TLS_READY)
        self._end = "TLS handshake failed"
        await self._conn.start_tls(context, self._services.limits.command_timeout)
        self._end = "gone"
        self._core.secured(self._terms())
        self._login.forget()

    # -- counting ---------------------------------------------------------

    async def _count_error(self, reply: Reply) -> bool:
        return self._bear(await self._patience.error(reply))

    def _bear(self, enough: Enough | None) -> bool:
        """Whether the conversation goes on."""
        return enough is None or self._say_goodbye(enough.reply, enough.reason)

    def _refuse_message(self, reply: Reply, private: str = "") -> None:
        if (transaction := self._transaction) is not None:
            self._refusals.add(transaction.sender, transaction.recipients, reply, private)
        self._drop_transaction()

    def _drop_transaction(self) -> None:
        transaction, self._transaction = self._transaction, None
        self._awaited.message_over()
        if transaction is not None:
            transaction.close()

    # -- the end ----------------------------------------------------------

    def _hang_up(self, event: HangUp) -> bool:
        # Scanners and browsers get a line in the log each, and of the trail as little as their address needs.
        self._end = event.reason
        self._services.on_turned_away(self._conn.peer[0], f"smtp: it {event.reason}")
        REFUSALS.labels("smtp", "hung up").inc()
        return False

    def _say_goodbye(self, reply: Reply, reason: str) -> bool:
        self._core.reply(reply)
        return self._close(reason)

    def _close(self, reason: str) -> bool:
        self._core.close()
        self._end = reason
        return False

    def _log_end(self) -> None:
        log.info(
            "smtp.closed",
            conn=self._conn.id,
            peer=self._conn.peer[0],
            listener=self._services.listener,
            helo=self._core.dialogue.helo,
            account=self._login.who.account.id if self._login.who else None,
            messages=self._messages,
            refused=self._refusals.count,
            errors=self._patience.errors,
            end=self._end,
        )

    def _peer(self, *, smtputf8: bool = False) -> Peer:
        return self._told.peer(self._core.dialogue, self._login.who, smtputf8=smtputf8)

    def _found(self) -> Peer:
        """The peer, with all that was found out about it and what that has cost it."""
        peer = self._peer()
        visited = self._visit.said() if self._visit is not None else ()
        return replace(peer, facts=(*peer.facts, *visited, *self._patience.said()))

    def _terms(self) -> Terms:
        return offered(self._services, self._conn, trusted=self._told.trusted)


async def _raise(error: Exception) -> bool:
    raise error
