"""The server's half of an IMAP dialogue: bytes in, events out (RFC 3501).

The core frames lines and literals, holds the limits, checks grammar and state
and answers itself whatever is wrong, so a session only sees commands that are
legal now. It does no I/O.

Nothing is parsed ahead of the session: behind STARTTLS, AUTHENTICATE, IDLE or
APPEND the same bytes mean something else.
"""

from collections.abc import Callable
from typing import Final

from postroad.imap.wire.command_line import Found, Unfit, find_command, is_http
from postroad.imap.wire.compression import LAST_BLOCKS, BrokenStream
from postroad.imap.wire.event import (
    AuthAborted,
    AuthResponse,
    Event,
    IdleEnd,
    SearchRefused,
)
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.framing import LineFault
from postroad.imap.wire.intake import Intake
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.literal import literal_head
from postroad.imap.wire.message_numbers import UIDREQUIRED, names_numbers
from postroad.imap.wire.parse_search import UnknownCharset
from postroad.imap.wire.parse_session import decode_base64
from postroad.imap.wire.phase import Phase, Step
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.recovery import Outcome
from postroad.imap.wire.table import State
from postroad.imap.wire.withheld import refuse_withheld

_TLS_HANDSHAKE: Final = b"\x16"
"""How TLS begins (RFC 8446 §5.1); a control character begins no tag."""
# Members of an Enum are looked up once: each time takes longer than a call.
_WAIT: Final = Step.WAIT
_AGAIN: Final = Step.AGAIN
_CLOSED: Final = Phase.CLOSED
_STRANGER: Final = State.NOT_AUTHENTICATED
_UIDONLY: Final = Extension.UIDONLY


