"""An IMAP client without mercy: every response is checked against the grammar and the rules of order."""

import re
import ssl
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tests.conformance.imap_grammar import Grammar
from tests.conformance.imap_values import Condition, Data, Fetched, Listed, NotImap, Numbered, Response
from tests.conformance.wire import Wire

_HEAD: Final = re.compile(rb"\{([0-9]+)\}\r\n\Z")
_KEEPS_NUMBERS: Final = re.compile(rb"(FETCH|STORE|SEARCH)\b", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True)
class Lit:
    """Octets to be sent as a literal: synchronising, or with `+`."""

    octets: bytes
    plus: bool = False


@dataclass
class Answer:
    """All that came until the tagged response."""

    status: bytes = b""
    code: bytes = b""
    argument: bytes = b""
    text: bytes = b""
    untagged: list[Response] = field(default_factory=list)

    def of(self, kind: type[T]) -> list[T]:
        """The untagged responses of one kind."""
        return [response for response in self.untagged if isinstance(response, kind)]

    @property
    def fetched(self) -> list[Fetched]:
        """The FETCH responses."""
        return self.of(Fetched)

    @property
    def listed(self) -> list[Listed]:
        """The LIST and LSUB responses."""
        return self.of(Listed)

    @property
    def expunged(self) -> list[int]:
        """The numbers of the EXPUNGE responses."""
        return [response.number for response in self.of(Numbered) if response.kind == b"EXPUNGE"]

    def data(self, kind: bytes) -> list[list[object]]:
        """The values of all responses of this name."""
        return [response.values for response in self.of(Data) if response.kind == kind]

    def one(self, kind: bytes) -> list[object]:
        """The values of the one response of this name."""
        found = self.data(kind)
        assert len(found) == 1, f"{len(found)} {kind!r} responses: {self}"
        return found[0]

    def coded(self, code: bytes) -> Condition | None:
        """The untagged condition with this code."""
        return next((c for c in self.of(Condition) if c.code == code), None)


