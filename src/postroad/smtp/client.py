"""Handing messages to another server: EHLO, STARTTLS, MAIL, RCPT, DATA (RFC 5321 §3)."""

from typing import Final

from msgspec.structs import replace

from postroad.smtp.exchange import (
    Exchange,
    Outgoing,
    has_utf8_address,
)
from postroad.smtp.fit import fit
from postroad.smtp.handover import ChunksRefused, Handover
from postroad.smtp.link import HandshakeFailed, Link, Lost
from postroad.smtp.manner import MX, Manner, log_in
from postroad.smtp.outcome import Outcome, Unusable, Verdict
from postroad.smtp.security import GENERAL, NOT_OFFERED, Security
from postroad.smtp.timeouts import Timeouts
from postroad.smtp.wire.client import mail_command, parse_extensions, rcpt_command
from postroad.smtp.wire.deliver_by import argument, least_of
from postroad.smtp.wire.limits import Announced, read_limits
from postroad.smtp.wire.replies import Reply
from postroad.smtp.witness import Witness

NOT_KNOWN: Final = frozenset((500, 501, 502, 503, 504))
"""Codes that are about the command, not about who says it."""


class SmtpClient:
    """A dialogue with one server at one address; several messages may follow one another."""

    def __init__(
        self, link: Link, host: str, address: str, hostname: str, timeouts: Timeouts, manner: Manner = MX
    ) -> None:
        self._manner = manner
        self.host = host
        self.address = address
        self._link = link
        self.hostname = hostname
        self.timeouts = timeouts
        self._extensions: dict[str, str] = {}
        self._limits = Announced()
        self._complete = True
        """Nothing of the last message is left: its transaction has ended as it should."""
        self.messages = 0
        """How many have been handed over, or refused, so far; one that goes in parts is several."""
        self.bad_at_chunks = False
        """BDAT is offered and not known, or the connection broke with a message out by it, without a word."""
        self.tls_trouble = ""
        """Why there is no TLS, as a result type of RFC 8460 §4.3, where that is borne."""
        self._witness = Witness(link, host, address)

    @classmethod
    async def open(
        cls,
        host: str,
        address: str,
        port: int,
        *,
        hostname: str,
        tls: Security | None,
        timeouts: Timeouts,
        source: str | None = None,
        manner: Manner = MX,
    ) -> "SmtpClient":
        """Connect, greet and, where it is offered or demanded, encrypt. `tls` None leaves STARTTLS alone.

        `source` is the address of this machine to come from.

        Raises:
            Unusable: with the outcome for everybody who was to be reached there.
        """
        try:
            link = await Link.connect(address, port, timeouts.connect, source)
        except Lost as error:
            raise Unusable(_silence(host, address, "4.4.1", str(error))) from error
        client = cls(link, host, address, hostname, timeouts, manner)
        try:
            await client._begin(tls)
        except Lost as error:
            client.abort()
            raise Unusable(client._witness.ours("4.4.2", str(error))) from error
        except BaseException:
            client.abort()
            raise
        return client

    @property
    def open_for_more(self) -> bool:
        """Whether another message may follow."""
        most = self._limits.messages
        return (
            self._link.open and not self._link.speaks_out_of_turn and (most is None or self.messages < most)
        )

    @property
    def source(self) -> str:
        """The address of this machine that the connection comes from; empty once it is gone."""
        return self._link.source

    def offers(self, extension: str) -> bool:
        """Whether the server's last EHLO named an extension."""
        return extension in self._extensions

    def too_slow(self, message: Outgoing) -> str:
        """Why the message must not be handed over here, in words: nobody would see to it that it
        comes back in time (RFC 2852 §4.1.4). Empty: it may.
        """
        by = message.deliver_by
        if by is None or not by.returns or self._manner.lmtp:
            return ""
        if "DELIVERBY" not in self._extensions:
            return "the server does not know of times by which messages are to be delivered (DELIVERBY)"
        left, least = int(by.at - message.now()), least_of(self._extensions["DELIVERBY"])
        return f"the server needs {least} seconds to deliver, and {left} are left" if left < least else ""

    def ready(self) -> Outcome:
        """The outcome of an attempt that was only to get so far."""
        offered = " ".join(self._extensions) or "no extensions"
        return self._witness.ready(f"ready for mail: {offered}")

    def refused(self, code: int, enhanced: str, text: str) -> Outcome:
        """The outcome where the server is not asked, because it cannot do what is needed."""
        return self._witness.failed(code, enhanced, text)

    async def close(self) -> None:
        """End the dialogue politely."""
        await self._link.quit(self.timeouts.goodbye)

    def abort(self) -> None:
        """End it at once."""
        self._link.abort()

    async def send(self, message: Outgoing, *, chunks: bool = True) -> list[Outcome]:
        """Hand one message over; give an outcome for each recipient, in their order.

        When the connection is lost, or the server closes the dialogue with
        421, everybody who was not yet refused is deferred. That goes for the
        time after the final dot too: the server may have taken the message
        then, but nobody can know, and twice is better than never (RFC 1047).

        `chunks` False keeps from BDAT where it is offered: the server is known to be bad at it.

        Raises:
            Unusable: it was lost before anybody's fate was known, so that
                another server may be tried.
            ChunksRefused: nobody has it, and it can be sent without chunks over a new connection.
            Unavailable: there is no room to convert it for the server.
            Lapsed: the caller lost the right to send it; the connection is to be cut.
        """
        most = self._limits.recipients
        if most is None or len(message.recipients) <= most:
            return await self._transact(message, chunks=chunks)
        first, *others = (
            replace(message, recipients=message.recipients[start : start + most])
            for start in range(0, len(message.recipients), most)
        )
        outcomes = await self._transact(first, chunks=chunks)
        for part in others:
            outcomes += await self._transact_too(part, chunks=chunks)
        return outcomes

    async def _transact_too(self, part: Outgoing, *, chunks: bool) -> list[Outcome]:
        """The same for more recipients of a message that was sent: what goes wrong now is theirs alone."""
        outcome = self._witness.ours("4.5.3", "the server takes no more recipients over this connection")
        if self.open_for_more:
            try:
                return await self._transact(part, chunks=chunks)
            except Unusable as error:
                outcome = error.outcome
            except ChunksRefused:
                self._link.abort()
        return [outcome] * len(part.recipients)

    async def _transact(self, message: Outgoing, *, chunks: bool) -> list[Outcome]:
        chunks = chunks and "CHUNKING" in self._extensions
        form, refused = await fit(message, self._extensions, self.refused, chunks=chunks)
        exchange = Exchange(message, form.source, refused)
        if not exchange.wanted:
            return exchange.outcomes()
        handover = Handover(
            self._link, self._witness, self._extensions, self.timeouts, lmtp=self._manner.lmtp
        )
        try:
            await self._hand_over(handover, exchange, form.body, chunks)
        except Lost as error:
            self._link.abort()
            self.bad_at_chunks = handover.one_flight and handover.last_words is None
            lost = handover.last_words or self._witness.ours("4.4.2", str(error), uncertain=exchange.dotted)
            if lost.verdict is Verdict.DEFERRED and not exchange.dotted and not exchange.answered:
                raise Unusable(lost) from error
            exchange.everybody(lost)
        except ChunksRefused:
            self.bad_at_chunks = True
            raise
        outcomes = exchange.outcomes()
        return [replace(one, change=form.change) for one in outcomes] if form.change else outcomes

    async def _hand_over(self, handover: Handover, exchange: Exchange, body: str, chunks: bool) -> None:
        if self._link.speaks_out_of_turn:
            raise Lost("the server speaks out of turn")
        again, reset, self._complete = self.messages > 0, not self._complete, False
        self.messages += 1
        message = exchange.message
        mail = mail_command(
            message.sender,
            self._extensions,
            size=exchange.source.size,
            body=body,
            smtputf8=message.smtputf8 or has_utf8_address(message),
            ret=message.ret,
            envid=message.envid,
            priority=message.priority,
            require_tls=message.require_tls and bool(self._link.tls),
            by=self._by(message),
        )
        rcpts = [rcpt_command(message.recipients[n], self._extensions) for n in exchange.wanted]
        binary = body == "BINARYMIME"
        await handover.run(exchange, mail, rcpts, again=again, reset=reset, chunks=chunks, binary=binary)
        self._complete = handover.complete

    def _by(self, message: Outgoing) -> str:
        by = message.deliver_by
        if by is None or "DELIVERBY" not in self._extensions:
            return ""
        return argument(by.at - message.now(), returns=by.returns, trace=by.trace)

    # -- the beginning ----------------------------------------------------

    async def _begin(self, tls: Security | None) -> None:
        if self._manner.implicit_tls:
            assert tls is not None, "TLS from the first octet is TLS"
            await self._encrypt(tls)
            tls = None
        greeting = await self._link.reply(self.timeouts.greeting)
        if greeting.first_digit != 2:
            raise Unusable(self._witness.spoken(greeting))
        await self._hello()
        if tls is not None:
            await self._upgrade(tls)
        if self._manner.login:
            await self._log_in()

    async def _upgrade(self, tls: Security) -> None:
        """STARTTLS, where it is offered or demanded."""
        if "STARTTLS" not in self._extensions:
            self._do_without(tls, "the server does not offer TLS")
            return
        try:
            reply = await self._ask(b"STARTTLS\r\n")
        except Lost as error:
            # It got so far, and would in clear: that it breaks here says something of its TLS alone.
            text = f"TLS cannot be begun: {error}"
            raise Unusable(self._witness.ours("4.7.5", text), tls_failed=GENERAL) from error
        if reply.first_digit != 2:
            self._do_without(tls, f"the server refuses TLS: {reply}")
            return
        if self._link.speaks_out_of_turn:
            raise Unusable(self._witness.ours("4.7.0", "octets in clear behind the answer to STARTTLS"))
        await self._encrypt(tls)
        await self._hello()

    def _do_without(self, tls: Security, why: str) -> None:
        """Opportunistic security goes on in clear (RFC 7435), all other ends here."""
        self.tls_trouble = NOT_OFFERED
        if tls.required:
            text = f"{why}, and {tls.policy} demands it"
            raise Unusable(self._witness.ours("4.7.4", text), tls_failed=NOT_OFFERED)

    async def _encrypt(self, tls: Security) -> None:
        name = tls.server_name or self.host.strip("[]")
        try:
            await self._link.start_tls(tls.context, name, self.timeouts.tls)
        except HandshakeFailed as error:
            raise Unusable(self._witness.ours("4.7.5", str(error)), tls_failed=error.result) from error
        if tls.judge is not None and (fault := tls.judge(self._link.sent_chain())):
            text = f"the certificate is not what {tls.policy} demands: {fault}"
            raise Unusable(self._witness.ours("4.7.5", text), tls_failed=fault)
        self._witness.policy = tls.policy

    async def _log_in(self) -> None:
        if not self._link.tls:
            raise Unusable(self._witness.ours("4.7.11", "a password is never sent in clear"))
        said = await log_in(self._link, self._extensions, self._manner, self.timeouts.command)
        if isinstance(said, str):
            raise Unusable(self._witness.ours("4.7.8", f"cannot log in: {said}"))
        if said.first_digit != 2:
            # What is wrong with our password is not the sender's fault: it waits until that is put right.
            raise Unusable(replace(self._witness.spoken(said), verdict=Verdict.DEFERRED))
        await self._hello()

    async def _hello(self) -> None:
        verb = "LHLO" if self._manner.lmtp else "EHLO"
        reply = await self._ask(f"{verb} {self.hostname}\r\n".encode())
        self._extensions = {}
        if reply.first_digit == 2:
            self._extensions = parse_extensions(reply)
        elif reply.code >= 500 and not self._manner.lmtp:
            reply = await self._fall_back(reply)
        self._limits = read_limits(self._extensions.get("LIMITS", ""))
        if reply.first_digit != 2:
            outcome = self._witness.spoken(reply)
            if self._manner.lmtp and reply.code in NOT_KNOWN:
                # The route says LMTP and leads to another kind of server: mail waits until that is put right.
                outcome = replace(outcome, verdict=Verdict.DEFERRED)
            raise Unusable(outcome)
        name = reply.text.split(maxsplit=1)[0].lower() if reply.text.strip() else ""
        # A name without a dot, such as localhost, is everybody's.
        if "." in name and name == self.hostname and not self._manner.named:
            text = "the mail server of the domain is this one, which does not know the domain"
            raise Unusable(self._witness.failed(554, "5.4.6", text), ourselves=True)

    async def _fall_back(self, refusal: Reply) -> Reply:
        """Greet by HELO (RFC 5321 §3.2); who hangs up behind a refusal has said what there is to say."""
        try:
            return await self._ask(f"HELO {self.hostname}\r\n".encode())
        except Lost as error:
            if refusal.code in NOT_KNOWN:
                raise
            raise Unusable(self._witness.spoken(refusal)) from error

    async def _ask(self, line: bytes) -> Reply:
        self._link.write(line)
        return await self._link.reply(self.timeouts.command)


def _silence(host: str, address: str, enhanced: str, text: str) -> Outcome:
    return Outcome(Verdict.DEFERRED, 0, enhanced, text, host, address, spoken=False)
