"""What becomes of a dialogue when the client says something wrong.

It is answered at once, what it still has to bring is read and dropped within a
budget, and who goes on like that is hung up on.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from postroad.imap.wire.command_line import Found, find_tag, is_http
from postroad.imap.wire.event import AppendAborted, AuthAborted, Event, Hangup, IdleEnd
from postroad.imap.wire.framing import Dropped, Inbox, LineFault
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.literal import LiteralHead
from postroad.imap.wire.output import Output
from postroad.imap.wire.phase import Phase, Step
from postroad.imap.wire.table import State

Outcome: TypeAlias = Event | Step
_ABORTED: Final[dict[Phase, Callable[[bytes], Event]]] = {
    Phase.AUTH: AuthAborted,
    Phase.IDLE: partial(IdleEnd, done=False),
    Phase.MESSAGE_END: AppendAborted,
}


class Recovery(Output):
    """The state of the command that is coming, and every way back to the next one."""

    __slots__ = (
        "_bad_count",
        "_command",
        "_found",
        "_hangup",
        "_head",
        "_inbox",
        "_limits",
        "_line_octets",
        "_phase",
        "_tag",
        "state",
    )

    def __init__(self, limits: ImapLimits) -> None:
        super().__init__()
        self.state = State.NOT_AUTHENTICATED
        self._limits = limits
        self._inbox = Inbox()
        self._bad_count = 0
        self._hangup: Hangup | None = None
        self._start()

    def _start(self) -> None:
        """Expect a new command."""
        self._phase = Phase.COMMAND
        self._command = bytearray()
        """Lines and literals of a command that is not complete, as they came."""
        self._line_octets = 0
        self._tag = b""
        self._found: Found | None = None
        self._head: LiteralHead | None = None

    def bye(self, text: bytes, code: bytes = b"") -> None:
        """Write BYE; nothing more is read (RFC 3501 §7.1.5)."""
        self.tagged(b"*", b"BYE", text, code)
        self._close()

    @property
    def _is_stranger(self) -> bool:
        return self.state is State.NOT_AUTHENTICATED

    def _reject(
        self,
        tag: bytes,
        text: bytes,
        head: LiteralHead | None = None,
        event: Event | None = None,
        status: bytes = b"BAD",
    ) -> Outcome:
        """Answer a bad command at once; what it still has to come is dropped."""
        self.tagged(tag, status, text)
        self._skip_literal(head)
        self._bad_count += 1
        limits = self._limits
        if self._bad_count >= (limits.bad_prelogin if self._is_stranger else limits.bad):
            self._hang_up("bad commands", b"too many bad commands")
        return event or Step.AGAIN

    def _reject_unread(self, fault: LineFault, start: bytes) -> Outcome:
        """Answer a line that is not to be taken in whole; its end is still looked for."""
        tag = self._tag
        event = _ABORTED[self._phase](tag) if self._phase in _ABORTED else None
        if event is None and not tag:
            if self._is_stranger and is_http(start):
                return self._leave("http")
            tag = find_tag(start)
        outcome = self._reject(tag, fault.value, event=event)
        if self._phase is not Phase.CLOSED:
            self._begin_drop(None)
        return outcome

    def _leave(self, reason: str) -> Outcome:
        # A browser made to talk to this port must find nothing of its request in the answer.
        self._close()
        self._hangup = Hangup(reason)
        return Step.AGAIN

    def _skip_literal(self, head: LiteralHead | None) -> None:
        """Go on behind a bad command whose last line ends with `head`."""
        if head is None or head.waits:
            self._start()
        else:
            self._begin_drop(head)

    def _begin_drop(self, head: LiteralHead | None) -> None:
        self._start()
        self._phase = Phase.DROP
        limits = self._limits
        self._inbox.begin_drop(head, limits.line if self._is_stranger else limits.discard)

    def _drop(self) -> Outcome:
        match self._inbox.drop():
            case Dropped.WAIT:
                return Step.WAIT
            case Dropped.TOO_MUCH:
                self._hang_up("too big", b"that is too much to be dropped")
            case Dropped.DONE:
                self._start()
        return Step.AGAIN

    def _hang_up(self, reason: str, text: bytes) -> None:
        self.bye(text)
        self._hangup = Hangup(reason)

    def _close(self) -> None:
        self._inbox.clear()
        self._start()
        self._phase = Phase.CLOSED