class Imap(Wire):
    """One IMAP connection."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, source: str = "") -> None:
        super().__init__(port, tls=tls, source=source)
        self.exists = 0
        self.recent = 0
        self.selected = False
        self.uids: dict[int, int] = {}
        """UIDs by message number, as far as told."""
        self.flags: dict[int, frozenset[bytes]] = {}
        """Flags in small letters by message number, as far as told, without \\Recent."""
        self.rev2 = False
        """IMAP4rev2 has been enabled."""
        self._count = 0
        greeting = self.response()
        assert isinstance(greeting, Condition)
        self.greeting = greeting

    # -- reading -----------------------------------------------------------

    def raw(self) -> bytes:
        """Read one response with its literals, without the last CR LF."""
        data = self.line()
        while (head := _HEAD.search(data + b"\r\n")) is not None:
            data += b"\r\n" + self.exactly(int(head[1])) + self.line()
        return data

    def response(self, raw: bytes | None = None, *, keeps_numbers: bool = False) -> Response:
        """Read one untagged response and hold it to the state of the session."""
        response = Grammar(self.raw() if raw is None else raw, rev2=self.rev2).response()
        match response:
            case Numbered(number, b"EXISTS"):
                if number < self.exists and self.selected:
                    raise NotImap(f"EXISTS went from {self.exists} down to {number}")
                self.exists = number
            case Numbered(_, b"RECENT") if self.rev2:
                raise NotImap("RECENT is no response of IMAP4rev2")
            case Numbered(number, b"RECENT"):
                if self.selected and number > self.exists:
                    raise NotImap(f"{number} RECENT of {self.exists} EXISTS")
                self.recent = number
            case Numbered(number, b"EXPUNGE"):
                if keeps_numbers:
                    raise NotImap("EXPUNGE during FETCH, STORE or SEARCH")
                if number > self.exists:
                    raise NotImap(f"EXPUNGE {number} of {self.exists}")
                self.exists -= 1
                self.uids = {n - (n > number): uid for n, uid in self.uids.items() if n != number}
                self.flags = {n - (n > number): flags for n, flags in self.flags.items() if n != number}
            case Fetched(number=number, uid=uid, flags=flags):
                if self.rev2 and flags is not None and (uid is None or b"\\Recent" in flags):
                    raise NotImap("flags without UID, or with \\Recent")  # RFC 9051 appendix E, 12, 21
                if flags is not None:
                    self.flags[number] = frozenset(flag.lower() for flag in flags if flag != b"\\Recent")
                if number > self.exists:
                    raise NotImap(f"FETCH {number} of {self.exists}")
                if uid is not None and self.uids.setdefault(number, uid) != uid:
                    raise NotImap(f"message {number} was UID {self.uids[number]} and is now {uid}")
            case _:
                pass
        return response

    # -- commands ----------------------------------------------------------

    def tag(self) -> bytes:
        """A new tag."""
        self._count += 1
        return b"t%d" % self._count

    def write(self, tag: bytes, parts: tuple[bytes | Lit, ...]) -> Answer | None:
        """Send a command; the answer where it was refused at a literal."""
        self.send(tag + b" ")
        for part in parts:
            if isinstance(part, bytes):
                self.send(part)
                continue
            self.send(b"{%d%b}\r\n" % (len(part.octets), b"+" if part.plus else b""))
            if not part.plus:
                answer = self.read(tag, part=True)
                if answer is not None:
                    return answer
            self.send(part.octets)
        self.send(b"\r\n")
        return None

    def read(self, tag: bytes, *, part: bool = False, keeps_numbers: bool = False) -> Answer | None:
        """Read to the tagged response; None at a continuation where the command goes on in parts."""
        answer = Answer()
        while True:
            raw = self.raw()
            if raw.startswith(b"+"):
                assert part, f"an uninvited continuation: {raw!r}"
                assert raw.startswith(b"+ "), f"a continuation is '+ ' and text: {raw!r}"
                assert not answer.untagged, answer
                return None
            if raw.startswith(b"* "):
                answer.untagged.append(self.response(raw, keeps_numbers=keeps_numbers))
                continue
            assert raw.startswith(tag + b" "), f"expected {tag!r}, got {raw!r}"
            grammar = Grammar(raw, rev2=self.rev2)
            grammar.at = len(tag) + 1
            status = grammar.atom()
            assert status in (b"OK", b"NO", b"BAD"), raw
            condition = grammar.condition(status)
            answer.status, answer.code = condition.status, condition.code
            answer.argument, answer.text = condition.argument, condition.text
            return answer

    def do(self, *parts: bytes | Lit) -> Answer:
        """Send a command and read its whole answer."""
        tag = self.tag()
        first = parts[0] if parts and isinstance(parts[0], bytes) else b""
        answer = self.write(tag, parts)
        if answer is None:
            answer = self.read(tag, keeps_numbers=_KEEPS_NUMBERS.match(first) is not None)
        assert answer is not None
        return answer

    def ok(self, *parts: bytes | Lit) -> Answer:
        """As `do`; it must succeed."""
        answer = self.do(*parts)
        assert answer.status == b"OK", f"{parts!r}: {answer}"
        return answer

    def no(self, *parts: bytes | Lit) -> Answer:
        """As `do`; it must be refused with NO."""
        answer = self.do(*parts)
        assert answer.status == b"NO", f"{parts!r}: {answer}"
        return answer

    def bad(self, *parts: bytes | Lit) -> Answer:
        """As `do`; it must be BAD."""
        answer = self.do(*parts)
        assert answer.status == b"BAD", f"{parts!r}: {answer}"
        return answer

    def log_in(self, user: str, password: str) -> "Imap":
        """LOGIN."""
        self.ok(b'LOGIN "%b" "%b"' % (user.encode(), password.encode()))
        return self

    def select(self, name: bytes, *, examine: bool = False) -> Answer:
        """SELECT or EXAMINE, with all that must come (RFC 3501 §6.3.1)."""
        self.exists = self.recent = 0
        self.selected = False
        self.uids, self.flags = {}, {}
        answer = self.ok((b"EXAMINE " if examine else b"SELECT ") + name)
        kinds = [r.kind for r in answer.untagged if isinstance(r, Numbered | Data)]
        assert sorted(kinds) == [b"EXISTS", b"FLAGS", b"RECENT"], answer
        assert answer.coded(b"UIDVALIDITY"), answer
        assert answer.coded(b"UIDNEXT"), answer
        assert answer.coded(b"PERMANENTFLAGS"), answer
        assert answer.code == (b"READ-ONLY" if examine else b"READ-WRITE"), answer
        self.selected = True
        return answer

    def append(self, name: bytes, message: bytes, flags: bytes = b"") -> int:
        """APPEND; gives the UID (RFC 4315 §3)."""
        answer = self.ok(b"APPEND " + name + b" " + (flags + b" " if flags else b""), Lit(message, plus=True))
        assert answer.code == b"APPENDUID", answer
        return int(answer.argument.split()[1])

    def fetch(self, what: bytes) -> list[Fetched]:
        """FETCH (or UID FETCH, written out)."""
        return self.ok((b"" if what[:3].upper() == b"UID" else b"FETCH ") + what).fetched

    def search(self, keys: bytes) -> list[int]:
        """SEARCH."""
        values = self.ok(b"SEARCH " + keys).one(b"SEARCH")
        return [number for number in values if isinstance(number, int)]
