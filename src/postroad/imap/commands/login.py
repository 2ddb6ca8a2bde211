"""LOGIN, AUTHENTICATE, STARTTLS (RFC 3501 §6.2), UNAUTHENTICATE (RFC 8437)."""

from collections.abc import Iterator
from contextlib import contextmanager

from postroad.directory.attempts import LoggedIn
from postroad.directory.errors import AuthenticationFailed
from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.events import next_event
from postroad.imap.wire.event import AuthResponse
from postroad.imap.wire.session_commands import Authenticate, Login, StartTls, Unauthenticate
from postroad.model.refusal import Refused
from postroad.obs.log import log
from postroad.policy.shared_counts import Refusal
from postroad.sasl import base64
from postroad.sasl.outcome import Challenge

_IN_CLEAR = No(b"PRIVACYREQUIRED", b"passwords are taken under TLS only")


async def start_tls(dialogue: Dialogue, command: StartTls) -> Answer | None:
    """Upgrade; nothing that came in clear is known afterwards (RFC 3501 §6.2.1)."""
    context = dialogue.services.tls_context
    if dialogue.conn.tls is not None:
        return Answer(b"BAD", b"", b"TLS is on already")
    if context is None:
        return Answer(b"BAD", b"", b"TLS is not available")
    dialogue.core.tagged(command.tag, b"OK", b"begin the handshake")
    dialogue.core.reset_for_tls()
    await dialogue.conn.start_tls(context, dialogue.services.limits.command_timeout)
    return None


def unauthenticate(dialogue: Dialogue, command: Unauthenticate) -> Answer | None:
    """Make room for another user on the same connection; of what was, only TLS stays (RFC 8437)."""
    core = dialogue.core
    log.info("imap.unauthenticated", conn=dialogue.conn.id, account=dialogue.account.id)
    dialogue.log_out()
    if core.compression is None:
        return ok(b"who is next?")
    # §4.1: the answer is the last that is compressed.
    core.tagged(command.tag, b"OK", b"who is next?")
    core.end_compression()
    return None


async def login(dialogue: Dialogue, command: Login) -> Answer:
    """Log in with a name and a password."""
    if not dialogue.may_log_in:
        raise _IN_CLEAR
    if not dialogue.takes_passwords:
        raise No(b"", b"passwords are not taken here; use AUTHENTICATE")
    directory = dialogue.services.directory
    with _counted(dialogue):
        who = await directory.authenticate(command.user, command.password, dialogue.client(), "LOGIN")
    return _enter(dialogue, who)


async def authenticate(dialogue: Dialogue, command: Authenticate) -> Answer | None:
    """Log in by a SASL mechanism (RFC 3501 §6.2.2, RFC 4959)."""
    if not dialogue.may_log_in:
        raise _IN_CLEAR
    services = dialogue.services
    exchange = services.directory.begin_login(command.mechanism, dialogue.client(), services.mechanisms)
    if exchange is None:
        raise No(b"", b"there is no such mechanism")
    with _counted(dialogue):
        outcome = await exchange.start(command.initial)
    while isinstance(outcome, Challenge):
        dialogue.core.continuation(base64.encode(outcome.data))
        dialogue.core.expect_auth_response(command.tag)
        response = await next_event(dialogue)
        if not isinstance(response, AuthResponse):
            return None  # the client gave up, or is gone; the core has answered
        with _counted(dialogue):
            outcome = await exchange.respond(response.data)
    return _enter(dialogue, outcome)


@contextmanager
def _counted(dialogue: Dialogue) -> Iterator[None]:
    """What a log-in fails with counts towards the end of the connection."""
    try:
        yield
    except (AuthenticationFailed, Refused):
        dialogue.failures += 1
        raise


def _enter(dialogue: Dialogue, who: LoggedIn) -> Answer:
    conn, account = dialogue.conn, who.account
    refusal = dialogue.log_in(account)
    if isinstance(refusal, Refusal):
        log.info("imap.refused", conn=conn.id, account=account.id, limit=refusal.limit)
        raise No(b"LIMIT", refusal.public.encode())
    log.info("imap.login", conn=conn.id, account=account.id, peer=conn.peer[0])
    return ok(b"welcome", b"CAPABILITY " + dialogue.capabilities())
