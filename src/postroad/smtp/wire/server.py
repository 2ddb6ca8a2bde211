"""The server's half of an SMTP dialogue: bytes in, events out (RFC 5321).

The core frames lines and keeps commands in order. It answers malformed and
misplaced commands, and those that need no service, by itself. What it hands
over is legal now and waits for `answer`; the code of that answer moves the
dialogue on, as it does for the peer.
"""

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final, cast

from postroad.smtp.wire.commands import (
    BAD_CHUNK,
    COMMANDS,
    LAST_IN_GROUP,
    LONG,
    NO_RECIPIENTS,
    NO_RECIPIENTS_LMTP,
    NOT_KNOWN,
    BadChunk,
    Chunk,
    Dialogue,
    Greeting,
    Order,
    Outcome,
    Stage,
    refuse_chunk,
    too_early,
)
from postroad.smtp.wire.data import ChunkReader, DotReader, Inspector
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
    Hello,
    Mail,
    Quit,
    Rcpt,
    Reset,
    StartTls,
    ToAnswer,
    Xclient,
)
from postroad.smtp.wire.lines import ENDLESS, TOO_LONG, LineReader
from postroad.smtp.wire.replies import Reply, encode
from postroad.smtp.wire.terms import Terms

LINE_OCTETS: Final = 512
"""Command line with CR LF (RFC 5321 §4.5.3.1.4); extensions lengthen MAIL and RCPT."""
AUTH_OCTETS: Final = 12288
"""Lines of an AUTH exchange with CR LF (RFC 4954 §4)."""

# A browser, or a script in one, can be made to send a form to this port (ALPACA). PROXY says who a client is,
# and is read before a word of SMTP from those who may say so (`net.proxy`).
_HTTP: Final = re.compile(
    rb"(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|CONNECT|TRACE|PATCH|PRI|PROXY) |(?:Host|User-Agent|Referer):", re.I
)
_BDAT: Final = re.compile(rb"BDAT(?![A-Z])", re.I)
_NOBODY: Final = (NO_RECIPIENTS, NO_RECIPIENTS_LMTP)
_TLS_RECORD: Final = b"\x16\x03"


class Mode(Enum):
    """What the next octets mean."""

    COMMAND = auto()
    RESPONSE = auto()
    """A line of an AUTH exchange."""
    MESSAGE = auto()
    """The octets of DATA or of a BDAT, which may be refused and dropped as they come."""
    HANDSHAKE = auto()
    """Nothing in clear is read any more (RFC 3207 §4.2)."""
    OVER = auto()


# To look a member of an Enum up takes longer than a call, and so do the cases before the right one.
_COMMAND: Final = Mode.COMMAND
_RESPONSE: Final = Mode.RESPONSE
_MESSAGE: Final = Mode.MESSAGE
_OVER: Final = Mode.OVER
_READY: Final = Stage.READY
_SENDER: Final = Stage.SENDER
_RECIPIENTS: Final = Stage.RECIPIENTS
_TO_ANSWER: Final = frozenset({Mail, Rcpt, Data, Auth, StartTls, Xclient})


