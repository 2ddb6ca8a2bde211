"""A mailbox as one POP3 session sees it: numbered once, unchanged to the end (RFC 1939 §5).

Messages that come later have no number, and messages that another client
expunges keep theirs. Deletions are kept here and take effect together, in one
transaction, when the session ends with QUIT.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from postroad.db.lock import WriteLock
from postroad.pop3.ahead import Ahead
from postroad.store.account import Account
from postroad.store.errors import NoSuchMailbox, NoSuchMessage
from postroad.store.messages import StoredMessage
from postroad.store.runs import runs_of

INBOX: Final = "INBOX"
_STEP: Final = 1000


class InUse(Exception):
    """Another POP3 session has the mailbox (RFC 1939 §4, RFC 2449 §8.1.2)."""


class Gone(Exception):
    """There is no message of that number, or it is marked as deleted."""


class Maildrop:
    """The messages of a session, their numbers counted from 1, and an exclusive lock.

    The lock is a file lock: it holds between workers, and the kernel gives it
    back however its owner ends.
    """

    __slots__ = (
        "_account",
        "_ahead",
        "_deleted",
        "_ids",
        "_lock",
        "_mailbox_id",
        "_sizes",
        "_uids",
        "octets",
        "uidvalidity",
    )

    def __init__(self, account: Account, locks: Path) -> None:
        """Take the lock; `locks` is the directory of the server's lock files.

        Raises:
            InUse, NoSuchMailbox
        """
        mailbox = account.mailbox(INBOX)
        if mailbox is None:
            raise NoSuchMailbox(INBOX)
        self._lock = WriteLock(locks / f"pop3-{account.id}.lock")
        if not self._lock.try_acquire():
            self._lock.close()
            raise InUse
        self._account = account
        self._mailbox_id = mailbox.id
        self._ahead = Ahead(account, mailbox.id)
        self.uidvalidity = mailbox.uidvalidity
        self._uids = array("I")
        self._sizes = array("Q")
        self._ids = array("Q")
        self._deleted: set[int] = set()
        self.octets = 0
        """Of all messages that are not marked as deleted."""

    async def fill(self) -> None:
        """Number what is in the mailbox now."""
        listing = await self._account.listing(self._mailbox_id)
        self._uids = listing.uids
        self._sizes = listing.sizes()
        self._ids = listing.message_ids()
        self.octets = sum(self._sizes)

    def close(self) -> None:
        """Give the lock back; marks that were not put into effect are forgotten."""
        self._lock.close()

    # -- questions ---------------------------------------------------------

    @property
    def messages(self) -> int:
        """How many messages are not marked as deleted."""
        return len(self._uids) - len(self._deleted)

    @property
    def marked(self) -> int:
        """How many are."""
        return len(self._deleted)

    def size(self, number: int) -> int:
        """Octets of a message.

        Raises:
            Gone
        """
        return self._sizes[self._index(number)]

    def unique_id(self, number: int) -> bytes:
        """The name that a message keeps for ever (RFC 1939 §7, UIDL).

        Raises:
            Gone
        """
        return b"%d.%d" % (self.uidvalidity, self._uids[self._index(number)])

    def open(self, number: int) -> StoredMessage:
        """The message itself.

        Raises:
            Gone, NoSuchMessage: another client has expunged it meanwhile.
        """
        at = self._index(number)
        message = self._ahead.open(self._uids, at)
        if message is not None:
            return message
        # Another client may have moved it: it is read for as long as it is anywhere.
        message_id = self._ids[at]
        if not self._account.has(message_id):
            raise NoSuchMessage(str(message_id))
        return self._account.open(message_id)

    def coming(self, number: int) -> StoredMessage:
        """The message that `open` gives soon, unless it changes meanwhile.

        Raises:
            Gone, NoSuchMessage: as `open`.
        """
        return self._ahead.coming(self._uids[self._index(number)]) or self.open(number)

    def scan_listing(self) -> Iterator[bytes]:
        """The lines of LIST, many at a time."""
        for numbers in self._present():
            yield b"".join([b"%d %d\r\n" % (number, self._sizes[number - 1]) for number in numbers])

    def unique_id_listing(self) -> Iterator[bytes]:
        """The lines of UIDL, many at a time."""
        for numbers in self._present():
            yield b"".join(
                [b"%d %d.%d\r\n" % (number, self.uidvalidity, self._uids[number - 1]) for number in numbers]
            )

    # -- marks --------------------------------------------------------------

    def delete(self, number: int) -> None:
        """Mark a message as deleted.

        Raises:
            Gone
        """
        self.octets -= self._sizes[self._index(number)]
        self._deleted.add(number)

    def reset(self) -> None:
        """Take all marks back."""
        self._deleted.clear()
        self.octets = sum(self._sizes)

    async def update(self) -> None:
        """Put the marks into effect, all in one transaction (RFC 1939 §6)."""
        if self._deleted:
            uids = sorted(self._uids[number - 1] for number in self._deleted)
            await self._account.expunge(self._mailbox_id, runs_of(uids), only_deleted=False)

    # -- inside ---------------------------------------------------------------

    def _index(self, number: int) -> int:
        if not 1 <= number <= len(self._uids) or number in self._deleted:
            raise Gone
        return number - 1

    def _present(self) -> Iterator[list[int]]:
        deleted = self._deleted
        for first in range(1, len(self._uids) + 1, _STEP):
            numbers = range(first, min(first + _STEP, len(self._uids) + 1))
            yield [number for number in numbers if number not in deleted]
