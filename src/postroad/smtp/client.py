"""Handing messages to another server: EHLO, STARTTLS, MAIL, RCPT, DATA (RFC 5321 §3)."""

from typing import Final, NoReturn

from msgspec.structs import replace

from postroad.smtp.exchange import (
    SLICE,
    Exchange,
    Lapsed,
    Outgoing,
    has_utf8_address,
    held,
    is_eight_bit,
)
from postroad.smtp.fit import unfit
from postroad.smtp.link import HandshakeFailed, Link, Lost
from postroad.smtp.manner import MX, Manner, log_in
from postroad.smtp.outcome import Outcome, Unusable, Verdict
from postroad.smtp.security import NOT_OFFERED, Security
from postroad.smtp.timeouts import Timeouts
from postroad.smtp.wire.client import DataEncoder, mail_command, parse_extensions, rcpt_command
from postroad.smtp.wire.replies import Reply

_RESET: Final = b"RSET\r\n"


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
        self.messages = 0
        """How many have been handed over, or refused, so far."""
        self.policy = ""
        """What vouches for the server; empty when nobody does."""
        self.tls_trouble = ""
        """Why there is no TLS, as a result type of RFC 8460 §4.3, where that is borne."""
        self._last_words: Outcome | None = None
        """What the server said when it closed the dialogue by itself."""

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
            raise Unusable(client._ours("4.4.2", str(error))) from error
        except BaseException:
            client.abort()
            raise
        return client

    @property
    def open_for_more(self) -> bool:
        """Whether another message may follow."""
        return self._link.open and not self._link.speaks_out_of_turn

    @property
    def source(self) -> str:
        """The address of this machine that the connection comes from; empty once it is gone."""
        return self._link.source

    def offers(self, extension: str) -> bool:
        """Whether the server's last EHLO named an extension."""
        return extension in self._extensions

    def ready(self) -> Outcome:
        """The outcome of an attempt that was only to get so far."""
        offered = " ".join(self._extensions) or "no extensions"
        return self._outcome(Verdict.DELIVERED, 250, "", f"ready for mail: {offered}", spoken=False)

    def refused(self, code: int, enhanced: str, text: str) -> Outcome:
        """The outcome where the server is not asked, because it cannot do what is needed."""
        return self._failed(code, enhanced, text)

    async def close(self) -> None:
        """End the dialogue politely."""
        await self._link.quit(self.timeouts.goodbye)

    def abort(self) -> None:
        """End it at once."""
        self._link.abort()

    async def send(self, message: Outgoing) -> list[Outcome]:
        """Hand one message over; give an outcome for each recipient, in their order.

        When the connection is lost, or the server closes the dialogue with
        421, everybody who was not yet refused is deferred. That goes for the
        time after the final dot too: the server may have taken the message
        then, but nobody can know, and twice is better than never (RFC 1047).

        Raises:
            Unusable: it was lost before anybody's fate was known, so that
                another server may be tried.
            Lapsed: the caller lost the right to send it; the connection is to be cut.
        """
        declared = message.body == "8BITMIME" and "8BITMIME" in self._extensions
        source = held(message.source)
        eight_bit = declared or await is_eight_bit(source)
        exchange = Exchange(message, source, unfit(message, self._extensions, eight_bit, self._failed))
        if not exchange.wanted:
            return exchange.outcomes()
        try:
            await self._transact(exchange, eight_bit)
        except Lost as error:
            self._link.abort()
            lost = self._last_words or self._ours("4.4.2", str(error), uncertain=exchange.dotted)
            if lost.verdict is Verdict.DEFERRED and not exchange.dotted and not exchange.answered:
                raise Unusable(lost) from error
            exchange.everybody(lost)
        return exchange.outcomes()

    # -- the beginning ----------------------------------------------------

    async def _begin(self, tls: Security | None) -> None:
        if self._manner.implicit_tls:
            assert tls is not None, "TLS from the first octet is TLS"
            await self._encrypt(tls)
            tls = None
        greeting = await self._link.reply(self.timeouts.greeting)
        if greeting.code != 220:
            raise Unusable(self._spoken(greeting))
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
        reply = await self._ask(b"STARTTLS\r\n")
        if reply.code != 220:
            self._do_without(tls, f"the server refuses TLS: {reply}")
            return
        if self._link.speaks_out_of_turn:
            raise Unusable(self._ours("4.7.0", "octets in clear behind the answer to STARTTLS"))
        await self._encrypt(tls)
        await self._hello()

    def _do_without(self, tls: Security, why: str) -> None:
        """Opportunistic security goes on in clear (RFC 7435), all other ends here."""
        self.tls_trouble = NOT_OFFERED
        if tls.required:
            text = f"{why}, and {tls.policy} demands it"
            raise Unusable(self._ours("4.7.4", text), tls_failed=NOT_OFFERED)

    async def _encrypt(self, tls: Security) -> None:
        name = tls.server_name or self.host.strip("[]")
        try:
            await self._link.start_tls(tls.context, name, self.timeouts.tls)
        except HandshakeFailed as error:
            raise Unusable(self._ours("4.7.5", str(error)), tls_failed=error.result) from error
        if tls.judge is not None and (fault := tls.judge(self._link.sent_chain())):
            text = f"the certificate is not what {tls.policy} demands: {fault}"
            raise Unusable(self._ours("4.7.5", text), tls_failed=fault)
        self.policy = tls.policy

    async def _log_in(self) -> None:
        if not self._link.tls:
            raise Unusable(self._ours("4.7.11", "a password is never sent in clear"))
        said = await log_in(self._link, self._extensions, self._manner, self.timeouts.command)
        if isinstance(said, str):
            raise Unusable(self._ours("4.7.8", f"cannot log in: {said}"))
        if said.code != 235:
            # What is wrong with our password is not the sender's fault: it waits until that is put right.
            raise Unusable(replace(self._spoken(said), verdict=Verdict.DEFERRED))
        await self._hello()

    async def _hello(self) -> None:
        verb = "LHLO" if self._manner.lmtp else "EHLO"
        reply = await self._ask(f"{verb} {self.hostname}\r\n".encode())
        self._extensions = {}
        if reply.code == 250:
            self._extensions = parse_extensions(reply)
        elif reply.code >= 500 and not self._manner.lmtp:
            reply = await self._ask(f"HELO {self.hostname}\r\n".encode())  # RFC 5321 §3.2
        if reply.code != 250:
            raise Unusable(self._spoken(reply))
        name = reply.text.split(maxsplit=1)[0].lower() if reply.text.strip() else ""
        # A name without a dot, such as localhost, is everybody's.
        if "." in name and name == self.hostname and not self._manner.named:
            text = "the mail server of the domain is this one, which does not know the domain"
            raise Unusable(self._failed(554, "5.4.6", text), ourselves=True)

    async def _ask(self, line: bytes) -> Reply:
        self._link.write(line)
        return await self._link.reply(self.timeouts.command)

    # -- one message ------------------------------------------------------

    async def _transact(self, exchange: Exchange, eight_bit: bool) -> None:
        self._last_words = None
        if self._link.speaks_out_of_turn:
            raise Lost("the server speaks out of turn")
        again = self.messages > 0
        self.messages += 1
        message = exchange.message
        mail = mail_command(
            message.sender,
            self._extensions,
            size=message.source.size,
            eight_bit=eight_bit,
            smtputf8=message.smtputf8 or has_utf8_address(message),
            ret=message.ret,
            envid=message.envid,
            priority=message.priority,
            require_tls=message.require_tls and bool(self._link.tls),
        )
        rcpts = [rcpt_command(message.recipients[n], self._extensions) for n in exchange.wanted]
        offer = self._pipelined if "PIPELINING" in self._extensions else self._one_by_one
        reply = await offer(exchange, mail, rcpts, again=again)
        if reply is not None:
            await self._data(exchange, reply)

    async def _pipelined(
        self, exchange: Exchange, mail: bytes, rcpts: list[bytes], *, again: bool
    ) -> Reply | None:
        """Everything up to DATA in one flight (RFC 2920 §3.1); gives the reply to DATA."""
        self._link.write(b"".join([_RESET if again else b"", mail, *rcpts, b"DATA\r\n"]))
        if again:
            self._take_reset(await self._link.reply(self.timeouts.command))
        self._take_mail(exchange, await self._link.reply(self.timeouts.command))
        for n in tuple(exchange.wanted):
            self._take_rcpt(exchange, n, await self._link.reply(self.timeouts.command))
        return await self._link.reply(self.timeouts.data)

    async def _one_by_one(
        self, exchange: Exchange, mail: bytes, rcpts: list[bytes], *, again: bool
    ) -> Reply | None:
        """A command, a reply; gives the reply to DATA, or None when there was nobody to send it for."""
        if again:
            self._take_reset(await self._ask(_RESET))
        self._take_mail(exchange, await self._ask(mail))
        for n, rcpt in zip(tuple(exchange.wanted), rcpts, strict=True):
            if n in exchange.open:
                self._take_rcpt(exchange, n, await self._ask(rcpt))
        if not exchange.open:
            return None
        self._link.write(b"DATA\r\n")
        return await self._link.reply(self.timeouts.data)

    @staticmethod
    def _take_reset(reply: Reply) -> None:
        """Nothing is known of a server that does not begin anew; what came behind was not meant for it."""
        if reply.code != 250:
            raise Lost("the server does not begin anew")

    def _take_mail(self, exchange: Exchange, reply: Reply) -> None:
        """MAIL's reply is everybody's."""
        self._heed(reply)
        if reply.code >= 400:
            exchange.everybody(self._spoken(reply))

    def _take_rcpt(self, exchange: Exchange, n: int, reply: Reply) -> None:
        self._heed(reply)
        if reply.code >= 400:
            exchange.settle(n, self._spoken(reply))

    async def _data(self, exchange: Exchange, reply: Reply) -> None:
        """From the reply to DATA to the reply to the final dot."""
        self._heed(reply, goes_on=354)
        if reply.code == 354:
            if exchange.open:
                await self._send_body(exchange)
            else:
                self._link.write(b".\r\n")  # RFC 2920 §3.1: nobody was taken, and DATA was all the same
            if self._manner.lmtp:
                await self._each_for_itself(exchange)
                return
            reply = await self._link.reply(self.timeouts.end)
            self._heed(reply)
        elif reply.code < 400:
            self._out_of_step(reply)  # no 354, no message: a 250 here must never pass for a delivery
        exchange.everybody(self._at_the_end(reply))

    def _at_the_end(self, reply: Reply) -> Outcome:
        outcome = self._spoken(reply)
        if outcome.verdict is Verdict.DELIVERED and "DSN" in self._extensions:
            outcome = replace(outcome, dsn_passed=True)
        return outcome

    async def _each_for_itself(self, exchange: Exchange) -> None:
        """LMTP: a reply for each recipient that was taken, in their order (RFC 2033 §4.2)."""
        for n in sorted(exchange.open):
            reply = await self._link.reply(self.timeouts.end)
            self._heed(reply)
            exchange.settle(n, self._at_the_end(reply))

    async def _send_body(self, exchange: Exchange) -> None:
        source, encoder, last = exchange.source, DataEncoder(), b""
        for at in range(0, source.size, SLICE):
            if last:
                await self._send_slice(last)
            last = encoder.encode(source.read(at, at + SLICE))
        if not exchange.message.still_ours():
            raise Lapsed
        exchange.dotted = True
        self._link.write(last + encoder.finish())

    async def _send_slice(self, octets: bytes) -> None:
        """Send a part of a message behind which more of it comes."""
        link = self._link
        link.write(octets)
        await link.drain(self.timeouts.block)
        if link.speaks_out_of_turn:
            # It has seen enough (a full disk, a shutdown). Its words count, if they are a refusal.
            self._heed(early := await link.reply(self.timeouts.command))
            self._last_words = self._spoken(early) if early.code >= 400 else None
            raise Lost("the server answered before the end of the message")

    def _heed(self, reply: Reply, goes_on: int = 0) -> None:
        """End the dialogue where the server does (421), or has lost the thread."""
        if reply.code == 421:
            self._last_words = self._spoken(reply)
            raise Lost("the server closes the connection")
        if 300 <= reply.code < 400 and reply.code != goes_on:
            self._out_of_step(reply)

    @staticmethod
    def _out_of_step(reply: Reply) -> NoReturn:
        raise Lost(f"the server is out of step: {str(reply)[:80]}")

    # -- outcomes ---------------------------------------------------------

    def _spoken(self, reply: Reply) -> Outcome:
        match reply.code // 100:
            case 2:
                verdict = Verdict.DELIVERED
            case 5:
                verdict = Verdict.FAILED
            case _:
                verdict = Verdict.DEFERRED
        return self._outcome(verdict, reply.code, reply.enhanced, reply.text)

    def _failed(self, code: int, enhanced: str, text: str) -> Outcome:
        return self._outcome(Verdict.FAILED, code, enhanced, text, spoken=False)

    def _ours(self, enhanced: str, text: str, *, uncertain: bool = False) -> Outcome:
        return self._outcome(Verdict.DEFERRED, 0, enhanced, text, spoken=False, uncertain=uncertain)

    def _outcome(
        self,
        verdict: Verdict,
        code: int,
        enhanced: str,
        text: str,
        *,
        spoken: bool = True,
        uncertain: bool = False,
    ) -> Outcome:
        link = self._link
        return Outcome(
            *(verdict, code, enhanced, text, self.host, self.address, link.tls),
            spoken=spoken,
            certificate=link.certificate,
            policy=self.policy,
            uncertain=uncertain,
        )


def _silence(host: str, address: str, enhanced: str, text: str) -> Outcome:
    return Outcome(Verdict.DEFERRED, 0, enhanced, text, host, address, spoken=False)
