"""LOGIN, AUTHENTICATE, STARTTLS (RFC 3501 §6.2)."""

from postroad.directory.errors import AuthenticationFailed
from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.events import next_event
from postroad.imap.wire.commands import Authenticate, AuthResponse, Login, StartTls
from postroad.model.refusal import Refused
from postroad.obs.log import log
from postroad.policy.shared_counts import Refusal
from postroad.sasl import base64
from postroad.sasl.exchange import Challenge, Failed, Password, start_exchange

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


async def login(dialogue: Dialogue, command: Login) -> Answer:
    """Log in with a name and a password."""
    if not dialogue.takes_passwords:
        raise _IN_CLEAR
    return await _verify(dialogue, command.user, command.password)


async def authenticate(dialogue: Dialogue, command: Authenticate) -> Answer | None:
    """Log in by a SASL mechanism (RFC 3501 §6.2.2, RFC 4959)."""
    if not dialogue.takes_passwords:
        raise _IN_CLEAR
    exchange = start_exchange(command.mechanism)
    if exchange is None:
        raise No(b"", b"there is no such mechanism")
    outcome = exchange.start(command.initial)
    while isinstance(outcome, Challenge):
        dialogue.core.continuation(base64.encode(outcome.data))
        dialogue.core.expect_auth_response(command.tag)
        response = await next_event(dialogue)
        if not isinstance(response, AuthResponse):
            return None  # the client gave up, or is gone; the core has answered
        outcome = exchange.respond(response.data)
    match outcome:
        case Failed(reason=reason):
            return Answer(b"BAD", b"", reason.encode())
        case Password():
            if not outcome.as_itself:
                raise No(b"AUTHORIZATIONFAILED", b"nobody may log in as somebody else")
            return await _verify(dialogue, outcome.login, outcome.secret)


async def _verify(dialogue: Dialogue, user: str, password: str) -> Answer:
    services = dialogue.services
    conn = dialogue.conn
    try:
        account = await services.directory.authenticate(user, password, conn.peer[0], "imap")
    except (AuthenticationFailed, Refused):
        dialogue.failures += 1
        raise
    refusal = dialogue.log_in(account.id)
    if isinstance(refusal, Refusal):
        log.info("imap.refused", conn=conn.id, account=account.id, limit=refusal.limit)
        raise No(b"LIMIT", refusal.public.encode())
    log.info("imap.login", conn=conn.id, account=account.id, peer=conn.peer[0])
    return ok(b"welcome", b"CAPABILITY " + dialogue.capabilities())
