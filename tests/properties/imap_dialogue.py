"""A session that agrees to everything, for properties of the IMAP core."""

from collections.abc import Iterable

from postroad.imap.wire.commands import (
    AppendStart,
    Authenticate,
    AuthResponse,
    Event,
    Hangup,
    Idle,
    LiteralChunk,
    Login,
)
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.table import State

SMALL = ImapLimits(
    line_prelogin=400,
    line=600,
    literal=100,
    literals_size=250,
    literals=5,
    nonsync_prelogin=50,
    message_size=300,
    discard=2000,
    bad_prelogin=1000,
    bad=1000,
)


class Dialogue:
    """Feeds a core, answers its events and remembers both sides."""

    def __init__(self, state: State, limits: ImapLimits | None = None) -> None:
        self.core = ImapServerCore(limits)
        self.core.state = state
        self.events: list[Event] = []
        self.said = b""

    def hear(self, pieces: Iterable[bytes]) -> None:
        """Take bytes as the network cut them."""
        for piece in pieces:
            self.core.receive(piece)
            while (event := self.core.next_event()) is not None:
                self._answer(event)
                self._remember(event)
            self.said += self.core.data_to_send()

    def _answer(self, event: Event) -> None:
        core = self.core
        match event:
            case AppendStart(size=size) if size % 2:
                core.accept_literal()
            case AppendStart():
                core.refuse_literal(b"NO", b"no")
            case Authenticate(tag=tag, initial=None):
                core.expect_auth_response(tag)
            case AuthResponse(tag=tag, data=b"again"):
                core.expect_auth_response(tag)
            case Idle(tag=tag):
                core.expect_done(tag)
            case Login():
                core.state = State.SELECTED
            case Hangup():
                pass
            case _:
                pass

    def _remember(self, event: Event) -> None:
        # How a message is cut into chunks is the network's affair.
        last = self.events[-1] if self.events else None
        if isinstance(event, LiteralChunk) and isinstance(last, LiteralChunk):
            self.events[-1] = LiteralChunk(last.data + event.data)
        else:
            self.events.append(event)
