"""The reply to the RETR that most likely comes next, made while the client reads the last one.

A client that fetches everything asks for each message once it has all of the
one before, and waits. What it waits for can be ready by then: looked up, read,
compared with what was filed, and stuffed.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from postroad.model.refusal import Unavailable
from postroad.pop3.maildrop import Gone, Maildrop
from postroad.pop3.surrogate import said
from postroad.pop3.wire.core import Pop3Core
from postroad.pop3.wire.multiline import Stuffer
from postroad.store.errors import StoreError
from postroad.store.messages import StoredMessage

LARGEST: Final = 32 * 1024
"""Octets of a message that is made ready: one for each session, however long its client then says nothing."""


class Upcoming:
    """One reply at most that is ready, for one session."""

    __slots__ = ("_core", "_last", "_message", "_reply", "expected")

    def __init__(self, core: Pop3Core) -> None:
        self._core = core
        self._last = 0
        self._message: StoredMessage | None = None
        self._reply: Sequence[bytes] = ()
        self.expected = 0
        """The number that is asked for next, if the client goes on; 0 where it is not going through all."""

    def reply(self, number: int, message: StoredMessage) -> Sequence[bytes]:
        """Return the whole reply to RETR of a small message, which has been opened just now.

        Raises:
            Damaged
        """
        self.expected = number + 1 if number == self._last + 1 else 0
        self._last = number
        of, self._message = self._message, None
        # The very same: a message that was changed or moved meanwhile would have been looked up anew.
        return self._reply if of is message else self._made(message)

    def prepare(self, maildrop: Maildrop) -> None:
        """Make the reply that is expected, if it is to a small message; what goes wrong is met again."""
        number, self.expected = self.expected, 0
        if not number:
            return
        with suppress(Gone, StoreError, Unavailable, OSError):
            message = maildrop.coming(number)
            if message.size <= LARGEST:
                self._reply = self._made(message)
                self._message = message

    def _made(self, message: StoredMessage) -> Sequence[bytes]:
        # It is read before anything is promised: damage is found in time to say so.
        octets = said(message, utf8=self._core.utf8)(message.whole(), 0)
        stuffer = Stuffer()
        return b"+OK %d octets\r\n" % message.size, stuffer.feed(octets), stuffer.finish()
