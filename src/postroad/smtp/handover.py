"""One message on its way into one server: the envelope, then DATA or BDAT, then whose fate it is.

Three ways lead there:

- **in one flight**: envelope and message by BDAT at once, where the server pipelines and the
  message is small. RFC 2920 §3.1 lets a command of an extension end a group, RFC 3030 §2 has
  the server drop the chunk where nobody was taken. It saves a round trip.
- **by DATA**, behind the replies to the envelope: the way of all other messages.
- **in chunks**, behind the replies to the envelope: binary messages, for which there is no other.
"""

from typing import Final, NoReturn

from msgspec.structs import replace

from postroad.smtp.exchange import SLICE, SMALL, Exchange, Lapsed
from postroad.smtp.link import Link, Lost
from postroad.smtp.outcome import Outcome, Verdict
from postroad.smtp.timeouts import Timeouts
from postroad.smtp.wire.client import DataEncoder, Extensions, bdat, whole_lines
from postroad.smtp.wire.replies import Reply
from postroad.smtp.witness import Witness

RESET: Final = b"RSET\r\n"
CHUNK: Final = 1024 * 1024
"""Octets of one chunk: a disk that is full shows behind it, not before (RFC 3030 §2)."""
UNKNOWN_VERB: Final = frozenset((500, 502, 503))
"""Answers to a first chunk that say nothing of the message: BDAT is offered and not known."""

TOO_MANY: Final = frozenset(("", "5.5.3"))
"""Enhanced codes of a 552 that may mean the number of recipients; others name another reason."""


class ChunksRefused(Exception):
    """The server offers CHUNKING and does not know BDAT; the connection is to be cut."""


