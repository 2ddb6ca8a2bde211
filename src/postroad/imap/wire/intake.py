"""Literals on their way in: strings are kept, messages are passed on as they come (RFC 3501 §4.3)."""

import re
from typing import Final

from postroad.imap.wire.command_line import Found
from postroad.imap.wire.event import AppendAborted, AppendEnd, AppendNext, Event, LiteralChunk
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.literal import LiteralHead, literal_head
from postroad.imap.wire.message_commands import AppendStart, AppendText, MessageHead, ReplaceStart, Within
from postroad.imap.wire.message_numbers import UIDREQUIRED, names_numbers
from postroad.imap.wire.parse_append import parse_append_next
from postroad.imap.wire.parse_metadata import parse_setmetadata
from postroad.imap.wire.phase import Phase, Step
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.recovery import Outcome, Recovery
from postroad.imap.wire.table import RULES
from postroad.imap.wire.withheld import refuse_withheld
from postroad.model.octets import NUL

_ANNOTATING: Final = (RULES[b"STORE"].parse, RULES[b"UID STORE"].parse)
"""Commands whose literals are values of annotations, and perhaps names of their entries."""
_BARE_MESSAGE: Final = re.compile(rb" \{([0-9]{1,10})(\+?)\}")
"""Another message of which nothing is said, as most often."""
_BARE: Final = (MessageHead(),)
_MESSAGE: Final = Within.MESSAGE
# Members of an Enum are looked up once: each time takes longer than a call.
_MESSAGE_END: Final = Phase.MESSAGE_END
_UNDECIDED: Final = Phase.UNDECIDED
_COMING: Final = Phase.MESSAGE


