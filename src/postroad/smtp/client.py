"""Handing messages to another server: EHLO, STARTTLS, MAIL, RCPT, DATA (RFC 5321 §3)."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from postroad.model.address import Address
from postroad.model.envelope import Recipient
from postroad.smtp.link import Link, Lost
from postroad.smtp.outcome import Outcome, Verdict
from postroad.smtp.wire.client import DataEncoder, parse_extensions, xtext
from postroad.smtp.wire.replies import Reply

SLICE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each step (RFC 5321 §4.5.3.2 gives the least for the last six)."""

    connect: float = 30.0
    tls: float = 60.0
    greeting: float = 300.0
    command: float = 300.0
    data: float = 120.0
    block: float = 180.0
    end: float = 600.0


class Source(Protocol):
    """The octets of a message, read in slices (`store.messages.StoredMessage`)."""

    size: int

    def read(self, start: int, end: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for some recipients at one host."""

    sender: Address | None
    recipients: Sequence[Recipient]
    source: Source
    ret: str = ""
    envid: str = ""
    body: str = "7BIT"
    smtputf8: bool = False


class Unusable(Exception):
    """The server cannot be talked to; it holds for all recipients that were for it."""

    def __init__(self, outcome: Outcome, *, tls_failed: bool = False) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome
        self.tls_failed = tls_failed


class SmtpClient:
    """A dialogue with one server at one address; several messages may follow one another."""

    def __init__(self, link: Link, host: str, address: str, hostname: str, timeouts: Timeouts) -> None:
        self._link = link
        self._host = host
        self._address = address
        self._hostname = hostname
        self._timeouts = timeouts
        self._extensions: dict[str, str] = {}
        self._used = False

    @classmethod
    async def open(
        cls,
        host: str,
        address: str,
        port: int,
        *,
        hostname: str,
        tls: ssl.SSLContext | None,
        timeouts: Timeouts,
    ) -> "SmtpClient":
        """Connect, greet and, where it is offered, encrypt. `tls` None leaves STARTTLS alone.

        Raises:
            Unusable: with the outcome for everybody who was to be reached there.
        """
        try:
            link = await Link.connect(address, port, timeouts.connect)
        except Lost as error:
            raise Unusable(_ours(host, address, "4.4.1", str(error))) from error
        client = cls(link, host, address, hostname, timeouts)
        try:
            await client._begin(tls)
        except Lost as error:
            link.abort()
            raise Unusable(_ours(host, address, "4.4.2", str(error))) from error
        except Unusable:
            link.abort()
            raise
        return client

    @property
    def open_for_more(self) -> bool:
        """Whether another message may follow."""
        return self._link.open

    async def close(self) -> None:
        """End the dialogue politely."""
        await self._link.quit()

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Hand one message over; give an outcome for each recipient, in their order.

        A connection that is lost on the way defers everybody who was not yet
        refused, after the final dot too: the server may have taken the message
        then, but nobody can know, and twice is better than never (RFC 1047).
        """
        refused = self._cannot_carry(message)
        if refused is not None:
            return [refused] * len(message.recipients)
        outcomes: list[Outcome | None] = [None] * len(message.recipients)
        try:
            await self._transact(message, outcomes)
        except Lost as error:
            self._link.abort()
            lost = _ours(self._host, self._address, "4.4.2", str(error), self._link.tls)
            return [outcome or lost for outcome in outcomes]
        return [outcome for outcome in outcomes if outcome is not None]

    # -- the beginning ----------------------------------------------------

    async def _begin(self, tls: ssl.SSLContext | None) -> None:
        greeting = await self._link.reply(self._timeouts.greeting)
        if greeting.code != 220:
            raise Unusable(self._spoken(greeting))
        await self._hello()
        if tls is None or "STARTTLS" not in self._extensions:
            return
        reply = await self._ask("STARTTLS")
        if reply.code != 220:
            return  # opportunistic: what is refused is done without
        if self._link.speaks_out_of_turn:
            self._link.abort()
            raise Unusable(
                _ours(self._host, self._address, "4.7.0", "unexpected octets before TLS"), tls_failed=True
            )
        try:
            await self._link.start_tls(tls, self._host, self._timeouts.tls)
        except Lost as error:
            raise Unusable(_ours(self._host, self._address, "4.7.5", str(error)), tls_failed=True) from error
        await self._hello()

    async def _hello(self) -> None:
        reply = await self._ask(f"EHLO {self._hostname}")
        if reply.code == 250:
            self._extensions = parse_extensions(reply)
            return
        self._extensions = {}
        if reply.code < 500:
            raise Unusable(self._spoken(reply))
        reply = await self._ask(f"HELO {self._hostname}")  # RFC 5321 §3.2
        if reply.code != 250:
            raise Unusable(self._spoken(reply))

    async def _ask(self, line: str) -> Reply:
        self._link.write(line.encode() + b"\r\n")
        return await self._link.reply(self._timeouts.command)

    # -- one message ------------------------------------------------------

    def _cannot_carry(self, message: Outgoing) -> Outcome | None:
        """Why the server cannot take this message at all, by what it offers."""
        limit = self._extensions.get("SIZE", "")
        if limit.isascii() and limit.isdigit() and 0 < int(limit) < message.source.size:
            text = f"the message has {message.source.size} octets, the server takes {limit}"
            return self._failed(552, "5.3.4", text)
        if message.smtputf8 and "SMTPUTF8" not in self._extensions:
            # RFC 6531 §3.2: never sent to a server that has not offered it.
            return self._failed(553, "5.6.7", "the server does not take internationalized mail")
        return None

    async def _transact(self, message: Outgoing, outcomes: list[Outcome | None]) -> None:
        link, timeouts = self._link, self._timeouts
        lines = [self._mail(message), *(self._rcpt(r) for r in message.recipients)]
        pipelined = "PIPELINING" in self._extensions
        if self._used and not pipelined:
            await self._ask("RSET")
        reset = b"RSET\r\n" if self._used and pipelined else b""
        self._used = True
        if pipelined:
            link.write(reset + b"".join(lines) + b"DATA\r\n")  # RFC 2920 §3.1: one write
            if reset:
                await link.reply(timeouts.command)
        for number, line in enumerate(lines):
            if not pipelined:
                link.write(line)
            reply = await link.reply(timeouts.command)
            self._note(reply, number, outcomes)
            if number == 0 and reply.code >= 400 and not pipelined:
                break
        anybody = any(outcome is None for outcome in outcomes)
        if not pipelined:
            if not anybody:
                return
            link.write(b"DATA\r\n")
        reply = await link.reply(timeouts.data)
        if reply.code == 354:
            if anybody:
                await self._send_body(message.source)
            else:
                link.write(b".\r\n")  # RFC 2920 §3.1: nobody was taken, and DATA was all the same
            reply = await link.reply(timeouts.end)
        self._end_with(reply, message, outcomes)

    def _note(self, reply: Reply, number: int, outcomes: list[Outcome | None]) -> None:
        """MAIL's reply is everybody's, a RCPT's reply is that recipient's."""
        if reply.code == 421:
            self._everybody(self._spoken(reply), outcomes)
            raise Lost("the server closes the connection")
        if reply.code < 400:
            return
        if number == 0:
            self._everybody(self._spoken(reply), outcomes)
        elif outcomes[number - 1] is None:
            outcomes[number - 1] = self._spoken(reply)

    def _end_with(self, reply: Reply, message: Outgoing, outcomes: list[Outcome | None]) -> None:
        outcome = self._spoken(reply)
        if outcome.verdict is Verdict.DELIVERED and "DSN" in self._extensions:
            outcome = replace(outcome, dsn_passed=True)
        self._everybody(outcome, outcomes)

    @staticmethod
    def _everybody(outcome: Outcome, outcomes: list[Outcome | None]) -> None:
        outcomes[:] = [known or outcome for known in outcomes]

    async def _send_body(self, source: Source) -> None:
        encoder = DataEncoder()
        for at in range(0, source.size, SLICE):
            self._link.write(encoder.encode(source.read(at, at + SLICE)))
            await self._link.drain(self._timeouts.block)
        self._link.write(encoder.finish())
        await self._link.drain(self._timeouts.block)

    def _mail(self, message: Outgoing) -> bytes:
        words = [f"MAIL FROM:<{message.sender or ''}>"]
        if "SIZE" in self._extensions:
            words.append(f"SIZE={message.source.size}")
        if message.body == "8BITMIME" and "8BITMIME" in self._extensions:
            words.append("BODY=8BITMIME")
        if message.smtputf8:
            words.append("SMTPUTF8")
        if "DSN" in self._extensions:
            if message.ret:
                words.append(f"RET={message.ret}")
            if message.envid:
                words.append(f"ENVID={xtext(message.envid)}")
        return " ".join(words).encode() + b"\r\n"

    def _rcpt(self, recipient: Recipient) -> bytes:
        words = [f"RCPT TO:<{recipient.address}>"]
        if "DSN" in self._extensions:
            if recipient.notify:
                words.append("NOTIFY=" + ",".join(sorted(recipient.notify)))
            if recipient.original:
                kind, _, address = recipient.original.partition(";")
                words.append(f"ORCPT={kind};{xtext(address)}")
        return " ".join(words).encode() + b"\r\n"

    # -- outcomes ---------------------------------------------------------

    def _spoken(self, reply: Reply) -> Outcome:
        if reply.code < 300:
            verdict = Verdict.DELIVERED
        elif 400 <= reply.code < 500:
            verdict = Verdict.DEFERRED
        elif reply.code >= 500:
            verdict = Verdict.FAILED
        else:
            verdict = Verdict.DEFERRED  # a 3xx where none belongs: the server is confused, not the message
        return Outcome(
            verdict, reply.code, reply.enhanced, reply.text, self._host, self._address, self._link.tls
        )

    def _failed(self, code: int, enhanced: str, text: str) -> Outcome:
        return Outcome(
            Verdict.FAILED, code, enhanced, text, self._host, self._address, self._link.tls, spoken=False
        )


def _ours(host: str, address: str, enhanced: str, text: str, tls: str = "") -> Outcome:
    return Outcome(Verdict.DEFERRED, 0, enhanced, text, host, address, tls, spoken=False)


def client_context() -> ssl.SSLContext:
    """Opportunistic TLS: any certificate is better than no encryption (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