class Handover:
    """One transaction (RFC 5321 §3.3); the caller cuts the connection when it raises."""

    def __init__(
        self, link: Link, witness: Witness, extensions: Extensions, timeouts: Timeouts, *, lmtp: bool
    ) -> None:
        self._link = link
        self._witness = witness
        self._extensions = extensions
        self._timeouts = timeouts
        self._lmtp = lmtp
        self.last_words: Outcome | None = None
        """What the server said when it closed the dialogue by itself."""
        self.one_flight = False
        """The whole message is out before anything was answered."""
        self.complete = False
        """The server has taken the message, which ends the transaction (RFC 5321 §4.1.1.4)."""

    async def run(
        self,
        exchange: Exchange,
        mail: bytes,
        rcpts: list[bytes],
        *,
        again: bool,
        reset: bool,
        chunks: bool,
        binary: bool = False,
    ) -> None:
        """Hand the message over, and settle everybody's fate.

        `again`: the connection has seen a message before; `reset`: that may not have ended its transaction.
        `chunks`: BDAT may be used; `binary`: it has to be.

        Raises:
            Lost: the connection; who is left open is for the caller to settle.
            ChunksRefused: nobody has the message, and it can be had in another way.
            Lapsed: the right to send it is lost; it was not sent.
        """
        pipelining = "PIPELINING" in self._extensions
        # Not over a connection that waited: it may be gone, and nobody could say whether the message is.
        # Not in LMTP: RFC 2033 §4.3 leaves BDAT unanswered where nobody was taken, and not every server does.
        plain = binary or again or self._lmtp or exchange.message.cautious
        if chunks and pipelining and not plain and exchange.source.size <= SMALL:
            await self._in_one_flight(exchange, mail, rcpts)
            return
        data = b"" if binary else b"DATA\r\n"
        if pipelining:
            await self._pipelined(exchange, mail, rcpts, data, reset=reset)
        else:
            await self._one_by_one(exchange, mail, rcpts, data, reset=reset)
            if not exchange.open:
                return
        if not binary:
            await self._data(exchange, await self._link.reply(self._timeouts.data))
        elif exchange.open:
            await self._in_chunks(exchange)

    # -- the envelope -----------------------------------------------------

    async def _pipelined(
        self, exchange: Exchange, mail: bytes, rcpts: list[bytes], last: bytes, *, reset: bool
    ) -> None:
        """Everything up to DATA in one flight (RFC 2920 §3.1); its own reply is still to come."""
        self._link.write(b"".join([RESET if reset else b"", mail, *rcpts, last]))
        if reset:
            self._take_reset(await self._link.reply(self._timeouts.command))
        self._take_mail(exchange, await self._link.reply(self._timeouts.command))
        for n in tuple(exchange.wanted):
            self._take_rcpt(exchange, n, await self._link.reply(self._timeouts.command))

    async def _one_by_one(
        self, exchange: Exchange, mail: bytes, rcpts: list[bytes], last: bytes, *, reset: bool
    ) -> None:
        """A command, a reply; DATA goes out only where there is somebody to send it for."""
        if reset:
            self._take_reset(await self._ask(RESET))
        self._take_mail(exchange, await self._ask(mail))
        for n, rcpt in zip(tuple(exchange.wanted), rcpts, strict=True):
            if n in exchange.open:
                self._take_rcpt(exchange, n, await self._ask(rcpt))
        if exchange.open:
            self._link.write(last)

    async def _ask(self, line: bytes) -> Reply:
        self._link.write(line)
        return await self._link.reply(self._timeouts.command)

    @staticmethod
    def _take_reset(reply: Reply) -> None:
        """Nothing is known of a server that does not begin anew; what came behind was not meant for it."""
        if reply.first_digit != 2:
            raise Lost("the server does not begin anew")

    def _take_mail(self, exchange: Exchange, reply: Reply) -> None:
        """MAIL's reply is everybody's."""
        self._heed(reply)
        if reply.code >= 400:
            exchange.everybody(self._witness.spoken(reply))

    def _take_rcpt(self, exchange: Exchange, n: int, reply: Reply) -> None:
        self._heed(reply)
        if reply.code >= 400:
            outcome = self._witness.spoken(reply)
            if reply.code == 552 and reply.enhanced in TOO_MANY and min(exchange.open, default=n) < n:
                # RFC 5321 §4.5.3.1.10: RFC 821 had servers say so when they take no more recipients.
                outcome = replace(outcome, verdict=Verdict.DEFERRED)
            exchange.settle(n, outcome)

    # -- by DATA ----------------------------------------------------------

    async def _data(self, exchange: Exchange, reply: Reply) -> None:
        """From the reply to DATA to the reply to the final dot."""
        self._heed(reply, goes_on=True)
        if reply.first_digit == 3:
            if exchange.open:
                await self._send_body(exchange)
            else:
                self._link.write(b".\r\n")  # RFC 2920 §3.1: nobody was taken, and DATA was all the same
            await self._end(exchange)
            return
        if reply.code < 400:
            self._out_of_step(reply)  # not asked to go on: a 250 here must never pass for a delivery
        exchange.everybody(self._witness.spoken(reply))

    async def _send_body(self, exchange: Exchange) -> None:
        source, encoder, last = exchange.source, DataEncoder(), b""
        for at in range(0, source.size, SLICE):
            if last:
                await self._send_slice(last)
            last = encoder.encode(source.read(at, at + SLICE))
        await self._listen()
        self._commit(exchange)
        self._link.write(last + encoder.finish())

    async def _send_slice(self, octets: bytes) -> None:
        """Send a part of a message behind which more of it comes."""
        self._link.write(octets)
        await self._link.drain(self._timeouts.block)
        await self._listen()

    async def _listen(self) -> None:
        """End it where the server answers what it has not heard out: that must pass for no delivery."""
        if self._link.speaks_out_of_turn:
            # It has seen enough (a full disk, a shutdown). Its words count, if they are a refusal.
            self._heed(early := await self._link.reply(self._timeouts.command))
            self.last_words = self._witness.spoken(early) if early.code >= 400 else None
            raise Lost("the server answered before the end of the message")

    # -- by BDAT ----------------------------------------------------------

    async def _in_one_flight(self, exchange: Exchange, mail: bytes, rcpts: list[bytes]) -> None:
        body = whole_lines(exchange.source.read(0, exchange.source.size))
        self._commit(exchange)
        self.one_flight = True
        try:
            await self._pipelined(exchange, mail, rcpts, bdat(len(body), last=True) + body, reset=False)
        except Lost:
            if self.last_words is not None:
                exchange.dotted = False  # it said no more, before it came to the message
            raise
        if not exchange.open:
            exchange.dotted = False
        reply = await self._link.reply(self._timeouts.end)
        self._heed_chunk(exchange, reply, first=True)
        exchange.everybody(self._at_the_end(reply))

    async def _in_chunks(self, exchange: Exchange) -> None:
        """One chunk after the other, none before the one in front of it was answered."""
        source = exchange.source
        for start in range(0, max(source.size, 1), CHUNK):
            last = start + CHUNK >= source.size
            octets = source.read(start, min(start + CHUNK, source.size))
            await self._listen()
            if last:
                self._commit(exchange)
            self._link.write(bdat(len(octets), last=last) + octets)
            await self._link.drain(self._timeouts.block)
            if last:
                await self._end(exchange, first_chunk=start == 0)
            elif not await self._took_chunk(exchange, first=start == 0):
                return

    async def _took_chunk(self, exchange: Exchange, *, first: bool) -> bool:
        """Hear of a chunk behind which more come; a refusal is everybody's, and the end (RFC 3030 §2)."""
        reply = await self._link.reply(self._timeouts.end)
        self._heed_chunk(exchange, reply, first=first)
        if reply.code < 400:
            return True
        exchange.everybody(self._witness.spoken(reply))
        return False

    def _heed_chunk(self, exchange: Exchange, reply: Reply, *, first: bool) -> None:
        self._heed(reply)
        if first and reply.code in UNKNOWN_VERB and exchange.open:
            raise ChunksRefused(str(reply))

    # -- the end ----------------------------------------------------------

    def _commit(self, exchange: Exchange) -> None:
        """The last octets are about to go: from here on the server may have the message."""
        if not exchange.message.still_ours():
            raise Lapsed
        exchange.dotted = True

    async def _end(self, exchange: Exchange, *, first_chunk: bool = False) -> None:
        """Hear what becomes of the message; LMTP has a reply for each who was taken (RFC 2033 §4.2, §4.3)."""
        waiting = sorted(exchange.open) if self._lmtp else [None]
        for n in waiting:
            reply = await self._link.reply(self._timeouts.end)
            self._heed_chunk(exchange, reply, first=first_chunk and n == waiting[0])
            if n is None:
                exchange.everybody(self._at_the_end(reply))
            else:
                exchange.settle(n, self._at_the_end(reply))

    def _at_the_end(self, reply: Reply) -> Outcome:
        outcome = self._witness.spoken(reply)
        self.complete = outcome.verdict is Verdict.DELIVERED
        if not self.complete:
            return outcome
        return replace(
            outcome,
            dsn_passed="DSN" in self._extensions,
            by_passed="DELIVERBY" in self._extensions,
            final=self._lmtp,
        )

    def _heed(self, reply: Reply, goes_on: bool = False) -> None:
        """End the dialogue where the server does (421), or has lost the thread."""
        if reply.code == 421:
            self.last_words = self._witness.spoken(reply)
            raise Lost("the server closes the connection")
        if reply.first_digit == 3 and not goes_on:
            self._out_of_step(reply)

    @staticmethod
    def _out_of_step(reply: Reply) -> NoReturn:
        raise Lost(f"the server is out of step: {str(reply)[:80]}")
