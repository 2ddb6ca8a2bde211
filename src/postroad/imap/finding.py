"""Finding what matches, batch by batch: what SEARCH, SORT and THREAD have in common."""

from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

from postroad.imap.batches import batches
from postroad.imap.contents import Contents
from postroad.imap.dialogue import Dialogue
from postroad.imap.fuzzy import Fuzziness
from postroad.imap.matching import Matcher, span
from postroad.imap.ordering.sliced import Sliced
from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.uid_set import Pairs, meet
from postroad.imap.wire.search_keys import SearchKey
from postroad.store.listing import Batch

T = TypeVar("T")
_STEP: Final = 1000


def turns_of(dialogue: Dialogue, tag: bytes | None = None) -> Turns:
    """The turns of the command that a session carries out; by its tag the client hears how far it is."""
    return Turns(dialogue.conn, dialogue.services.clock, None if tag is None else dialogue.progress(tag))


def span_of(selected: Selected, key: SearchKey) -> Pairs:
    """What a search looks at: what the client has been told of, for other messages are not there yet."""
    known = ((1, selected.uids[-1]),) if selected.exists else ()
    return meet(known, span(key, selected))


async def found(
    dialogue: Dialogue,
    selected: Selected,
    key: SearchKey,
    turns: Turns,
    *,
    within: Pairs | None = None,
    step: int = _STEP,
) -> AsyncIterator[tuple[Batch, Sequence[int]]]:
    """Yield the messages that match and how relevant each is, in mailbox order; of `within` alone if said.

    Raises:
        NoSuchMailbox: it has been deleted meanwhile.
    """
    services = dialogue.services
    contents = Contents(selected.account, turns, services.large_searches)
    fuzziness = Fuzziness(selected.account, turns, services.large_searches)
    matcher = Matcher(selected.account, selected, contents, fuzziness, services.clock.now())
    wanted = span_of(selected, key) if within is None else meet(within, span(key, selected))
    progress = turns.progress
    if progress is not None and not progress.goal:
        progress.goal = selected.count(wanted)
    for coming in batches(selected.account, selected, wanted, step):
        batch = await coming
        looked_at = len(batch.uids)
        places = await matcher.matching(key, batch, range(len(batch.uids)))
        if places:
            batch = batch.pick(places)
            yield batch, [matcher.scores.pop(uid, 100) for uid in batch.uids] if matcher.scores else ()
        matcher.scores.clear()
        if progress is not None:
            progress.done += looked_at
        await turns.next()


async def in_turns(work: Sliced[T], turns: Turns) -> T:
    """Do sliced work, and let others have the loop in between."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
        await turns.next()
