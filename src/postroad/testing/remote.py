"""A mail server at the other end that does as it is told, and remembers what it was told.

    async with RemoteServer("mx.example.org") as remote:
        remote.answer("RCPT", "550 5.1.1 no such user", to="bob@")
        remote.answer("DATA", Drop(), times=1)
        …
        assert remote.messages[0].recipients == ["ada@example.org"]

Without rules it is an ordinary server that takes every message.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, TypeAlias

from postroad.testing.remote_login import answer_auth
from postroad.testing.remote_message import Dialogue, TakenMessage

EXTENSIONS: Final = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
CHUNKING: Final = (*EXTENSIONS, "CHUNKING", "BINARYMIME")
STEPS: Final = (
    "CONNECT",
    "EHLO",
    "HELO",
    "LHLO",
    "AUTH",
    "STARTTLS",
    "MAIL",
    "RCPT",
    "DATA",
    "BDAT",
    "BODY",
    "END",
    "RSET",
    "NOOP",
    "QUIT",
)
"""Where a rule may be put: CONNECT is the greeting, BODY inside a message (by BDAT: inside a chunk),
END behind its dot, BDAT behind a chunk."""

_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Raw:
    """Exactly these octets, whatever they are."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection, perhaps after a few octets: half a reply."""

    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing more and read nothing more, until the other side has had enough."""


class Hold:
    """Keep the answer back until the test says so."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self._gone = asyncio.Event()

    def let_go(self) -> None:
        """Let the answer out."""
        self._gone.set()

    async def wait(self) -> None:
        """Return when it is out."""
        await self._gone.wait()


Act: TypeAlias = str | Raw | Drop | Hang | Hold
"""A string is a reply; its lines are parted by line feeds, a multi-line reply is made of them."""


@dataclass(slots=True)
class _Rule:
    act: Act
    to: str
    left: int | None


