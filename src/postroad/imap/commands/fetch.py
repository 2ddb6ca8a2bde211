"""FETCH and UID FETCH (RFC 3501 §6.4.5, §7.4.2; RFC 5257 §4.3; RFC 7162 §3.1.4; RFC 9394 §3.3)."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

from postroad.imap.annotations import AnnotationItems
from postroad.imap.answer import Answer, ok
from postroad.imap.batches import batch_of, batches
from postroad.imap.decoding import UnknownEncoding
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import EXPUNGED
from postroad.imap.excerpt import PIECE
from postroad.imap.message_limit import need_all, newest, with_code
from postroad.imap.progress import Progress
from postroad.imap.resync import changed_since, tell_vanished
from postroad.imap.rows import RowFormat
from postroad.imap.sections import Cuts, Writer, entire
from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.uid_set import Pairs, is_in, members, pairs_of
from postroad.imap.wire.annotation import FetchAnnotation
from postroad.imap.wire.fetch_items import FetchAttribute, FetchItem, FetchSection
from postroad.imap.wire.message_commands import Fetch
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.message.section import find_part
from postroad.model.flags import Flag
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.store.account import Account
from postroad.store.errors import Damaged
from postroad.store.listing import Batch
from postroad.store.messages import StoredMessage

_END: Final = b")\r\n"
_NO_SUCH_PART: Final = Answer(b"BAD", b"", b"none of these messages has such a part")
# Members of an Enum are looked up once: each time takes longer than a call.
_FLAGS: Final = FetchAttribute.FLAGS
_MODSEQ: Final = FetchAttribute.MODSEQ
_UID: Final = FetchAttribute.UID
_STEP: Final = 1000
_OPEN: Final = 200
"""Messages looked up together before their sections are sent."""
_OPEN_OCTETS: Final = 1024 * 1024
"""How large they may be together: what waits for a slow client might be expunged and freed."""
_SEEN_STEP: Final = 100
"""Messages marked as \\Seen before they are sent: few, for the client may leave in between."""


async def fetch(dialogue: Dialogue, command: Fetch) -> Answer:
    """Send items of messages; messages that are gone are passed over and named at the end (RFC 5530)."""
    selected = dialogue.selected
    if _MODSEQ in command.items:
        dialogue.aware_of_modseqs()
    pairs = selected.uid_pairs(command.messages, uid=command.uid)
    if command.partial is not None:
        # RFC 9394 §3.4: first the range, then what of it has changed.
        pairs = pairs_of(command.partial.cut(members(pairs, selected.uids)))
        need_all(dialogue, selected, pairs)
    if command.changed_since is not None:
        if command.vanished:
            await tell_vanished(dialogue, command.changed_since, command.messages)
        pairs = await changed_since(dialogue, command.changed_since, pairs)
    pairs, code = newest(dialogue, selected, pairs)
    if command.items == (_UID,):
        await _tell_uids(dialogue, pairs, downwards=bool(code))
        return with_code(dialogue, ok(b"done"), code)
    fetching = _Fetching(dialogue, command, downwards=bool(code))
    if await fetching.asks_in_vain(pairs):
        return _NO_SUCH_PART
    known = selected.count(pairs)
    if known <= fetching.step:
        sent = await fetching.send(await batch_of(selected.account, selected, pairs))
    else:
        sent = await fetching.send_many(pairs, dialogue.progress(command.tag, known))
    answer = ok(b"done")
    if fetching.damaged:
        answer = Answer(b"NO", b"CORRUPTION", b"a message is damaged; the operator has been told")
    elif fetching.undecoded:
        answer = Answer(b"NO", b"UNKNOWN-CTE", b"a part is in an encoding that is not known here")
    elif not command.uid and sent < known:
        # Unknown UIDs are no error (§6.4.8), message numbers have been told and are missed.
        answer = EXPUNGED
    return with_code(dialogue, answer, code)


async def tell_items(dialogue: Dialogue, pairs: Pairs, items: tuple[FetchItem, ...]) -> None:
    """Send items of messages that the client has not asked for one by one (RFC 5465 §5.2, §7)."""
    if dialogue.enabled.condstore:  # RFC 7162 §3.2.4
        uid = () if dialogue.enabled.uidonly else (_UID,)
        items = tuple(dict.fromkeys((*uid, *items, _MODSEQ)))
    everything = SequenceSet(())
    fetching = _Fetching(dialogue, Fetch(b"*", everything, items, uid=True))
    for coming in batches(dialogue.selected.account, dialogue.selected, pairs, fetching.step):
        await fetching.send(await coming)
        await fetching.turns.next()


async def _tell_uids(dialogue: Dialogue, pairs: Pairs, *, downwards: bool) -> None:
    """Send UIDs alone, which the session knows: of messages that are gone as well, until that is told."""
    selected, uids = dialogue.selected, dialogue.selected.uids
    form = b"* %d UIDFETCH (UID %d)\r\n" if selected.uidonly else b"* %d FETCH (UID %d)\r\n"
    writer = Writer(dialogue.conn, dialogue.core)
    turns = Turns(dialogue.conn, dialogue.services.clock)
    places = [at for low, high in pairs for at in range(bisect_left(uids, low), bisect_right(uids, high))]
    if downwards:
        places.reverse()
    for start in range(0, len(places), _STEP):
        some = places[start : start + _STEP]
        named = [(uids[at] if selected.uidonly else at + 1, uids[at]) for at in some]
        writer.put(b"".join(map(form.__mod__, named)))
        await writer.room()
        await turns.next()


def _together(sizes: Sequence[int]) -> list[range]:
    """Cut places into runs of messages that are opened together."""
    if len(sizes) == 1 or sum(sizes) <= _OPEN_OCTETS:
        return [range(len(sizes))]
    runs: list[range] = []
    start = octets = 0
    for at, size in enumerate(sizes):
        if at > start and octets + size > _OPEN_OCTETS:
            runs.append(range(start, at))
            start, octets = at, 0
        octets += size
    runs.append(range(start, len(sizes)))
    return runs


class _Fetching:
    """One FETCH under way."""

    def __init__(self, dialogue: Dialogue, command: Fetch, *, downwards: bool = False) -> None:
        """With `downwards` the newest message comes first: a client that leaves knows where it was."""
        self._writer = Writer(dialogue.conn, dialogue.core)
        self.turns = Turns(dialogue.conn, dialogue.services.clock)
        self._downwards = downwards
        self._order = -1 if downwards else 1
        self.damaged = False
        self.undecoded = False
        self._dialogue = dialogue
        self._selected: Selected = dialogue.selected
        self._account: Account = self._selected.account
        attributes = [item for item in command.items if isinstance(item, FetchAttribute)]
        self._sections = [item for item in command.items if isinstance(item, FetchSection)]
        self._entire = entire(self._sections)
        self._attributes = attributes
        asked = [item for item in command.items if isinstance(item, FetchAnnotation)]
        self._annotations = AnnotationItems(self._account, self._selected.id, asked) if asked else None
        may_mark = not self._selected.read_only and "s" in self._selected.rights  # RFC 4314 §4
        self._marks = may_mark and any(not section.peek for section in self._sections)
        self._tells_flags = _FLAGS in attributes
        self._format = RowFormat(self._account, self._selected, attributes, self.turns)
        self.step = _SEEN_STEP if self._marks else _OPEN if self._sections else _STEP
        if self._annotations is not None:
            self.step = min(self.step, self._annotations.step)

    async def asks_in_vain(self, pairs: Pairs) -> bool:
        """Whether a part is asked about that none of the messages has (RFC 5257 §3.2.1).

        Of some of them it may be missing: who asks about many cannot know.
        """
        if self._annotations is None:
            return False
        paths = self._annotations.paths()
        if not paths or not self._selected.count(pairs):
            return False
        for coming in batches(self._account, self._selected, pairs, _OPEN):
            batch = await coming
            for message in self._account.open_all(batch.message_ids).values():
                parts = message.parts()
                paths = {path for path in paths if find_part(parts, path) is None}
                if not paths:
                    return False
            await self.turns.next()
        return True

    async def send_many(self, pairs: Pairs, progress: Progress) -> int:
        """Send more than one batch; the same as `send` for each."""
        sent = 0
        for coming in batches(self._account, self._selected, pairs, self.step, downwards=self._downwards):
            batch = await coming
            sent += await self.send(batch)
            progress.reach(progress.done + len(batch.uids))
            await self.turns.next()
        return sent

    async def send(self, batch: Batch) -> int:
        """Send a batch; give how many of its messages were still there."""
        marked: set[int] = set()
        if self._marks:
            batch, marked = await self._mark_seen(batch)
        if self._tells_flags:
            self._selected.tell_batch(batch)
        if self._tells_flags or marked:  # those that are marked tell their flags as well
            self._writer.put(self._selected.new_keywords(batch.keywords()))
        if self._annotations is None:
            return await self._send_rows(batch, marked)
        sent = 0
        for piece, texts in self._annotations.pieces(batch, self._order):
            sent += await self._send_rows(piece, marked, texts)
            await self.turns.next()
        return sent

    async def _send_rows(
        self, batch: Batch, marked: set[int], texts: Mapping[int, bytes] | None = None
    ) -> int:
        """Send entries with all that is wanted of them; `texts` is what ANNOTATION says of each, by UID."""
        if not self._sections:
            batch, lines = await self._lines(batch, _END, texts)
            self._writer.put(b"".join(lines[:: self._order]))
            await self._writer.room()
            return len(lines)
        batch, heads = await self._lines(batch, b" ", texts)
        sent = 0
        for places in _together(batch.sizes)[:: self._order]:
            messages = self._account.open_all(batch.message_ids[places.start : places.stop])
            for at in places[:: self._order]:
                message = messages.get(batch.message_ids[at])
                if message is not None:
                    sent += 1
                    end = _END
                    if batch.uids[at] in marked:
                        end = self._news(batch.pick([at])) + end
                    large = self._put(batch.message_ids[at], message, heads[at], end)
                    if large is not None:
                        await self._send_large(batch.message_ids[at], large, heads[at], end)
                    if self._writer.full:
                        await self._writer.room()
                    if self.turns.over:
                        await self.turns.give_way()
        return sent

    async def _lines(
        self, batch: Batch, end: bytes, texts: Mapping[int, bytes] | None
    ) -> tuple[Batch, list[bytes]]:
        """What comes first of each response, and `end` behind it; nothing where nothing can be said."""
        if texts is None:
            return await self._format.lines(batch, end if self._attributes or end == _END else b"")
        batch, heads = await self._format.lines(batch)
        gap = b" " if self._attributes else b""
        lines: list[bytes] = []
        for uid, head in zip(batch.uids, heads, strict=True):
            if text := texts[uid]:
                lines.append(head + gap + text + end)
            elif self._attributes:
                lines.append(head + end)
            else:
                lines.append(head if self._sections else b"")
        return batch, lines

    def _news(self, one: Batch) -> bytes:
        """What has to be told of a message that is \\Seen from now on, beside what was asked for."""
        news = b""
        if not self._tells_flags:
            news = b" FLAGS (%b)" % self._flags(one)
        enabled = self._dialogue.enabled
        names_uid = enabled.condstore or enabled.rev2  # RFC 7162 §3.2.4, RFC 9051 appendix E, 21
        if names_uid and _UID not in self._attributes and not enabled.uidonly:
            news += b" UID %d" % one.uids[0]
        if enabled.condstore and _MODSEQ not in self._attributes:
            news += b" MODSEQ (%d)" % one.modseqs[0]
        return news

    def _flags(self, one: Batch) -> bytes:
        [words] = one.by_state(self._selected.flags.ready)
        recent = is_in(self._selected.recent, one.uids[0])
        return self._selected.flags.with_recent(words) if recent else words

    def _put(self, message_id: int, message: StoredMessage, head: bytes, end: bytes) -> Cuts | None:
        """Say what is wanted of a message, or that it cannot be; of what is large, nothing yet."""
        try:
            if self._entire and message.size <= PIECE:
                octets = message.whole()
                self._writer.put_all((head, self._entire, b" {%d}\r\n" % len(octets), octets, end))
                return None
            cuts = Cuts(message, self._sections)
        except (UnknownEncoding, Damaged) as error:
            self._miss(message_id, error)
            if len(end) > len(_END):
                # Nothing of its sections, but that it is \\Seen now.
                self._writer.put(head.rstrip(b" ") + (end.lstrip(b" ") if head.endswith(b"(") else end))
            return None
        ready = cuts.ready(head, end)
        if ready is None:
            return cuts
        self._writer.put(ready)
        return None

    def _miss(self, message_id: int, error: UnknownEncoding | Damaged) -> None:
        if isinstance(error, UnknownEncoding):
            self.undecoded = True
            return
        log.error("imap.damaged", account=self._account.id, message=message_id, reason=str(error))
        self.damaged = True

    async def _send_large(self, message_id: int, cuts: Cuts, head: bytes, end: bytes) -> None:
        self._writer.put(head)
        try:
            await cuts.send(self._writer, self.turns)
        except Exception as error:
            # Half a response has gone out: nothing that is sent now would be understood.
            self._dialogue.conn.abort()
            if not isinstance(error, ConnectionError):
                log.error("imap.broken_off", account=self._account.id, message=message_id, exc_info=True)
            raise ConnectionError("a message could not be sent to its end") from error
        self._writer.put(end)

    async def _mark_seen(self, batch: Batch) -> tuple[Batch, set[int]]:
        """Set \\Seen where it is not; the client is told in the same response (§6.4.5 BODY[])."""
        unseen = batch.lacking(Flag.SEEN)
        if not unseen:
            return batch, set()
        try:
            result = await self._account.store_flags(self._selected.id, pairs_of(unseen), "add", Flag.SEEN)
        except Unavailable as error:
            # A full disk must not keep people from reading their mail.
            log.warning("imap.not_marked", account=self._account.id, reason=error.what)
            return batch, set()
        self._selected.tell(result)
        listing = await self._account.listing(self._selected.id)
        now = listing.batch(pairs_of(batch.uids), self._selected.uids)
        return now, {entry.uid for entry in result.entries}
