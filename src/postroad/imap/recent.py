"""Which messages are \\Recent in a session (RFC 3501 §2.3.2)."""

from postroad.imap.uid_set import Pairs
from postroad.imap.wire.sequence_set import MAX_NUMBER
from postroad.store.account import Account


class Recent:
    """UIDs that this session was the first to see, present or not."""

    __slots__ = ("_told", "pairs")

    def __init__(self) -> None:
        self.pairs: Pairs = ()
        self._told = 0

    def line(self, count: int) -> bytes:
        """Return RECENT."""
        self._told = count
        return b"* %d RECENT\r\n" % count

    def news(self, count: int) -> bytes:
        """Return RECENT where there are more or fewer than the client knows of (RFC 3501 §7.3.2)."""
        return b"" if count == self._told else self.line(count)

    async def claim(self, account: Account, mailbox_id: int) -> None:
        """Take what is new in the mailbox, so that it is \\Recent in no later session."""
        claimed = await account.claim_recent(mailbox_id)
        if not claimed:
            return
        first, before = claimed[0], self.pairs
        if before and before[-1][1] == first - 1:
            first, before = before[-1][0], before[:-1]
        self.pairs = (*before, (first, claimed[-1]))

    def look(self, account: Account, mailbox_id: int) -> None:
        """See what is new and take it from nobody, as EXAMINE does; also what will come."""
        if not self.pairs:
            mailbox = account.mailbox_by_id(mailbox_id)
            self.pairs = ((mailbox.recent_from if mailbox else MAX_NUMBER, MAX_NUMBER),)
