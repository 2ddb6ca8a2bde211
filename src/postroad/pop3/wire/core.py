"""The server's half of a POP3 dialogue: bytes in, events out (RFC 1939).

The core frames lines, keeps commands to the state they belong to, and answers
CAPA, NOOP, USER and everything malformed or misplaced itself, so that a
session sees only what is legal now. Passwords are refused while the
connection is in clear. APOP is not offered (RFC 1939 §7 leaves that free): it
needs every password stored so that the server can read it, and MD5.
"""

import re
from collections.abc import Callable, Collection, Sequence
from enum import Enum, auto
from typing import Final

from postroad.pop3.wire.arguments import ABOUT_MESSAGES, BadArguments
from postroad.pop3.wire.capabilities import OPTIONAL, capabilities
from postroad.pop3.wire.events import Auth, AuthResponse, Event, HangUp, Login, Pause, Quit, StartTls
from postroad.pop3.wire.inbox import Inbox, Unread
from postroad.sasl import base64
from postroad.sasl.exchange import takes_passwords

MAX_COMMAND: Final = 512
"""RFC 2449 §4 says 255 octets; passwords and names in UTF-8 may be a little longer."""
MAX_RESPONSE: Final = 12_288
"""A client's answer within AUTH (RFC 4954 §4 gives the number; RFC 5034 leaves it to the mechanism)."""
IN_A_ROW: Final = 200
"""Commands; behind so many the session makes a pause. CAPA is answered with fifty times its octets."""