class SmtpServerCore:
    """Pull-style: `receive` bytes, ask for one event at a time, `answer` those that want it.

    Parsing is lazy on purpose. A pipelined DATA, STARTTLS or AUTH changes
    what the bytes behind it mean, so nothing is parsed ahead of the session.
    """

    def __init__(self, terms: Terms, *, secure: bool = False) -> None:
        self.dialogue = Dialogue(terms, secure)
        """What was said so far; for the session to read."""
        self.octets = 0
        """All that has come from the peer."""
        self._mode = _COMMAND
        self._inbox = bytearray()
        self._outbox: list[bytes] = []
        self._lines = LineReader()
        self._pending: ToAnswer | None = None
        self._junk = 0
        self._reader: DotReader | ChunkReader | None = None
        self._inspector: Inspector | None = None
        self._last = True  # no BDAT will follow

    # -- for the pump -----------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self.octets += len(data)
        if self._mode is not _OVER:
            self._inbox += data

    def data_to_send(self) -> bytes:
        """Give, once, what the peer has to be sent."""
        outbox = self._outbox
        if not outbox:
            return b""
        data = outbox[0] if len(outbox) == 1 else b"".join(outbox)
        outbox.clear()
        return data

    def buffered(self) -> int:
        """Octets taken and not yet turned into events."""
        return len(self._inbox)

    # -- for the session --------------------------------------------------

    @property
    def receiving(self) -> bool:
        """Whether the octets of a message are expected now."""
        return self._mode is _MESSAGE

    def greet(self) -> HangUp | None:
        """Say the greeting; a peer that did not wait for it is no mail client (RFC 5321 §3.1)."""
        if self._inbox:
            return self._hang_up("talked before the greeting", Reply(554, "5.5.1", "wait for the greeting"))
        self.reply(self.greeting())
        return None

    def reply(self, reply: Reply) -> None:
        """Say something that answers no event: 421 before closing."""
        self._outbox.append(encode(reply))

    def close(self) -> None:
        """Read nothing more."""
        self._mode = _OVER
        self._inbox.clear()

    def next_event(self) -> Event | None:
        """Return the next event, at most one command further on, or None until more bytes arrive."""
        assert self._pending is None, "the last event waits for its answer"
        mode = self._mode
        if mode is _COMMAND:
            return self._command()
        if mode is _MESSAGE:
            return self._octets()
        return self._response() if mode is _RESPONSE else None

    def answer(self, reply: Reply) -> None:
        """Answer the event in hand; the code decides what happens next (RFC 5321 §4.2.1)."""
        event, self._pending = self._pending, None
        assert event is not None, "nothing waits for an answer"
        self.reply(reply)
        _ANSWERED[type(event)](self, event, reply)

    def answer_each(self, replies: Sequence[Reply]) -> None:
        """Answer the end of a message for each recipient, in the order of RCPT (RFC 2033 §4.2)."""
        assert isinstance(self._pending, DataEnd)
        assert len(replies) == self.dialogue.recipients
        self._pending = None
        for reply in replies:
            self.reply(reply)
        self._junk = 0
        self._end_transaction()

    def challenge(self, data: bytes) -> None:
        """Go on with an AUTH exchange (RFC 4954 §4)."""
        assert isinstance(self._pending, Auth | AuthResponse)
        self._pending = None
        self._outbox.append(b"334 " + b2a_base64(data, newline=False) + b"\r\n")
        self._mode = _RESPONSE

    def secured(self, terms: Terms | None = None) -> None:
        """TLS is up: everything said before is forgotten (RFC 3207 §4.2); `terms` are those from here on."""
        self._begin_anew(terms or self.dialogue.terms, secure=True)
        self._mode = _COMMAND

    def greeting(self) -> Reply:
        """What is said first, and again after XCLIENT."""
        terms = self.dialogue.terms
        return Reply(220, "", f"{terms.hostname} {'LMTP' if terms.lmtp else 'ESMTP'} postroad")

    def _begin_anew(self, terms: Terms, *, secure: bool) -> None:
        self.dialogue = Dialogue(terms, secure=secure, mails=self.dialogue.mails)
        self._end_transaction()

    # -- commands ---------------------------------------------------------

    def _command(self) -> Event | None:
        dialogue, inbox = self.dialogue, self._inbox
        auth = bool(inbox) and inbox[0] in b"Aa" and inbox[:5].upper() == b"AUTH "
        line = self._lines.take(inbox, AUTH_OCTETS if auth else dialogue.terms.line)
        if not isinstance(line, bytes):
            return self._no_line(line)
        # RFC 5321 §4.1.1: white space at the end of a line is put up with.
        verb, _, argument = line.rstrip(b" \t").partition(b" ")
        verb = verb.upper()
        command = COMMANDS.get(verb)
        if command is None and _HTTP.match(line):
            return self._hang_up("spoke HTTP, or PROXY where it may not")
        if inbox and (not dialogue.extended or verb in LAST_IN_GROUP):
            # RFC 2920 §3.1: not before EHLO was answered, and nothing behind these.
            return self._hang_up("pipelined out of turn", Reply(554, "5.5.1", "wait for the reply"))
        if command is None:
            return self._unreadable(NOT_KNOWN, verb)
        if len(line) + 2 > LINE_OCTETS and verb not in LONG:
            return self._unreadable(TOO_LONG, verb)
        refusal = too_early(dialogue, verb)
        if refusal is None:
            return self._do(command(dialogue, argument))
        return self._do(refuse_chunk(argument, refusal) if verb == b"BDAT" else refusal)

    def _no_line(self, reply: Reply | None) -> Event | None:
        if reply is ENDLESS:
            return self._hang_up("sent an endless line", reply)
        if reply is not None:
            return self._unreadable(reply, self._lines.refused)
        if self._inbox.startswith(_TLS_RECORD):
            return self._hang_up("began TLS on a listener in clear")
        return None

    def _unreadable(self, reply: Reply, verb: bytes) -> Event:
        """Refuse a line that is no command; octets that may belong to a BDAT are not read as commands."""
        if _BDAT.match(verb):
            return self._hang_up(BAD_CHUNK.reason, BAD_CHUNK.reply)
        return self._fault(reply)

    def _do(self, outcome: Outcome) -> Event | None:
        """Carry out what a command has come to."""
        if type(outcome) in _TO_ANSWER:
            return self._ask(cast(ToAnswer, outcome))
        match outcome:
            case Reply():
                junk = outcome.positive or outcome in _NOBODY
                return (junk and self._count_junk()) or self._answered(outcome)
            case HangUp():
                return self._hang_up(outcome.reason, outcome.reply)
            case Greeting():
                return self._count_junk() or self._hello(outcome)
            case Order.RESET:
                return self._count_junk() or self._reset()
            case Order.QUIT:
                self.reply(Reply(221, "2.0.0", f"{self.dialogue.terms.hostname} closes"))
                self.close()
                return Quit()
            case Chunk():
                self.dialogue.stage = Stage.CHUNKS
                self._expect(ChunkReader(outcome.size), last=outcome.last)
                return self._octets()
            case BadChunk():
                return self._bad_chunk(outcome)
        raise AssertionError(f"{outcome} is for the session to answer")

    def _hello(self, greeting: Greeting) -> Event:
        dialogue = self.dialogue
        dialogue.helo, dialogue.extended = greeting.name, greeting.extended
        self._end_transaction()
        terms = dialogue.terms
        self.reply(_offer(terms, dialogue.secure) if greeting.extended else Reply(250, "", terms.hostname))
        return Hello()

    def _reset(self) -> Event:
        self._end_transaction()
        self.reply(Reply(250, "2.0.0", "ok"))
        return Reset()

    def _count_junk(self) -> HangUp | None:
        self._junk += 1
        if self._junk <= self.dialogue.terms.junk_commands:
            return None
        return self._hang_up("sent too many junk commands", Reply(421, "4.7.0", "too many commands, no mail"))

    def _response(self) -> Event | None:
        """A line of an AUTH exchange."""
        line = self._lines.take(self._inbox, AUTH_OCTETS)
        if line is None:
            return None
        if isinstance(line, bytes) and line != b"*":
            return self._ask(AuthResponse(line))
        self._mode = _COMMAND
        reply = line if isinstance(line, Reply) else Reply(501, "5.7.0", "the exchange is cancelled")
        self.reply(reply)
        return AuthCancelled(reply)

    # -- messages ---------------------------------------------------------

    def _expect(self, reader: DotReader | ChunkReader, *, last: bool) -> None:
        if self._inspector is None:
            terms = self.dialogue.terms
            self._inspector = Inspector(terms.message_size, terms.data_line, binary=self.dialogue.binary)
        self._reader, self._last = reader, last
        self._mode = _MESSAGE

    def _octets(self) -> Event | None:
        reader, inspector = self._reader, self._inspector
        assert reader is not None
        octets = b"" if reader.ended else reader.read(self._inbox)
        if octets and inspector is not None and inspector.look(octets):
            return DataChunk(octets)
        if not reader.ended:
            return None
        self._mode, self._reader = _COMMAND, None
        if inspector is None:  # a refused chunk, skipped to its end
            return self._command()
        if (reply := inspector.verdict(whole=self._last)) is not None:
            times = self.dialogue.recipients if self.dialogue.terms.lmtp and self._last else 1
            self._end_transaction()
            return self._refused(reply, times=times)
        if self._last:
            return self._ask(DataEnd(inspector.size))
        assert isinstance(reader, ChunkReader)
        return self._ask(ChunkEnd(reader.size))

    def _bad_chunk(self, chunk: BadChunk) -> Event:
        """Refuse a chunk at once and drop its octets as they come; no later one mends it (RFC 3030 §2)."""
        under_way = self.dialogue.stage is not _READY
        self._end_transaction()
        self._reader, self._mode = ChunkReader(chunk.size), _MESSAGE
        if chunk.reply is None:
            return self._count_junk() or DataRefused(NO_RECIPIENTS_LMTP, fault=False)
        if not under_way:
            return self._fault(chunk.reply)
        if chunk.reply in _NOBODY:
            return self._count_junk() or self._refused(chunk.reply, fault=False)
        return self._refused(chunk.reply)

    # -- answering --------------------------------------------------------

    def _ask(self, event: ToAnswer) -> Event:
        self._pending = event
        return event

    def _answered(self, reply: Reply) -> Answered:
        self.reply(reply)
        # That nobody was left to send to is what a pipeline runs into, and no fault (RFC 2920 §3.1).
        return Answered(reply, fault=reply.code >= 500 and reply not in _NOBODY)

    def _fault(self, reply: Reply) -> Answered:
        self.reply(reply)
        return Answered(reply, fault=True)

    def _refused(self, reply: Reply, *, fault: bool = True, times: int = 1) -> DataRefused:
        for _ in range(times):
            self.reply(reply)
        return DataRefused(reply, fault)

    def _hang_up(self, reason: str, reply: Reply | None = None) -> HangUp:
        if reply is not None:
            self.reply(reply)
        self.close()
        return HangUp(reason, reply)

    def _end_transaction(self) -> None:
        dialogue = self.dialogue
        dialogue.stage = _READY
        dialogue.recipients = dialogue.overshoot = dialogue.octets = 0
        self._inspector = None

    # -- what an answer moves on ------------------------------------------

    def _mail_answered(self, event: Mail, reply: Reply) -> None:
        if reply.positive:
            dialogue = self.dialogue
            dialogue.stage = _SENDER
            dialogue.smtputf8 = event.smtputf8
            dialogue.binary = event.body == "BINARYMIME"

    def _rcpt_answered(self, _event: Rcpt, reply: Reply) -> None:
        if reply.positive:
            self.dialogue.stage = _RECIPIENTS
            self.dialogue.recipients += 1

    def _data_answered(self, _event: Data, reply: Reply) -> None:
        if reply.code == 354:
            self._expect(DotReader(self._inbox), last=True)
        else:
            self._end_transaction()

    def _end_answered(self, _event: DataEnd, _reply: Reply) -> None:
        self._junk = 0
        self._end_transaction()

    def _chunk_answered(self, event: ChunkEnd, reply: Reply) -> None:
        if reply.positive:
            self.dialogue.octets += event.size
        else:
            self._end_transaction()

    def _tls_answered(self, _event: StartTls, reply: Reply) -> None:
        if reply.positive:
            # Whatever came in clear behind the command is gone before the first octet of TLS.
            self._inbox.clear()
            self._mode = Mode.HANDSHAKE

    def _auth_answered(self, _event: Auth | AuthResponse, reply: Reply) -> None:
        self._mode = _COMMAND
        self.dialogue.authenticated = reply.code == 235

    def _xclient_answered(self, event: Xclient, reply: Reply) -> None:
        if reply.positive:
            # The session is where the greeting left it; the proxy says EHLO for whom it speaks for now.
            dialogue = self.dialogue
            self._begin_anew(dialogue.terms, secure=dialogue.secure)
            self.dialogue.authenticated = bool(event.login) and dialogue.terms.submission


_ANSWERED: Final[dict[type[ToAnswer], Callable[[SmtpServerCore, Any, Reply], None]]] = {
    Mail: SmtpServerCore._mail_answered,
    Rcpt: SmtpServerCore._rcpt_answered,
    Data: SmtpServerCore._data_answered,
    DataEnd: SmtpServerCore._end_answered,
    ChunkEnd: SmtpServerCore._chunk_answered,
    StartTls: SmtpServerCore._tls_answered,
    Auth: SmtpServerCore._auth_answered,
    AuthResponse: SmtpServerCore._auth_answered,
    Xclient: SmtpServerCore._xclient_answered,
}


@lru_cache(maxsize=64)  # a handful for each listener, and nothing in it that a stranger chooses
def _offer(terms: Terms, secure: bool) -> Reply:
    """What EHLO is answered (RFC 5321 §4.1.1.1)."""
    return Reply(250, "", "\n".join([terms.hostname, *terms.keywords(secure=secure)]))