class Intake(Recovery):
    """The literals of a command, and the stretches of one that brings messages."""

    __slots__ = (
        "_has_nul",
        "_literals",
        "_literals_size",
        "_need",
        "_offered",
        "_single",
        "_text",
        "withheld",
    )

    def __init__(self, limits: ImapLimits, offered: frozenset[Extension]) -> None:
        self._offered = offered
        self.withheld: frozenset[str] = frozenset()
        """Capabilities that are switched off for the user."""
        super().__init__(limits)

    def _start(self) -> None:
        super()._start()
        self._literals = self._literals_size = 0
        self._need = 0
        self._has_nul = self._single = False
        self._text: AppendText | None = None
        """The text of an APPEND that has come, or is coming."""

    # -- for the session ------------------------------------------------------

    def accept_literal(self) -> None:
        """Answer an `AppendText`: invite it (RFC 3501 §7.5)."""
        head = self._head
        assert self._phase is _UNDECIDED
        assert head is not None
        if head.waits:
            self.continuation(b"go ahead")
        self._need = head.size
        self._phase = _COMING

    def refuse_literal(self, status: bytes, text: bytes, code: bytes = b"") -> None:
        """Answer an `AppendText`: end the command, dropping what comes uninvited."""
        assert self._phase is Phase.UNDECIDED
        self.tagged(self._tag, status, text, code)
        self._skip_literal(self._head)

    # -- strings --------------------------------------------------------------

    def _keep(self, found: Found, line: bytes) -> None:
        """Note a line of a command that goes on behind a literal."""
        self._found = found
        self._tag = found.tag
        self._line_octets += len(line)
        self._command += line
        self._command += b"\r\n"

    def _on_string_head(self, head: LiteralHead) -> Outcome:
        limits = self._limits
        self._literals += 1
        self._literals_size += head.size
        held = self._line_octets + self._literals_size
        if limits.forbids_literals(head, self._literals, self._literals_size) or (
            self._is_stranger and limits.forbids_stranger(head, held)
        ):
            return self._reject(self._tag, self._too_long(head), head, self._aborted(), status=b"NO")
        if head.waits:
            self.continuation(b"go ahead")
        self._need = head.size
        self._phase = Phase.LITERAL
        return Step.AGAIN

    def _too_long(self, head: LiteralHead) -> bytes:
        limits = self._limits
        found = self._found
        if found is not None and head.size > limits.literal:
            if found.parse is parse_setmetadata:
                most = min(limits.metadata_value, limits.literal)
                return b"[METADATA MAXSIZE %d] the value is too long" % most  # RFC 5464 §4.3
            if found.parse in _ANNOTATING:
                return b"[ANNOTATE TOOBIG] the value is too long"  # RFC 5257 §4.5
        return b"[TOOBIG] the literal is too long"

    def _collect_literal(self) -> Outcome:
        piece = self._inbox.take(self._need)
        self._command += piece
        self._need -= len(piece)
        if self._need:
            return Step.WAIT
        self._phase = Phase.COMMAND if self._text is None else Phase.MESSAGE_END
        return Step.AGAIN

    # -- messages -------------------------------------------------------------

    def _on_stretch(self, found: Found, line: bytes, head: LiteralHead | None) -> Outcome:
        """Go on in a command that brings messages: this line may end it, or end in a literal."""
        self._keep(found, line)
        command = bytes(self._command if head is not None else self._command[:-2])
        tag, text = found.tag, self._text
        event: Event | None
        try:
            if text is None:
                event = found.parse(tag, Reader(command, found.at, self._offered))
            else:
                reader = Reader(command, 0, self._offered)
                event = parse_append_next(tag, reader, text.within, more=not self._single)
            if self.withheld:
                refuse_withheld(event, self.withheld)
        except BadSyntax as error:
            return self._reject(tag, error.text, head, self._aborted())
        if isinstance(event, ReplaceStart):
            if Extension.UIDONLY in self._offered and names_numbers(event):
                return self._reject(tag, UIDREQUIRED, head)
            self._single = True
        if isinstance(event, AppendStart | AppendNext) and event.text is not None:
            assert head is not None
            return self._on_text_head(event, event.text, head)
        if event is None:
            if head is not None:
                return self._on_string_head(head)
            return self._reject(tag, b"the command is not complete", event=self._aborted())
        self._start()
        self._bad_count = 0
        return event

    def _on_text_head(self, event: AppendStart | AppendNext, text: AppendText, head: LiteralHead) -> Outcome:
        self._command = bytearray()
        if head.size > self._limits.message_size:
            return self._reject(
                self._tag, b"[TOOBIG] the message is too big", head, self._aborted(), status=b"NO"
            )
        self._head = head
        self._text = text
        self._has_nul = False
        self._phase = _UNDECIDED
        return event

    def _next_chunk(self) -> Outcome:
        need = self._need
        chunk = self._inbox.take(need)
        self._need = need = need - len(chunk)
        if not need:
            self._phase = _MESSAGE_END
            self._line_octets = 0
        if not chunk:
            return Step.WAIT if need else Step.AGAIN
        self._has_nul = self._has_nul or NUL in chunk
        return LiteralChunk(chunk)

    def _on_message_end(self, line: bytes) -> Outcome:
        found, text = self._found, self._text
        assert found is not None
        assert text is not None
        if self._has_nul and not text.binary:  # RFC 3501 §4.3.1
            self.tagged(found.tag, b"NO", b"a message must not hold NUL")
            self._skip_literal(literal_head(line))
            return AppendAborted(found.tag)
        if text.within is _MESSAGE and not (self._command or self._single or self.withheld):
            if not line:
                self._start()
                self._bad_count = 0
                return AppendEnd(found.tag)
            bare = _BARE_MESSAGE.fullmatch(line)
            if bare is not None:
                head = LiteralHead(int(bare[1]), not bare[2])
                following = AppendText(head.size)
                return self._on_text_head(AppendNext(found.tag, _BARE, following), following, head)
        return self._on_stretch(found, line, literal_head(line))

    def _aborted(self) -> AppendAborted | None:
        """What the session has to hear of an APPEND that comes to nothing, if it has heard of it at all."""
        return None if self._text is None else AppendAborted(self._tag)