class ImapServerCore(Intake):
    """Pull-style: `receive` bytes, then ask for one event at a time.

    The session sets `state` as log-in and SELECT succeed, and writes its
    responses with `untagged`, `tagged`, `continuation` and `write`.
    """

    __slots__ = ("_stream_end",)

    def __init__(self, limits: ImapLimits | None = None, offered: frozenset[Extension] = frozenset()) -> None:
        super().__init__(limits or ImapLimits(), offered)
        self._stream_end: bytes | None = None
        """What has come of the last block of a compressed stream that is over; None where none can come."""

    # -- for the pump, with data_to_send --------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._phase is _CLOSED:
            return
        if self.compression is not None:
            self.compression.hold(data)
        elif self._stream_end is not None:
            self._inbox.add(self._behind_stream(data))
        else:
            self._inbox.add(data)

    def buffered(self) -> int:
        """Octets taken and not yet turned into events."""
        held = 0 if self.compression is None else len(self.compression)
        return len(self._inbox) + len(self._command) + held

    # -- for the session: reading -------------------------------------------

    @property
    def between_commands(self) -> bool:
        """Whether no command has begun: a good moment to say goodbye."""
        return self._phase in (Phase.COMMAND, Phase.IDLE) and not self.buffered()

    def next_event(self) -> Event | None:
        """Return the next legal event, or None until more bytes arrive."""
        while True:
            outcome = _GO_ON[self._phase](self)
            if outcome is _WAIT:
                return None
            if outcome is not _AGAIN:
                return outcome

    def offer(self, extension: Extension) -> None:
        """Let its arguments through from now on: the client has enabled it."""
        self._offered |= {extension}

    def inflate(self) -> bool:
        """Take in one step more of a compressed stream: whether there is something to look at.

        A step at a time, so that the session can give way between them: few
        octets may be inflated to a thousand times as many.
        """
        if self.compression is None or self._phase is Phase.CLOSED:
            return False
        try:
            plain = self.compression.inflate()
        except BrokenStream:
            self._hang_up("broken stream", b"that is no DEFLATE")
            return True
        self._inbox.add(plain)
        return bool(plain)

    def offer_only(self, extensions: frozenset[Extension], withheld: frozenset[str] = frozenset()) -> None:
        """Offer these and no others: nothing is enabled any more (RFC 8437 §4.1).

        What is `withheld` is refused from now on as if it were unknown; names of capabilities.
        """
        self.withheld = withheld
        self._offered = frozenset(one for one in extensions if one.value.decode("ascii") not in withheld)

    def expect_auth_response(self, tag: bytes) -> None:
        """Take the next line for an answer to a SASL challenge."""
        self._tag = tag
        self._phase = Phase.AUTH

    def expect_done(self, tag: bytes) -> None:
        """Take the next line for the end of IDLE (RFC 2177)."""
        self._tag = tag
        self._phase = Phase.IDLE

    def reset_for_tls(self) -> None:
        """Forget what came in clear; call it once the OK to STARTTLS is written."""
        self._inbox.clear()
        self._start()

    def begin_compression(self, step: int) -> None:
        """Compress what is written from now on, and take what comes for compressed (RFC 4978 §3).

        What is here already came behind the command, and counts as the same
        octets would if they came a moment later.
        """
        self.compress_output(step).hold(self._inbox.take(len(self._inbox)))
        self._inbox.clear()

    def end_compression(self) -> None:
        """End both streams: what is written so far is compressed, what comes is plain (RFC 8437 §4.1).

        A client may have ended its stream within the command, or with an
        empty last block behind it, or may just go on in clear.
        """
        assert self.compression is not None
        plain, behind, ended = self.compression.rest()
        self.end_output()
        self._inbox.add(plain)
        self._stream_end = None if ended else b""
        self.receive(behind)

    def _behind_stream(self, data: bytes) -> bytes:
        """Drop the last block of a stream that has nothing in it, if that is what comes first."""
        assert self._stream_end is not None
        data = self._stream_end + data
        self._stream_end = None
        for block in LAST_BLOCKS:
            if data.startswith(block):
                return data[len(block) :]
            if block.startswith(data):
                self._stream_end = data
                return b""
        return data

    # -- lines --------------------------------------------------------------

    def _next_line(self) -> Outcome:
        inbox, limits = self._inbox, self._limits
        room = limits.line
        if self.state is _STRANGER:
            if inbox.begins(_TLS_HANDSHAKE):
                return self._leave("tls")
            room = limits.line_prelogin
        room -= self._line_octets
        line = inbox.line(room)
        if line is None:
            return _WAIT
        if isinstance(line, LineFault):
            return self._reject_unread(line, inbox.start(room))
        return _TAKE_LINE[self._phase](self, line)

    def _bid_farewell(self) -> Outcome:
        hangup, self._hangup = self._hangup, None
        return hangup or _WAIT

    def _on_line(self, line: bytes) -> Outcome:
        head = literal_head(line)
        found = self._found
        if found is None:
            first = find_command(line, self.state, self.withheld)
            if isinstance(first, Unfit):
                if self._is_stranger and is_http(line):  # no line of HTTP is a command
                    return self._leave("http")
                return self._reject(first.tag, first.why, head)
            found = first
        if found.streams:
            return self._on_stretch(found, line, head)
        if head is not None:
            self._keep(found, line)
            return self._on_string_head(head)
        if self._found is None:
            return self._on_command(found, line)
        self._command += line
        command = bytes(self._command)
        self._start()
        return self._on_command(found, command)

    def _on_command(self, found: Found, command: bytes) -> Outcome:
        bare = found.bare
        if bare is not None and found.at == len(command):
            if self.state is not _STRANGER:
                self._bad_count = 0
            return bare(found.tag)
        try:
            event = found.parse(found.tag, Reader(command, found.at, self._offered))
            if self.withheld:
                refuse_withheld(event, self.withheld)
        except BadSyntax as error:
            return self._reject(found.tag, error.text)
        except UnknownCharset as error:
            self.tagged(found.tag, b"NO", b"unknown charset", b"BADCHARSET (US-ASCII UTF-8)")
            return SearchRefused(error.saving)
        if event is None:
            return self._reject(found.tag, b"expected a message as a literal")
        if _UIDONLY in self._offered and names_numbers(event):
            return self._reject(found.tag, UIDREQUIRED)
        if self.state is not _STRANGER:
            self._bad_count = 0
        return event

    def _on_auth_line(self, line: bytes) -> Outcome:
        tag = self._tag
        data = decode_base64(line)
        if data is None:
            text = b"cancelled" if line == b"*" else b"that is no base64"
            return self._reject(tag, text, literal_head(line), AuthAborted(tag))
        self._start()
        return AuthResponse(tag, data)

    def _on_idle_line(self, line: bytes) -> Outcome:
        tag = self._tag
        if line.upper() != b"DONE":
            return self._reject(tag, b"expected DONE", literal_head(line), IdleEnd(tag, done=False))
        self._start()
        return IdleEnd(tag)


_GO_ON: Final[dict[Phase, Callable[[ImapServerCore], Outcome]]] = {
    Phase.COMMAND: ImapServerCore._next_line,
    Phase.MESSAGE_END: ImapServerCore._next_line,
    Phase.AUTH: ImapServerCore._next_line,
    Phase.IDLE: ImapServerCore._next_line,
    Phase.LITERAL: ImapServerCore._collect_literal,
    Phase.MESSAGE: ImapServerCore._next_chunk,
    Phase.DROP: ImapServerCore._drop,
    Phase.UNDECIDED: lambda _: Step.WAIT,
    Phase.CLOSED: ImapServerCore._bid_farewell,
}
_TAKE_LINE: Final[dict[Phase, Callable[[ImapServerCore, bytes], Outcome]]] = {
    Phase.COMMAND: ImapServerCore._on_line,
    Phase.AUTH: ImapServerCore._on_auth_line,
    Phase.IDLE: ImapServerCore._on_idle_line,
    Phase.MESSAGE_END: ImapServerCore._on_message_end,
}