class RemoteServer:
    """One scripted SMTP server on loopback."""

    def __init__(
        self,
        name: str = "mx.remote.test",
        address: str = "127.0.0.1",
        *,
        port: int = 0,
        extensions: Sequence[str] = EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        lmtp: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        """With `tls`, STARTTLS is offered and works, or else TLS comes first (`implicit`).

        Port 0: the system chooses. With `lmtp` it speaks that (RFC 2033); with `login` it wants
        that name and password before MAIL.
        """
        self.name = name
        self.address = address
        self.port = port
        self.extensions = list(extensions)
        self.tls = tls
        self.implicit = implicit
        self.lmtp = lmtp
        self.login = login
        self.mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
        self.messages: list[TakenMessage] = []
        self.commands: list[str] = []
        """Every command, in the order in which they came, over all connections."""
        self.connections = 0
        self.peers: list[str] = []
        """Where each connection came from."""
        self._rules: dict[str, list[_Rule]] = {step: [] for step in STEPS}
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._something = asyncio.Condition()

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._sessions)

    async def __aenter__(self) -> "RemoteServer":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; `port` is known from here on."""
        context = self.tls if self.implicit else None
        self._server = await asyncio.start_server(
            self._serve, self.address, self.port, limit=_LIMIT, ssl=context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def answer(self, step: str, *acts: Act, to: str = "", times: int | None = None) -> None:
        """Answer `step` with `acts`, one after the other, each `times` times (None: for ever).

        `to` is a part of the command line that must be there. Rules are looked
        at in their order; where none is left the server does what servers do.
        """
        self._rules[step] += [_Rule(act, to, times) for act in acts]

    def forget_rules(self) -> None:
        """Be an ordinary server again."""
        for rules in self._rules.values():
            rules.clear()

    def said(self, verb: str) -> list[str]:
        """The commands that came which begin with `verb`."""
        return [command for command in self.commands if command.upper().startswith(verb)]

    async def until(self, verb: str, count: int = 1) -> None:
        """Wait until a command that begins with `verb` has come `count` times."""
        async with self._something:
            await self._something.wait_for(lambda: len(self.said(verb)) >= count)

    async def until_taken(self, count: int = 1) -> None:
        """Wait until `count` messages have been taken."""
        async with self._something:
            await self._something.wait_for(lambda: len(self.messages) >= count)

    # -- one connection ---------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        self.connections += 1
        self.peers.append(writer.get_extra_info("peername")[0])
        try:
            await self._converse(reader, writer, Dialogue(tls=self.implicit))
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side left, a rule cut it off, or the server stops
        finally:
            self._sessions.discard(task)
            writer.transport.abort()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialogue: Dialogue
    ) -> None:
        await self._act(writer, "CONNECT", "", f"220 {self.name} ready")
        while True:
            line = (await reader.readuntil(b"\r\n"))[:-2].decode()
            await self._note(line)
            if line.startswith("BDAT ") and "CHUNKING" in self.extensions:
                await self._chunk(reader, writer, dialogue, line)
                continue
            verb = line.split(" ")[0].split(":")[0].upper()
            step = verb if verb in STEPS else ""
            if step == "AUTH" and self.login is not None and self._rule(step, line) is None:
                right = await answer_auth(line[5:], self.login, reader, writer)
                dialogue.login = line.split(" ")[1] if right else ""
            said = await self._act(writer, step, line, self._ordinary(step, line, dialogue))
            if not said.startswith(("2", "3")):
                continue
            match step:
                case "STARTTLS" if self.tls is not None:
                    await writer.start_tls(self.tls)
                    dialogue.tls = True
                case "MAIL":
                    dialogue.begin(line)
                case "RCPT":
                    dialogue.rcpts.append(line)
                case "DATA" if said.startswith("3"):
                    await self._body(reader, writer, dialogue)
                case "RSET" | "EHLO" | "HELO" | "LHLO":
                    dialogue.begin()
                case "QUIT":
                    raise ConnectionError

    async def _body(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialogue: Dialogue
    ) -> None:
        if self._rule("BODY", "") is not None:
            await reader.readuntil(b"\r\n")
            await self._act(writer, "BODY", "", "")
        lines = []
        while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        await self._note(".")
        if self.lmtp:
            await self._each(writer, dialogue, b"".join(lines))
            return
        default = "250 2.0.0 taken" if dialogue.rcpts else "554 5.5.1 no valid recipients"
        if (await self._act(writer, "END", "", default)).startswith("2"):
            await self._take(dialogue, b"".join(lines))
        dialogue.begin()

    async def _chunk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialogue: Dialogue, line: str
    ) -> None:
        """A chunk, and with the last one the message (RFC 3030)."""
        if self._rule("BODY", "") is not None:
            await self._act(writer, "BODY", line, "")
        dialogue.chunks.append(await reader.readexactly(int(line.split()[1])))
        last, body = line.endswith(" LAST"), b"".join(dialogue.chunks)
        if last and self.lmtp:
            await self._each(writer, dialogue, body)
            return
        ordinary = "250 2.0.0 taken" if dialogue.rcpts else "503 5.5.1 no valid recipients"
        said = await self._act(writer, "BDAT", line, ordinary)
        if last and said.startswith("2"):
            await self._take(dialogue, body)
        if last or not said.startswith("2"):
            dialogue.begin()

    async def _take(self, dialogue: Dialogue, body: bytes) -> None:
        self.messages.append(dialogue.message(body))
        await self._note()

    async def _each(self, writer: asyncio.StreamWriter, dialogue: Dialogue, body: bytes) -> None:
        """LMTP: a reply for each recipient; END's rules see their RCPT."""
        taken = [
            r for r in dialogue.rcpts if (await self._act(writer, "END", r, "250 2.1.5 taken"))[0] == "2"
        ]
        dialogue.rcpts = taken
        if taken:
            await self._take(dialogue, body)
        dialogue.begin()

    def _ordinary(self, step: str, line: str, dialogue: Dialogue) -> str:
        match step:
            case "EHLO" | "HELO" if self.lmtp:
                return "500 5.5.1 this is LMTP"
            case "EHLO" | "LHLO":
                offered = [*self.extensions, *(["STARTTLS"] if self.tls and not dialogue.tls else [])]
                if self.login is not None and dialogue.tls:
                    offered.append(f"AUTH {' '.join(self.mechanisms)}")
                return "\n".join([f"250 {self.name} greets you", *offered])
            case "HELO":
                return f"250 {self.name}"
            case "STARTTLS":
                return "220 2.0.0 go ahead" if self.tls else "502 5.5.1 not here"
            case "AUTH":
                return "235 2.7.0 welcome" if dialogue.login else "535 5.7.8 no"
            case "MAIL" if self.login is not None and not dialogue.login:
                return "530 5.7.0 log in first"
            case "RCPT" if not dialogue.mail:
                return "503 5.5.1 MAIL first"
            case "MAIL" | "RCPT" | "RSET" | "NOOP":
                return "250 2.0.0 OK"
            case "DATA":
                return "354 go ahead" if dialogue.rcpts else "554 5.5.1 no valid recipients"
            case "QUIT":
                return "221 2.0.0 bye"
            case _:
                return "500 5.5.1 what?"

    async def _act(self, writer: asyncio.StreamWriter, step: str, line: str, ordinary: str) -> str:
        """Do what the rules say, or the ordinary; give the reply that went out."""
        rule = self._rule(step, line)
        act: Act = ordinary
        if rule is not None:
            act = rule.act
            if rule.left is not None:
                rule.left -= 1
        match act:
            case str():
                if act:
                    writer.write(_encode(act))
            case Hold():
                await act.wait()
                act = act.reply
                writer.write(_encode(act))
            case Raw(octets):
                writer.write(octets)
                act = octets.decode("latin-1")
            case Drop(after):
                writer.write(after)
                await writer.drain()
                writer.close()
                raise ConnectionError
            case Hang():
                writer.transport.pause_reading()  # type: ignore[attr-defined]  # typed as write-only
                await asyncio.Event().wait()
                raise AssertionError("an event without a setter was set")
        await writer.drain()
        return act

    def _rule(self, step: str, line: str) -> _Rule | None:
        rules = self._rules.get(step, [])
        return next((rule for rule in rules if rule.to in line and rule.left != 0), None)

    async def _note(self, command: str | None = None) -> None:
        async with self._something:
            if command is not None:
                self.commands.append(command)
            self._something.notify_all()


def _encode(reply: str) -> bytes:
    first, *more = reply.split("\n")
    code, text = first[:3], first[4:]
    lines = [text, *more]
    said = [f"{code}-{line}\r\n" for line in lines[:-1]]
    return "".join([*said, f"{code} {lines[-1]}\r\n"]).encode()
