"""What THREAD goes by: Message-IDs, whom messages answer, subjects, dates (RFC 5256 §3)."""

from collections.abc import Sequence
from typing import NamedTuple

from postroad.imap.turns import Turns
from postroad.message.header import HeaderBlock
from postroad.message.message_id import find_ancestors
from postroad.model.refusal import Unavailable
from postroad.store.account import Account
from postroad.store.errors import Damaged
from postroad.store.listing import Batch


class Relations(NamedTuple):
    """One message."""

    msgid: str
    ancestors: Sequence[str]
    """The oldest first."""
    subject: str
    sent: int | None


class Relatives:
    """Reads them from the index, and from messages that an earlier schema has filed."""

    def __init__(self, account: Account, turns: Turns) -> None:
        self._account = account
        self._turns = turns

    async def of(self, batch: Batch, *, with_ancestors: bool) -> tuple[Batch, list[Relations]]:
        """Return the messages that are still there, and each one's relations."""
        columns = ("msgid", "ancestors", "subject", "sent")
        ids, found = self._account.rendered(batch.message_ids, columns)
        rows = dict(zip(ids, zip(*found, strict=True), strict=True)) if ids else {}
        there = batch.pick([at for at, message_id in enumerate(batch.message_ids) if message_id in rows])
        learnt: dict[int, str] = {}
        if with_ancestors:
            learnt = await self._learn([i for i, row in rows.items() if row[1] is None])
        relations: list[Relations] = []
        for message_id in there.message_ids:
            msgid, known, subject, sent = rows[message_id]
            ancestors = learnt.get(message_id, "") if known is None else known
            relations.append(Relations(msgid, ancestors.split(" ") if ancestors else (), subject, sent))
        return there, relations

    async def _learn(self, unknown: Sequence[int]) -> dict[int, str]:
        """Read messages' headers, once: the index keeps what they say."""
        learnt: dict[int, str] = {}
        for message_id, message in self._account.open_all(unknown).items():
            try:
                block = HeaderBlock.parse(message.header())
            except Damaged:
                continue  # who opens it will be told
            found = find_ancestors(block.first(b"references"), block.first(b"in-reply-to"))
            learnt[message_id] = " ".join(found)
            await self._turns.next()
        if learnt:
            try:
                await self._account.keep_ancestors(learnt)
            except Unavailable:
                pass  # a full disk: it will be learnt again
        return learnt