_HTTP: Final = frozenset(
    (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PATCH", b"PRI")
)


class Stage(Enum):
    """The state of the session (RFC 1939 §3)."""

    AUTHORIZATION = auto()
    EXCHANGE = auto()
    """Within AUTH: the next line is an answer, not a command."""
    TRANSACTION = auto()
    OVER = auto()


class Pop3Core:
    """Pull-style: `receive` bytes, then ask for one event at a time.

    Nothing is parsed ahead of the session: what stands behind a pipelined
    STLS or AUTH means something else than it seems to.
    """

    def __init__(
        self,
        *,
        secure: bool,
        tls_offered: bool,
        mechanisms: tuple[bytes, ...] = (),
        implementation: bytes = b"postroad",
        bad_commands: int = 10,
        stranger_commands: int = 50,
    ) -> None:
        """`bad_commands` end a session before log-in, twice as many after it.

        More than `stranger_commands`, good and bad, do so before log-in.
        """
        self.stage = Stage.AUTHORIZATION
        self._secure = secure
        self._tls_offered = tls_offered
        self._mechanisms = mechanisms
        self._implementation = implementation
        self._bad_left = bad_commands
        self._bad_commands = bad_commands
        self._stranger_left = stranger_commands
        self._in_a_row = 0
        self._user: bytes | None = None
        self.utf8 = False
        """The client has said UTF8: it reads headers that are not ASCII (RFC 6856 §2.1)."""
        self._withheld: frozenset[bytes] = frozenset()
        self._inbox = Inbox()
        self._outbox: list[bytes] = []
        self._waiting = 0

    # -- for the pump -----------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes from the client; what comes behind the end is dropped."""
        if self.stage is not Stage.OVER:
            self._inbox.add(data)
            self._in_a_row = 0

    def data_to_send(self) -> bytes:
        """Give, once, what the client has to be sent."""
        if not self._outbox:
            return b""
        data = b"".join(self._outbox)
        self._outbox.clear()
        self._waiting = 0
        return data

    def waiting(self) -> int:
        """Octets of replies that have not been given to the pump."""
        return self._waiting

    def buffered(self) -> int:
        """Octets taken and not yet turned into events."""
        return len(self._inbox)

    # -- for the session: replies -----------------------------------------

    def ok(self, text: bytes = b"") -> None:
        """Say `+OK`."""
        self.push(b"+OK %b\r\n" % text if text else b"+OK\r\n")

    def error(self, text: bytes, code: bytes = b"") -> None:
        """Say `-ERR`, with a response code where there is one for it (RFC 2449 §8, RFC 3206)."""
        self.push(b"-ERR [%b] %b\r\n" % (code, text) if code else b"-ERR %b\r\n" % text)

    def push(self, data: bytes) -> None:
        """Send octets of a reply as they are; those of a message are already stuffed."""
        self._outbox.append(data)
        self._waiting += len(data)

    def push_all(self, pieces: Sequence[bytes]) -> None:
        """Send pieces that follow one another; only once they go out are they joined."""
        self._outbox += pieces
        self._waiting += sum(map(len, pieces))

    def challenge(self, data: bytes) -> None:
        """Ask for the next answer of an AUTH exchange (RFC 5034 §4)."""
        self.stage = Stage.EXCHANGE
        self.push(b"+ %b\r\n" % base64.encode(data))

    # -- for the session: state -------------------------------------------

    def logged_in(self, switched_off: Collection[str] = ()) -> None:
        """The client is who it says: commands on messages are legal from now on.

        Of what is `switched_off` for it, TOP and UIDL are unknown (`model.switches`).
        """
        self._withheld = frozenset(verb for verb in OPTIONAL if f"POP3:{verb.decode()}" in switched_off)
        self.stage = Stage.TRANSACTION
        self._user = None
        self._bad_left = 2 * self._bad_commands

    def login_failed(self) -> None:
        """Back to the beginning: USER has to be said again (RFC 1939 §7)."""
        self.stage = Stage.AUTHORIZATION
        self._user = None

    def start_tls(self) -> None:
        """Forget everything that came in clear (RFC 2595 §4): bytes, USER, counts stay."""
        self._inbox.clear()
        self._user = None
        self._secure = True

    def offer(self, mechanisms: tuple[bytes, ...]) -> None:
        """Offer these mechanisms from now on: under TLS there are more."""
        self._mechanisms = mechanisms

    # -- events -----------------------------------------------------------

    def next_event(self) -> Event | None:
        """Return the next legal event, or None until more bytes arrive."""
        event: Event | None = None
        while event is None and self.stage is not Stage.OVER:
            if self._in_a_row >= IN_A_ROW:
                self._in_a_row = 0
                return Pause()
            line = self._line()
            if line is None:
                return self._give_up() if self._hopeless() else None
            self._in_a_row += 1
            if self.stage is Stage.EXCHANGE:
                event = self._answer(line)
            elif self.stage is Stage.AUTHORIZATION and not self._stranger_left:
                event = self._hang_up("no log-in", b"too many commands without log-in")
            elif line is Unread.TOO_LONG:
                self._bad(b"line too long")
            else:
                event = self._command(line)
            if event is None and self._bad_left <= 0:
                event = self._hang_up("too many bad commands", b"too many bad commands")
        return event

    def _line(self) -> bytes | Unread | None:
        return self._inbox.line(MAX_RESPONSE if self.stage is Stage.EXCHANGE else MAX_COMMAND)

    def _hopeless(self) -> bool:
        # Nothing said in a handshake where clear text is spoken would be understood.
        return self._inbox.endless() or (self.stage is Stage.AUTHORIZATION and self._inbox.begins_tls())

    def _give_up(self) -> HangUp:
        return self._hang_up("not POP3", b"" if self._inbox.begins_tls() else b"line too long")

    def _command(self, line: bytes) -> Event | None:
        # A space at the end is no argument, though RFC 1939 §3 has none there: curl (until 2011) and
        # node-pop3 (before 0.9.1) send "LIST ".
        if self.stage is Stage.AUTHORIZATION:
            self._stranger_left -= 1
        verb, _, rest = line.partition(b" ")
        known = _COMMANDS.get(verb) or _COMMANDS.get(verb.upper())
        if known is None or (self._withheld and verb.upper() in self._withheld):
            if verb.upper() in _HTTP and self.stage is Stage.AUTHORIZATION:
                return self._hang_up("HTTP", b"this is POP3")
            self._bad(b"unknown command")
            return None
        stages, understand = known
        if self.stage not in stages:
            self._bad(_MISPLACED[self.stage])
            return None
        if not rest.isdigit() and _FORBIDDEN.search(rest):  # most often it is a number
            self._bad(b"control characters are not allowed")
            return None
        return understand(self, rest)

    def _answer(self, line: bytes | Unread) -> AuthResponse:
        """An answer within AUTH; one that cannot be read counts as giving up."""
        self.stage = Stage.AUTHORIZATION
        if line is Unread.TOO_LONG or line == b"*":
            return AuthResponse(None)
        data = base64.decode(line)
        if data is None:
            self._bad_left -= 1
        return AuthResponse(data)

    def _bad(self, text: bytes) -> None:
        self._bad_left -= 1
        self.error(text)

    def _hang_up(self, reason: str, text: bytes) -> HangUp:
        self.stage = Stage.OVER
        self._inbox.clear()
        if text:
            self.error(text)
        return HangUp(reason)

    # -- commands that the core answers -----------------------------------

    def _capa(self, rest: bytes) -> None:
        self.push(
            capabilities(
                self._mechanisms,
                self._implementation,
                secure=self._secure,
                tls_offered=self._tls_offered,
                withheld=self._withheld,
            )
        )

    def _utf8(self, rest: bytes) -> None:
        """RFC 6856 §2.1."""
        if rest:
            self._bad(b"UTF8 takes no arguments")
        else:
            self.utf8 = True
            self.ok(b"UTF-8 from here on")

    def _lang(self, rest: bytes) -> None:
        """RFC 6856 §3: everything here is said in one language, which has two names."""
        wanted = rest.strip().lower()
        if not wanted:
            self.push(b"+OK languages follow\r\ni-default Default\r\nen English\r\n.\r\n")
        elif wanted in (b"i-default", b"en", b"*"):
            self.ok(b"%b English is spoken" % (b"en" if wanted == b"*" else wanted))
        else:
            self._bad(b"that language is not spoken here")

    def _noop(self, rest: bytes) -> None:
        self.ok()

    def _user_name(self, rest: bytes) -> None:
        if not self._secure:
            self._in_clear()
        elif not takes_passwords([name.decode() for name in self._mechanisms]):
            self._bad(b"passwords are not taken here; use AUTH")
        elif not rest.strip():
            self._bad(b"USER needs a name")
        else:
            # The same for names that exist and names that do not.
            self._user = rest.strip()
            self.ok(b"now the password")

    def _in_clear(self) -> None:
        self._bad_left -= 1
        hint = b"use STLS first" if self._tls_offered else b"passwords are not taken without TLS"
        self.error(hint, b"AUTH")

    # -- commands that become events --------------------------------------

    def _password(self, rest: bytes) -> Event | None:
        user, self._user = self._user, None
        if not self._secure:
            self._in_clear()
        elif user is None:
            self._bad(b"say USER first")
        elif not rest:
            self._bad(b"PASS needs a password")
        else:
            return Login(user, rest)
        return None

    def _auth(self, rest: bytes) -> Event | None:
        mechanism, _, initial = rest.partition(b" ")
        self._user = None
        if not self._secure:
            self._in_clear()
        elif not mechanism or mechanism.upper() not in self._mechanisms:
            self._bad(b"unknown mechanism; see CAPA")
        elif not initial:
            return Auth(mechanism.upper(), None)
        # RFC 5034 §4: a single "=" is an initial response of no octets.
        elif (data := b"" if initial == b"=" else base64.decode(initial)) is None:
            self._bad(b"the initial response is not base64")
        else:
            return Auth(mechanism.upper(), data)
        return None

    def _stls(self, rest: bytes) -> Event | None:
        if self._secure:
            self._bad(b"TLS is already in use")
        elif self.utf8:
            self._bad(b"STLS comes before UTF8")  # RFC 6856 §2.1
        elif not self._tls_offered:
            self._bad(b"TLS is not available here")
        elif rest:
            self._bad(b"STLS takes no arguments")
        else:
            return StartTls()
        return None

    def _quit(self, rest: bytes) -> Event:
        update = self.stage is Stage.TRANSACTION
        self.stage = Stage.OVER
        self._inbox.clear()
        return Quit(update)


def _about_messages(read: Callable[[bytes], Event]) -> Callable[[Pop3Core, bytes], Event | None]:
    def understand(core: Pop3Core, rest: bytes) -> Event | None:
        try:
            return read(rest)
        except BadArguments as error:
            core._bad(error.text)
            return None

    return understand


_FORBIDDEN: Final = re.compile(rb"[\0\r\n]")
_BEFORE: Final = frozenset({Stage.AUTHORIZATION})
_AFTER: Final = frozenset({Stage.TRANSACTION})
_BOTH: Final = _BEFORE | _AFTER
_MISPLACED: Final = {
    Stage.AUTHORIZATION: b"log in first",
    Stage.TRANSACTION: b"you are logged in already",
}
_COMMANDS: Final[dict[bytes, tuple[frozenset[Stage], Callable[[Pop3Core, bytes], Event | None]]]] = {
    **{verb: (_AFTER, _about_messages(read)) for verb, read in ABOUT_MESSAGES.items()},
    b"NOOP": (_AFTER, Pop3Core._noop),
    b"QUIT": (_BOTH, Pop3Core._quit),
    b"CAPA": (_BOTH, Pop3Core._capa),
    b"USER": (_BEFORE, Pop3Core._user_name),
    b"PASS": (_BEFORE, Pop3Core._password),
    b"AUTH": (_BEFORE, Pop3Core._auth),
    b"UTF8": (_BEFORE, Pop3Core._utf8),
    b"LANG": (_BOTH, Pop3Core._lang),
    b"STLS": (_BEFORE, Pop3Core._stls),
}
