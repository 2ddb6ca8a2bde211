"""One mail transaction: an envelope that grows, and the octets behind it (RFC 5321 §3.3)."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from postroad.message.unbinary import without_binary
from postroad.model.address import Address
from postroad.model.envelope import DeliverBy, Envelope, Peer, Recipient, Release, Wish
from postroad.model.octets import Octets
from postroad.model.refusal import Refused, Unavailable
from postroad.smtp.server.errors import NO_ROOM, SERVER_BUG
from postroad.smtp.server.services import Spool, Spools
from postroad.smtp.wire.data import Inspector
from postroad.smtp.wire.deliver_by import By
from postroad.smtp.wire.events import Mail, Rcpt
from postroad.smtp.wire.holding import Hold
from postroad.smtp.wire.replies import Reply

_SENDER_OK: Final = Reply(250, "2.1.0", "sender ok")
_EIGHT_BIT: Final = "8BITMIME"


class Transaction:
    """From an accepted MAIL FROM to the end of the message, or to RSET."""

    def __init__(self, peer: Peer, mail: Mail, data_line: int, now: float, highest: int = 9) -> None:
        """`data_line` is the longest line that a message may have (Limits), `now` is when MAIL came,
        `highest` the highest priority that is given.

        Raises:
            Refused: the time until which the message is to be held has passed, or it would have to be
                back before.
        """
        self.peer = peer
        self._mail = mail
        self._highest = highest
        self._release = None if mail.hold is None else _release(mail.hold, now)
        self._deliver_by = None if mail.by is None else _deliver_by(mail.by, now)
        _check_times(self._release, self._deliver_by)
        self._recipients: dict[str, Recipient] = {}
        self.asked: list[str] = []
        """The key of each RCPT that was taken, also of one that was named twice."""
        self._spool: Spool | None = None
        self._binary: Spool | None = None
        self._ascii = True
        self._data_line = data_line
        self.failed: Reply | None = None
        """Why the message cannot be taken, though all of it has to be read."""

    @property
    def priority(self) -> int | None:
        """What was asked for, as far as it was granted."""
        asked = self._mail.priority
        return None if asked is None else min(asked, self._highest)

    def welcome(self) -> Reply:
        """What MAIL is answered; who gets another priority than was asked for is told so (RFC 6710 §4.1)."""
        if self._mail.priority is None or self.priority == self._mail.priority:
            return _SENDER_OK
        return Reply(250, "2.3.6", f"{self.priority} is the new priority, as high as is given here")

    @property
    def reverse_path(self) -> Address | None:
        """Who it is from; None is the null path."""
        return self._mail.sender

    def note(self, facts: Iterable[str]) -> None:
        """Keep sentences for the trail of the message."""
        self.peer = replace(self.peer, facts=(*self.peer.facts, *facts))

    @property
    def sender(self) -> str:
        """The reverse-path as text; empty for the null path."""
        return str(self._mail.sender or "")

    @property
    def recipients(self) -> list[str]:
        """The recipients that were taken, as text."""
        return [str(recipient.address) for recipient in self._recipients.values()]

    def add(self, rcpt: Rcpt) -> None:
        """Take a recipient; one that is named twice gets the message once."""
        recipient = Recipient(rcpt.address, rcpt.notify, rcpt.original)
        self._recipients.setdefault(rcpt.address.key, recipient)
        self.asked.append(rcpt.address.key)

    def envelope(self) -> Envelope:
        """The envelope so far. The body is what came: some (qmail 1.03) send 8 bits without saying so."""
        mail = self._mail
        return Envelope(
            mail.sender,
            tuple(self._recipients.values()),
            body=_EIGHT_BIT if mail.body == _EIGHT_BIT or not self._ascii else "7BIT",
            smtputf8=mail.smtputf8,
            ret=mail.ret,
            envid=mail.envid,
            tls=Wish.REQUIRED if mail.requiretls else Wish.NONE,
            release=self._release,
            priority=self.priority,
            deliver_by=self._deliver_by,
        )

    def write(self, octets: bytes, store: Spools) -> None:
        """Keep octets of the message. What goes wrong is said at the end of it, not here."""
        if self.failed is not None:
            return
        self._ascii = self._ascii and octets.isascii()
        try:
            self._open(store).write(octets)
        except Unavailable:
            self.failed = NO_ROOM
            self.close()
        except BaseException:
            self.failed = SERVER_BUG
            self.close()
            raise

    @property
    def is_binary(self) -> bool:
        """Whether it may not be made of lines (RFC 3030 §3)."""
        return self._mail.body == "BINARYMIME"

    def whole(self, store: Spools) -> Octets:
        """The whole message as it came; valid until `close`.

        Raises:
            Unavailable: the disk is full.
        """
        return self._open(store).finish()

    async def unbinary(self, whole: Octets, store: Spools) -> Octets:
        """Make a message of lines of one that is binary; valid until `close`.

        Raises:
            Refused: it cannot be made of lines.
            Unavailable: the disk is full.
        """
        spool, self._ascii = await asyncio.to_thread(_lines_of, whole, store.spool(), self._data_line)
        self._binary, self._spool = self._spool, spool
        return spool.finish()

    def close(self) -> None:
        """Let go of the octets."""
        for spool in (self._spool, self._binary):
            if spool is not None:
                spool.close()
        self._spool = self._binary = None

    def _open(self, store: Spools) -> Spool:
        if self._spool is None:
            self._spool = store.spool()
        return self._spool


def _release(hold: Hold, now: float) -> Release:
    """When the message may go (RFC 4865 §4)."""
    if hold.until and hold.until <= now:
        raise Refused(501, "5.5.4", "that time has passed")
    return Release(hold.until or now + hold.seconds, hold.asked)


def _deliver_by(by: By, now: float) -> DeliverBy:
    return DeliverBy(now + by.seconds, by.returns, by.trace)


def _check_times(release: Release | None, by: DeliverBy | None) -> None:
    """Both count from MAIL (RFC 2852 §4, RFC 4865 §4): what has to be back before it may go never goes."""
    if release is not None and by is not None and by.returns and by.at <= release.at:
        raise Refused(501, "5.5.4", "it would have to be back before it may go")


def _lines_of(whole: Octets, spool: Spool, longest: int) -> tuple[Spool, bool]:
    """Write a binary message anew and look at it as at any that came by DATA; also: is it ASCII.

    Once this has begun the spool is its own to close, and nobody else's.
    """
    inspector, only_ascii = Inspector(sys.maxsize, longest), True
    try:
        for piece in without_binary(whole):
            only_ascii = only_ascii and piece.isascii()
            inspector.look(piece)
            spool.write(piece)
        if inspector.verdict() is not None:
            raise Refused(554, "5.6.3", "the message has binary octets where no part is labelled binary")
    except BaseException:
        spool.close()
        raise
    return spool, only_ascii
