"""How much a peer may get wrong before it is shown the door."""

from collections.abc import Iterator

from msgspec import Struct

from postroad.config.values import about_duration
from postroad.model.clock import Clock
from postroad.policy.limits import Limits
from postroad.smtp.server import errors
from postroad.smtp.wire.replies import Reply


class Enough(Struct, frozen=True):
    """The last word to a peer, and why, for the log."""

    reply: Reply
    reason: str


def message_deadline(began: float, octets: int, limits: Limits) -> float:
    """When a message has to be whole, or sooner if its octets drip: each of them buys a little time."""
    return began + min(limits.data_timeout, limits.command_timeout + octets / limits.data_rate)


class Patience:
    """Counts for one session; each verb says whether it was enough."""

    def __init__(self, limits: Limits, clock: Clock, *, endless: bool) -> None:
        """`endless` is for a server of ours: what it hands over comes from many, and it is not to blame."""
        self._limits = limits
        self._clock = clock
        self._endless = endless
        self.errors = 0
        self._waited = 0.0  # seconds that they have cost
        self._unknown = 0
        self._in_vain = 0  # refusals since a message was accepted

    async def error(self, reply: Reply) -> Enough | None:
        """Errors beyond the soft limit cost time, the hard limit ends it."""
        self.errors += 1
        if self._endless:
            return None
        if self.errors >= self._limits.errors_hard:
            return Enough(errors.TOO_MANY_ERRORS, f"errors, the last was {reply}")
        if self.errors > self._limits.errors_soft:
            self._waited += self._limits.error_delay
            await self._clock.sleep(self._limits.error_delay)
        return None

    def recipient_refused(self, reply: Reply) -> Enough | None:
        """Who asks for many that are nobody is looking for names."""
        self._unknown += reply.code >= 500
        if self._endless:
            return None
        if self._unknown < self._limits.unknown_recipients:
            return self.refused()
        return Enough(errors.TOO_MANY_UNKNOWN, "unknown recipients")

    def refused(self) -> Enough | None:
        """A full mailbox is nobody's fault, but asking for it again and again would cost without end."""
        self._in_vain += 1
        if self._in_vain <= self._limits.recipients:
            return None
        return Enough(errors.TOO_MANY_REFUSALS, "refusals")

    def accepted(self) -> None:
        """A message was taken."""
        self._in_vain = 0

    def said(self) -> Iterator[str]:
        """What its errors have cost it, in a sentence for the trail."""
        if self._waited:
            yield f"it waited {about_duration(self._waited)} for its {self.errors} errors"
