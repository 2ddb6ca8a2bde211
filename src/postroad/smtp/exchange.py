"""One message on its way to another server: what is to be sent, and whose fate is known."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from postroad.model.address import Address
from postroad.model.envelope import DeliverBy, Recipient
from postroad.smtp.outcome import Outcome

SLICE: Final = 256 * 1024
"""Octets that are read and written at a time: a large message is never in memory whole."""
SMALL: Final = 32 * 1024
"""Octets up to which a message is read once and kept until it is sent."""


class Source(Protocol):
    """The octets of a message, read in slices (`store.messages.StoredMessage`)."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, end: int) -> bytes: ...


class Converter(Protocol):
    """Makes other forms of a message, for servers that cannot take it as it is (`delivery.downgrade`)."""

    @property
    def change(self) -> str:
        """What the last form differs in, in words."""
        ...

    async def lines(self) -> Source:
        """The message without binary parts. Raises Inconvertible, or Unavailable for want of room."""
        ...

    async def seven_bit(self) -> Source:
        """The message in ASCII. Raises as `lines` does."""
        ...

    async def ascii_header(self, *, eight_bit: bool) -> Source:
        """The message with its header in ASCII, and its body too unless that may be `eight_bit`.

        Raises as `lines` does.
        """
        ...


class Held:
    """A small message, in memory."""

    __slots__ = ("_octets", "size")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.size = len(octets)

    def read(self, start: int, end: int) -> bytes:
        """A slice of it."""
        return self._octets[start:end]


def held(source: Source) -> Source:
    """Read a message that is small; it is looked at more than once."""
    return Held(source.read(0, source.size)) if source.size <= SMALL else source


class Outgoing(Struct, frozen=True):
    """One message for some recipients at one host."""

    sender: Address | None
    recipients: Sequence[Recipient]
    source: Source
    ret: str = ""
    envid: str = ""
    body: str = "7BIT"
    """What it was declared as: 7BIT, 8BITMIME or BINARYMIME."""
    smtputf8: bool = False
    """The header needs it; addresses are looked at one by one."""
    priority: int = 0
    """For servers that know of such (RFC 6710)."""
    deliver_by: DeliverBy | None = None
    """When it is to be delivered (RFC 2852)."""
    now: Callable[[], float] = time.time
    """Seconds since 1970, for what is left until then."""
    require_tls: bool = False
    """REQUIRETLS, for the server to pass on (RFC 8689)."""
    converter: Converter | None = None
    """None: where the server cannot take it as it is, it is refused."""
    cautious: bool = False
    """It has been tried before: now it goes on the way on which most is known of its fate."""
    still_ours: Callable[[], bool] = lambda: True
    """Asked before the final dot: whether to send this message is still for us to decide."""


class Lapsed(Exception):
    """The message is not ours to send any more; without its final dot it was not sent."""


class Exchange:
    """One message on its way, and what is known of each recipient's fate."""

    __slots__ = ("_outcomes", "answered", "dotted", "message", "open", "source", "wanted")

    def __init__(self, message: Outgoing, source: Source, unfit: list[Outcome | None]) -> None:
        """`source` has the octets of the message, perhaps `held`."""
        self.message = message
        self.source = source
        self._outcomes = unfit
        self.wanted = [n for n, outcome in enumerate(unfit) if outcome is None]
        """Recipients that the server is asked to take, by their number."""
        self.open = set(self.wanted)
        """Those of them whose fate is not decided."""
        self.answered = False
        """The server has decided about somebody."""
        self.dotted = False
        """The final dot is on its way: from here on the server may have the message."""

    def settle(self, n: int, outcome: Outcome) -> None:
        """Decide about one recipient; the first word stands."""
        if n in self.open:
            self.open.remove(n)
            self._outcomes[n] = outcome
            self.answered = True

    def everybody(self, outcome: Outcome) -> None:
        """Decide about all who are left."""
        for n in tuple(self.open):
            self.settle(n, outcome)

    def outcomes(self) -> list[Outcome]:
        """One for each recipient; all are decided by now."""
        return [outcome for outcome in self._outcomes if outcome is not None]


def has_utf8_address(message: Outgoing) -> bool:
    """Whether an address of the envelope needs SMTPUTF8 (RFC 6531)."""
    sender = message.sender
    return (sender is not None and sender.utf8) or any(r.address.utf8 for r in message.recipients)


async def is_eight_bit(source: Source) -> bool:
    """Whether a message has octets that need 8BITMIME (RFC 6152)."""
    for at in range(0, source.size, SLICE):
        if not source.read(at, at + SLICE).isascii():
            return True
        if at:
            await asyncio.sleep(0)  # others have their turn between the slices of a large message
    return False
