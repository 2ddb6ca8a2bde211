"""Messages that are asked for one after the other are looked up many at a time.

A client that fetches everything asks for each message by a command of its own,
and finding its row costs more than reading it. What was looked up is trusted
while the modseq of the mailbox stays what it was: every change of what is in
it, by whomever, makes that greater (RFC 7162 §3.1). Only what stands in this very
mailbox is kept, since nothing here would tell that a message has gone from another.
"""

from collections.abc import Sequence
from typing import Final

from postroad.store.account import Account
from postroad.store.messages import StoredMessage

RUN: Final = 50
"""Messages looked up at a time."""


class Ahead:
    """The next messages of one session."""

    __slots__ = ("_account", "_expected", "_mailbox_id", "_messages", "_modseq")

    def __init__(self, account: Account, mailbox_id: int) -> None:
        self._account = account
        self._mailbox_id = mailbox_id
        self._messages: dict[int, StoredMessage] = {}
        self._modseq = 0
        self._expected = 0

    def coming(self, uid: int) -> StoredMessage | None:
        """Give a message if it was looked up with the others; that it is still here only `open` says."""
        return self._messages.get(uid)

    def open(self, uids: Sequence[int], at: int) -> StoredMessage | None:
        """Give the message whose UID is at a place in those of the session; None if it is not here now."""
        in_turn = at == self._expected
        self._expected = at + 1
        uid = uids[at]
        if uid in self._messages and self._account.modseq(self._mailbox_id) == self._modseq:
            return self._messages[uid]
        # Out of turn (TOP of some, RETR of one) the next ones may never be wanted.
        last = uids[min(at + RUN, len(uids)) - 1] if in_turn else uid
        self._modseq, self._messages = self._account.open_run(self._mailbox_id, uid, last)
        return self._messages.get(uid)
