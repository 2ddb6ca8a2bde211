"""SEARCH and UID SEARCH (RFC 3501 §6.4.4, §7.2.5; RFC 4731, RFC 5032, RFC 7162 §3.1.5)."""

from typing import Final

from postroad.imap.answer import Answer, ok
from postroad.imap.batches import batches
from postroad.imap.contents import Contents
from postroad.imap.dialogue import Dialogue
from postroad.imap.matching import Matcher
from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.uid_set import Pairs, meet, pairs_of
from postroad.imap.wire import responses
from postroad.imap.wire.commands import Search
from postroad.imap.wire.search_keys import ModseqKey, has_key

_STEP: Final = 5000


async def search(dialogue: Dialogue, command: Search) -> Answer:
    """Find messages; those that the client has not been told of are not there yet."""
    selected = dialogue.selected
    by_modseq = has_key(command.key, ModseqKey)
    if by_modseq:
        dialogue.aware_of_modseqs()
    saving = command.returns is not None and "SAVE" in command.returns
    try:
        found = await _find(dialogue, command)
    except Exception:
        if saving:
            selected.saved = ()  # RFC 5182 §2.1: after NO nothing is saved
        raise
    if command.returns is None:
        modseq = await _latest(dialogue, command, found) if by_modseq else 0
        dialogue.core.untagged(responses.search(found, modseq))
        return ok(b"done")
    told = command.returns - {"SAVE"}
    if saving:
        selected.saved = _kept(selected, command, told, found)
    if told:
        modseq = await _latest(dialogue, command, _named(told, found)) if by_modseq else 0
        dialogue.core.untagged(responses.esearch(command.tag, found, told, uid=command.uid, modseq=modseq))
    return ok(b"done")


async def _find(dialogue: Dialogue, command: Search) -> list[int]:
    selected, account, services = dialogue.selected, dialogue.account, dialogue.services
    turns = Turns(dialogue.conn, services.clock)
    contents = Contents(account, turns, services.large_searches)
    matcher = Matcher(selected, contents, services.clock.now())
    known = ((1, selected.uids[-1]),) if selected.exists else ()
    found: list[int] = []
    async for batch in batches(account, selected, meet(known, matcher.span(command.key)), _STEP):
        matches = await matcher.matching(command.key, batch, range(len(batch.uids)))
        told = batch.uids if command.uid else batch.numbers
        found += told if len(matches) == len(told) else [told[at] for at in matches]
        await turns.give_way()
    return found


def _kept(selected: Selected, command: Search, told: frozenset[str], found: list[int]) -> Pairs:
    """The UIDs that `$` stands for from now on."""
    return pairs_of(_uids(selected, command, _named(told, found)))


def _named(told: frozenset[str], found: list[int]) -> list[int]:
    """What the answer is about: where only MIN or MAX is told, those (RFC 5182 §2.4, RFC 4731 §3.2)."""
    if told and told <= {"MIN", "MAX"}:
        return [found[at] for name, at in (("MIN", 0), ("MAX", -1)) if name in told and found]
    return found


def _uids(selected: Selected, command: Search, found: list[int]) -> list[int]:
    return sorted(set(found if command.uid else [selected.uids[n - 1] for n in found]))


async def _latest(dialogue: Dialogue, command: Search, found: list[int]) -> int:
    """The highest mod-sequence of what was found; 0 where nothing was."""
    selected = dialogue.selected
    listing = await dialogue.account.listing(selected.id)
    batch = listing.batch(pairs_of(_uids(selected, command, found)), selected.uids)
    return max(batch.modseqs, default=0)
