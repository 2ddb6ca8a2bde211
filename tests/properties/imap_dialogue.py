"""A session that agrees to everything, for properties of the IMAP core."""

from collections.abc import Iterable

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import AppendNext, AuthResponse, Event, Hangup, LiteralChunk
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.message_commands import AppendStart, AppendText
from postroad.imap.wire.session_commands import Authenticate, Idle, Login
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
# An unfinished line, the literals of the command it belongs to, and their heads.
MOST_KEPT = SMALL.line + 2 + SMALL.literals_size + SMALL.literals * 20

# Scraps of the protocol, so that what is put together from them gets far before it goes wrong.
SCRAPS = (
    *(
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b" ",
        b"a ",
        b"b ",
        b"* ",
        b"+ ",
        b"(",
        b")",
        b"()",
    ),
    *(
        b"{3}\r\n",
        b"{3+}\r\n",
        b"{0+}\r\n",
        b"~{5+}\r\n",
        b"{99}\r\n",
        b"{60+}\r\n",
        b"{200+}\r\n",
        b"{7001+}",
    ),
    *(
        b"{301+}\r\n",
        b"{4000+}\r\n",
        b"{99999999999}\r\n",
        b'"',
        b'"x"',
        b"\\",
        b"abc",
        b"DONE\r\n",
        b"*\r\n",
    ),
    *(
        b"a NOOP\r\n",
        b"a IDLE\r\n",
        b"a LOGIN ",
        b"a LOGIN x y\r\n",
        b"a AUTHENTICATE PLAIN\r\n",
        b"YWdhaW4=\r\n",
    ),
    *(
        b"a SELECT ",
        b"a APPEND INBOX ",
        b"a APPEND INBOX (\\Seen) {5+}\r\n",
        b"a APPEND {5+}\r\nINBOX {7}\r\n",
        b"a APPEND INBOX CATENATE (",
        b"URL ",
        b"TEXT ",
        b"UTF8 (",
        b"a REPLACE 1 INBOX ",
    ),
    *(
        b"a SEARCH ",
        b"OR ",
        b"NOT ",
        b"ALL",
        b"TEXT ",
        b"CHARSET x ",
        b"a FETCH 1 ",
        b"BODY[",
        b"]",
        b"<0.1>",
    ),
    *(
        b"a UID STORE 1:* +FLAGS ",
        b"GET / HTTP/1.0\r\n",
        b"x" * 150,
        b"\xff",
        b"\x16",
        b"1:*",
        b"UID ",
        b"a STARTTLS\r\n",
    ),
)


class Dialogue:
    """Feeds a core, answers its events and remembers both sides."""

    def __init__(self, state: State, limits: ImapLimits | None = None) -> None:
        self.core = ImapServerCore(limits, frozenset(Extension) - {Extension.UIDONLY})
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
            case AppendStart(text=AppendText(size=size)) | AppendNext(text=AppendText(size=size)) if size % 2:
                core.accept_literal()
            case AppendStart(text=AppendText()) | AppendNext():
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


def check_said(said: bytes) -> None:
    """Hold what a core says by itself against RFC 3501 §7: whole lines with a tag, `*` or `+`."""
    assert said == b"" or said.endswith(b"\r\n")
    for line in said.split(b"\r\n")[:-1]:
        assert b"\r" not in line
        assert b"\n" not in line
        assert b" " in line
        assert line.isascii()
