"""FETCH and UID FETCH (RFC 3501 §6.4.5, §7.4.2)."""

from collections.abc import Sequence
from typing import Final

from postroad.imap.answer import Answer, ok
from postroad.imap.batches import batches
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import EXPUNGED
from postroad.imap.rows import RowFormat
from postroad.imap.sections import Cuts, Writer
from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.uid_set import is_in, pairs_of
from postroad.imap.wire.commands import Fetch
from postroad.imap.wire.fetch_items import FetchAttribute, FetchSection
from postroad.model.flags import Flag
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.store.account import Account
from postroad.store.errors import Damaged, NoSuchMessage
from postroad.store.types import Entry

_STEP: Final = 1000
_SEEN_STEP: Final = 100
"""Messages marked as \\Seen before they are sent: few, for the client may leave in between."""


async def fetch(dialogue: Dialogue, command: Fetch) -> Answer:
    """Send items of messages; messages that are gone are passed over and named at the end (RFC 5530)."""
    selected = dialogue.selected
    pairs = selected.uid_pairs(command.messages, uid=command.uid)
    fetching = _Fetching(dialogue, command)
    sent = 0
    for rows in batches(dialogue.account, selected.id, pairs, fetching.step):
        sent += await fetching.send(*selected.numbered(rows))
        await fetching.turns.give_way()
    await fetching.writer.flush()
    if fetching.damaged:
        return Answer(b"NO", b"CORRUPTION", b"a message is damaged; the operator has been told")
    # Unknown UIDs are no error (§6.4.8), message numbers have been told and are missed.
    if not command.uid and sent < selected.count(pairs):
        return EXPUNGED
    return ok(b"done")


class _Fetching:
    """One FETCH under way."""

    def __init__(self, dialogue: Dialogue, command: Fetch) -> None:
        self.writer = Writer(dialogue.conn, dialogue.services.limits.unread_timeout)
        self.turns = Turns(dialogue.conn, dialogue.services.clock)
        self.damaged = False
        self._dialogue = dialogue
        self._account: Account = dialogue.account
        self._selected: Selected = dialogue.selected
        attributes = [item for item in command.items if isinstance(item, FetchAttribute)]
        self._sections = [item for item in command.items if isinstance(item, FetchSection)]
        self._attributes = attributes
        self._marks = not self._selected.read_only and not all(s.peek for s in self._sections)
        self._tells_flags = FetchAttribute.FLAGS in attributes
        self._format = RowFormat(self._account, self._selected, attributes)
        self.step = _SEEN_STEP if self._marks else _STEP

    async def send(self, numbers: Sequence[int], rows: list[Entry]) -> int:
        """Send a batch; give how many of its messages were still there."""
        marked: set[int] = set()
        if self._marks:
            rows, marked = await self._mark_seen(rows)
        if self._tells_flags:
            self._selected.tell(rows)
            await self.writer.write(self._selected.new_keywords(rows))
        if not self._sections:
            rows, lines = self._format.lines(numbers, rows, b")\r\n")
            await self.writer.write(b"".join(lines))
            return len(rows)
        rows, heads = self._format.lines(numbers, rows, b" " if self._attributes else b"")
        sent = 0
        for row, head in zip(rows, heads, strict=True):
            sent += await self._send_message(row, head, marked)
        return sent

    async def _send_message(self, row: Entry, head: bytes, marked: set[int]) -> bool:
        try:
            cuts = Cuts(self._account.open(row.message_id), self._sections)
        except NoSuchMessage:
            return False
        except Damaged as error:
            log.error("imap.damaged", account=self._account.id, message=row.message_id, reason=str(error))
            self.damaged = True
            return True
        await self.writer.write(head)
        try:
            await cuts.send(self.writer, self.turns)
        except Exception as error:
            # Half a response has gone out: nothing that is sent now would be understood.
            self._dialogue.conn.abort()
            if not isinstance(error, ConnectionError):
                log.error("imap.broken_off", account=self._account.id, message=row.message_id, exc_info=True)
            raise ConnectionError("a message could not be sent to its end") from error
        if row.uid in marked and not self._tells_flags:
            recent = is_in(self._selected.recent, row.uid)
            flags = self._selected.flags.text(row, recent)
            await self.writer.write(b" FLAGS (%b))\r\n" % flags)
        else:
            await self.writer.write(b")\r\n")
        return True

    async def _mark_seen(self, rows: list[Entry]) -> tuple[list[Entry], set[int]]:
        """Set \\Seen where it is not; the client is told in the same response (§6.4.5 BODY[])."""
        unseen = pairs_of(row.uid for row in rows if not row.flags & Flag.SEEN)
        if not unseen:
            return rows, set()
        try:
            result = await self._account.store_flags(self._selected.id, unseen, "add", Flag.SEEN)
        except Unavailable as error:
            # A full disk must not keep people from reading their mail.
            log.warning("imap.not_marked", account=self._account.id, reason=error.what)
            return rows, set()
        self._selected.tell(result.entries)
        now = {entry.uid: entry for entry in result.entries}
        return [now.get(row.uid, row) for row in rows], set(now)
