"""A client comes back: what has happened while it was away (RFC 7162 §3.2.5, §3.2.6)."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from postroad.imap.batches import batches
from postroad.imap.dialogue import Dialogue
from postroad.imap.rows import RowFormat
from postroad.imap.sections import Writer
from postroad.imap.turns import Turns
from postroad.imap.uid_set import Pairs, meet, pairs_of, without
from postroad.imap.wire.fetch_items import FetchAttribute
from postroad.imap.wire.mailbox_commands import QuickResync
from postroad.imap.wire.responses import vanished_lines
from postroad.imap.wire.sequence_set import SequenceSet

_UIDONLY_ITEMS: Final = (FetchAttribute.FLAGS, FetchAttribute.MODSEQ)
"""A UIDFETCH has the UID in front, and within only for who has asked for it (RFC 9586 §3.3)."""
_ITEMS: Final = (FetchAttribute.UID, *_UIDONLY_ITEMS)


async def resync(dialogue: Dialogue, known: QuickResync) -> None:
    """Tell what was expunged and what has changed since, in the mailbox that has just been selected.

    Nothing where the UIDs are not those that the client knows: it sees that by UIDVALIDITY.
    """
    selected = dialogue.selected
    if known.uidvalidity != selected.uidvalidity:
        return
    every = SequenceSet(((1, None),)) if known.known_uids is None else known.known_uids
    seen = 0
    if known.known_numbers is not None and known.numbered_uids is not None:
        seen = matched(known.known_numbers, known.numbered_uids, selected.uids)
    await tell_vanished(dialogue, known.modseq, every, above=seen)
    # A modseq from the future: what it was about was lost, and everything is news (a backup was restored).
    since = known.modseq if known.modseq <= selected.modseq else 0
    wanted = await changed_since(dialogue, since, every.resolve(selected.uidnext - 1))
    writer = Writer(dialogue.conn, dialogue.core)
    turns = Turns(dialogue.conn, dialogue.services.clock)
    items = _UIDONLY_ITEMS if selected.uidonly else _ITEMS
    format_ = RowFormat(selected.account, selected, items, turns)
    for coming in batches(selected.account, selected, wanted):
        batch = await coming
        selected.tell_batch(batch)
        writer.put(selected.new_keywords(batch.keywords()))
        _, lines = await format_.lines(batch, b")\r\n")
        writer.put(b"".join(lines))
        await writer.room()
        await turns.next()


async def changed_since(dialogue: Dialogue, modseq: int, wanted: Pairs) -> Pairs:
    """Return those of the UIDs whose messages have come or changed after a modseq."""
    listing = await dialogue.selected.account.listing(dialogue.selected.id)
    return meet(wanted, pairs_of(listing.changed_since(modseq)))


async def tell_vanished(dialogue: Dialogue, modseq: int, uids: SequenceSet, *, above: int = 0) -> None:
    """Tell which of `uids`, and above that one, were expunged after a modseq.

    Where that is not known, or not any more, all that are missing are named. Messages
    that count among those of this session are left for VANISHED without
    EARLIER, which changes their number (§3.2.10).
    """
    selected = dialogue.selected
    # `*` is what the client saw as the last UID, and that message may be among the expunged.
    wanted = selected.saved if uids.saved else uids.resolve(selected.uidnext - 1)
    wanted = meet(wanted, ((above + 1, selected.uidnext - 1),))
    gone = await selected.account.vanished(selected.id, modseq)
    if gone is not None and modseq <= selected.modseq:
        wanted = meet(wanted, pairs_of(gone))
    dialogue.core.write(vanished_lines(without(wanted, selected.uids), earlier=True))


def matched(numbers: SequenceSet, uids: SequenceSet, told: Sequence[int]) -> int:
    """Return the highest UID that still has the message number it had for the client; 0 for none.

    Where one has, nothing below it has been expunged that the client knew
    (§3.2.5.2). Both sets ascend and are as long; neither is written out.
    """
    found = 0
    for number, uid, length in _together(numbers, uids):
        ends = min(number + length - 1, len(told))
        # A UID grows at least as fast as its number: what lies between the two never shrinks.
        at = bisect_right(range(number, ends + 1), uid - number, key=lambda n: told[n - 1] - n)
        if at and told[number + at - 2] == uid + at - 1:
            found = max(found, uid + at - 1)
    return found


def _together(numbers: SequenceSet, uids: SequenceSet) -> Iterator[tuple[int, int, int]]:
    """Cut two sets into runs of both: first number, first UID, how many."""
    names = iter(uids.pairs())
    uid, last_uid = 0, -1
    for first, last in numbers.pairs():
        number = first
        while number <= last:
            if uid > last_uid:
                uid, last_uid = next(names)
            length = min(last - number, last_uid - uid) + 1
            yield number, uid, length
            number += length
            uid += length
