"""The commands of SMTP: what each means at this point of the dialogue (RFC 5321 §4.1.1).

A command is a function of the dialogue and its argument. It gives the reply
that ends the matter, an event for the session, or what the core has to do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from msgspec import Struct

from postroad.smtp.wire import params
from postroad.smtp.wire.data import TOO_BIG
from postroad.smtp.wire.events import Auth, Data, HangUp, Mail, Rcpt, StartTls, Xclient
from postroad.smtp.wire.replies import Reply
from postroad.smtp.wire.terms import Terms
from postroad.smtp.wire.xclient import parse_xclient

OVERSHOOT: Final = 1000
"""Recipients beyond the limit that are put off before the peer is hung up on."""

NOT_KNOWN: Final = Reply(500, "5.5.1", "the command is not known here")
_OTHER_PROTOCOL: Final = Reply(500, "5.5.1", "this is LMTP, which begins with LHLO")
BAD_SEQUENCE: Final = Reply(503, "5.5.1", "bad sequence of commands")
NO_RECIPIENTS: Final = Reply(554, "5.5.1", "no valid recipients")
NO_RECIPIENTS_LMTP: Final = Reply(503, "5.5.1", "no valid recipients")  # RFC 2033 §4.2
BAD_CHUNK: Final = HangUp("sent BDAT without a size", Reply(501, "5.5.4", "the chunk size is malformed"))
"""Nobody knows where its octets end and the next command begins."""


class Stage(Enum):
    """How far the mail transaction has come (RFC 5321 §3.3)."""

    READY = auto()
    SENDER = auto()
    RECIPIENTS = auto()
    CHUNKS = auto()
    """A BDAT was taken: only more of them may follow (RFC 3030 §2)."""


_READY: Final = Stage.READY  # to look a member up takes longer than a call
_SENDER: Final = Stage.SENDER
_RECIPIENTS: Final = Stage.RECIPIENTS


@dataclass(slots=True)
class Dialogue:
    """What has been said so far, as far as it decides what may come next."""

    terms: Terms
    secure: bool = False
    helo: str = ""
    """What the peer calls itself; empty before it has said so."""
    extended: bool = False
    """EHLO, not HELO."""
    authenticated: bool = False
    stage: Stage = Stage.READY
    smtputf8: bool = False
    binary: bool = False
    """BODY=BINARYMIME: the message comes by BDAT alone (RFC 3030 §3)."""
    recipients: int = 0
    overshoot: int = 0
    octets: int = 0
    """Of the chunks taken."""
    mails: int = 0
    """MAIL commands in the whole session, those that were refused too (RFC 9422 §4.1)."""


class Greeting(Struct, frozen=True):
    """A legal EHLO or HELO."""

    name: str
    extended: bool


class Chunk(Struct, frozen=True):
    """A legal BDAT; its octets follow."""

    size: int
    last: bool


class BadChunk(Struct, frozen=True):
    """A BDAT that is refused at once; its octets follow and are no commands (RFC 3030 §2)."""

    size: int
    reply: Reply | None
    """None: it is dropped without a word (RFC 2033 §4.3)."""


class Order(Enum):
    """What the core does by itself."""

    RESET = auto()
    QUIT = auto()


Outcome: TypeAlias = (
    Reply | HangUp | Greeting | Order | StartTls | Auth | Xclient | Mail | Rcpt | Data | Chunk | BadChunk
)


def too_early(dialogue: Dialogue, verb: bytes) -> Reply | None:
    """What has to come before `verb`, if it has not come."""
    submission = dialogue.terms.submission
    if submission and not dialogue.secure and verb not in _BEFORE_TLS:
        return Reply(530, "5.7.0", "STARTTLS comes first")
    if verb not in _MAIL_VERBS:
        return None
    if not dialogue.helo:
        return Reply(503, "5.5.1", f"{'LHLO' if dialogue.terms.lmtp else 'EHLO'} comes first")
    if submission and not dialogue.authenticated:
        return Reply(530, "5.7.0", "AUTH comes first")
    return None


def refuse_chunk(argument: bytes, reply: Reply) -> BadChunk | HangUp:
    """Refuse a BDAT."""
    chunk = params.parse_chunk_size(argument)
    return BadChunk(chunk[0], reply) if chunk else BAD_CHUNK


def _ehlo(dialogue: Dialogue, argument: bytes) -> Outcome:
    # RFC 2033 §4.1: who mistakes one protocol for the other finds out at once.
    return _OTHER_PROTOCOL if dialogue.terms.lmtp else _greeting(argument, extended=True)


def _helo(dialogue: Dialogue, argument: bytes) -> Outcome:
    return _OTHER_PROTOCOL if dialogue.terms.lmtp else _greeting(argument, extended=False)


def _lhlo(dialogue: Dialogue, argument: bytes) -> Outcome:
    return _greeting(argument, extended=True) if dialogue.terms.lmtp else NOT_KNOWN


def _greeting(argument: bytes, *, extended: bool) -> Outcome:
    name = argument.strip(b" ")
    if not params.is_greeting_name(name):
        return Reply(501, "5.5.4", "give a domain or an address literal")
    return Greeting(name.decode(), extended)


def _starttls(dialogue: Dialogue, argument: bytes) -> Outcome:
    if argument:
        return Reply(501, "5.5.4", "STARTTLS takes no argument")
    if dialogue.secure:
        return Reply(503, "5.5.1", "TLS is up already")
    if not dialogue.terms.starttls:
        return Reply(502, "5.5.1", "TLS is not offered here")
    return StartTls() if dialogue.extended else BAD_SEQUENCE


def _auth(dialogue: Dialogue, argument: bytes) -> Outcome:
    name, space, initial = argument.partition(b" ")
    mechanism = name.decode("latin-1").upper()
    if not dialogue.terms.mechanisms:
        return Reply(502, "5.5.1", "AUTH is not offered here")
    if not dialogue.secure:
        return Reply(538, "5.7.11", "AUTH needs TLS")
    if not dialogue.extended or dialogue.authenticated or dialogue.stage is not Stage.READY:
        return BAD_SEQUENCE
    if not mechanism:
        return Reply(501, "5.5.4", "the syntax is AUTH MECHANISM")
    if mechanism not in dialogue.terms.mechanisms:
        return Reply(504, "5.5.4", "the mechanism is not offered here")
    if not space:
        return Auth(mechanism, None)
    # RFC 4954 §4: a response of no octets is written as "=".
    return Auth(mechanism, b"" if initial == b"=" else initial)


def _mail(dialogue: Dialogue, argument: bytes) -> Outcome:
    if argument[:5].upper() != b"FROM:":
        return Reply(501, "5.5.4", "the syntax is MAIL FROM:<address>")
    if dialogue.stage is not _READY:
        return Reply(503, "5.5.1", "a mail transaction is under way")
    terms = dialogue.terms
    if dialogue.mails >= terms.messages:
        reply = Reply(421, "4.7.0", "enough messages for one session")
        return HangUp("reached the limit on messages", reply)
    dialogue.mails += 1
    return params.parse_mail(
        argument[5:],
        extended=dialogue.extended,
        secure=dialogue.secure,
        size_limit=terms.message_size,
        hold=terms.hold,
        priorities=terms.priorities != "off",
        deliver_by=terms.deliver_by,
    )


def _rcpt(dialogue: Dialogue, argument: bytes) -> Outcome:
    if argument[:3].upper() != b"TO:":
        return Reply(501, "5.5.4", "the syntax is RCPT TO:<address>")
    if dialogue.stage is not _SENDER and dialogue.stage is not _RECIPIENTS:
        return BAD_SEQUENCE
    if dialogue.recipients >= dialogue.terms.recipients:
        # RFC 5321 §4.5.3.1.10: the peer tries the rest later.
        dialogue.overshoot += 1
        if dialogue.overshoot > OVERSHOOT:
            reply = Reply(421, "4.5.3", "far too many recipients for one message")
            return HangUp("went on with recipients far beyond the limit", reply)
        return Reply(452, "4.5.3", "too many recipients for one message")
    return params.parse_rcpt(argument[3:], extended=dialogue.extended, smtputf8=dialogue.smtputf8)


def _data(dialogue: Dialogue, argument: bytes) -> Outcome:
    if argument:
        return Reply(501, "5.5.4", "DATA takes no argument")
    if dialogue.binary and dialogue.stage is not _READY:
        return Reply(503, "5.5.1", "a message with BODY=BINARYMIME comes by BDAT")
    if dialogue.stage is _RECIPIENTS:
        return Data()
    return _nobody(dialogue) if dialogue.stage is _SENDER else BAD_SEQUENCE


def _nobody(dialogue: Dialogue) -> Reply:
    """What a message is refused with that has no recipient."""
    return NO_RECIPIENTS_LMTP if dialogue.terms.lmtp else NO_RECIPIENTS


def _bdat(dialogue: Dialogue, argument: bytes) -> Outcome:
    chunk = params.parse_chunk_size(argument)
    if chunk is None:
        return BAD_CHUNK
    size, last = chunk
    if dialogue.stage is Stage.SENDER:
        # RFC 2033 §4.3: an answer for each recipient is none where there is nobody.
        return BadChunk(size, None if dialogue.terms.lmtp and last else _nobody(dialogue))
    if dialogue.stage not in (Stage.RECIPIENTS, Stage.CHUNKS):
        return BadChunk(size, BAD_SEQUENCE)
    if dialogue.octets + size > dialogue.terms.message_size:
        return BadChunk(size, TOO_BIG)
    return Chunk(size, last)


def _rset(dialogue: Dialogue, argument: bytes) -> Outcome:
    return Reply(501, "5.5.4", "RSET takes no argument") if argument else Order.RESET


def _noop(dialogue: Dialogue, argument: bytes) -> Outcome:
    return Reply(250, "2.0.0", "ok")


def _not_told(dialogue: Dialogue, argument: bytes) -> Outcome:
    if not argument:
        return Reply(501, "5.5.4", "give a name")
    # VRFY and EXPN alike, whoever is asked about, so that nobody learns who is here (RFC 5321 §7.3).
    return Reply(252, "2.0.0", "will not tell, but will take mail and try to deliver it")


def _help(dialogue: Dialogue, argument: bytes) -> Outcome:
    terms = dialogue.terms
    tls = " STARTTLS" * (terms.starttls and not dialogue.secure)
    hello = "LHLO" if terms.lmtp else "EHLO HELO"
    auth = " AUTH" * (bool(terms.mechanisms) and dialogue.secure)
    return Reply(214, "2.0.0", f"{hello} MAIL RCPT DATA BDAT RSET NOOP VRFY HELP{tls}{auth} QUIT")


def _quit(dialogue: Dialogue, argument: bytes) -> Outcome:
    return Order.QUIT


def _etrn(dialogue: Dialogue, argument: bytes) -> Outcome:
    """Mail waits for nobody here: it is delivered as soon as its server can be reached (RFC 1985 §5.1)."""
    if not argument:
        return Reply(501, "5.5.4", "the syntax is ETRN domain")
    if dialogue.stage is not Stage.READY:
        return Reply(503, "5.5.1", "a mail transaction is under way")
    return Reply(459, "4.7.1", "not allowed: this server starts no queue on request")


def _xclient(dialogue: Dialogue, argument: bytes) -> Outcome:
    if not dialogue.terms.xclient:
        return NOT_KNOWN
    if dialogue.stage is not Stage.READY:
        return Reply(503, "5.5.1", "a mail transaction is under way")
    return parse_xclient(argument)


def _not_offered(dialogue: Dialogue, argument: bytes) -> Outcome:
    return Reply(502, "5.5.1", "the command is not offered here")


COMMANDS: Final[dict[bytes, Callable[[Dialogue, bytes], Outcome]]] = {
    b"EHLO": _ehlo,
    b"HELO": _helo,
    b"LHLO": _lhlo,
    b"MAIL": _mail,
    b"RCPT": _rcpt,
    b"DATA": _data,
    b"BDAT": _bdat,
    b"RSET": _rset,
    b"NOOP": _noop,
    b"VRFY": _not_told,
    b"HELP": _help,
    b"QUIT": _quit,
    b"STARTTLS": _starttls,
    b"AUTH": _auth,
    b"XCLIENT": _xclient,
    b"EXPN": _not_told,
    b"ETRN": _etrn,
    b"TURN": _not_offered,
    b"ATRN": _not_offered,
    b"SEND": _not_offered,
    b"SOML": _not_offered,
    b"SAML": _not_offered,
}
LAST_IN_GROUP: Final = frozenset({b"EHLO", b"HELO", b"LHLO", b"DATA"})
"""Nothing may be sent behind these before their reply (RFC 2920 §3.1)."""
LONG: Final = frozenset({b"MAIL", b"RCPT", b"AUTH", b"XCLIENT"})
"""Extensions lengthen the lines of these beyond 512 octets."""
_BEFORE_TLS: Final = frozenset(
    {b"EHLO", b"HELO", b"LHLO", b"STARTTLS", b"AUTH", b"NOOP", b"RSET", b"HELP", b"QUIT", b"XCLIENT"}
)
"""What a submission client may say in clear (RFC 3207 §4)."""
_MAIL_VERBS: Final = frozenset({b"MAIL", b"RCPT", b"DATA", b"BDAT"})
