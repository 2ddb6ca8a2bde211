"""SORT and UID SORT (RFC 5256, RFC 5267 §3, RFC 5957)."""

from functools import partial

from postroad.imap.answer import Answer
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import found, in_turns, span_of, turns_of
from postroad.imap.message_limit import need_all
from postroad.imap.ordering.table import SortTable
from postroad.imap.results import Results
from postroad.imap.searching import answer_search
from postroad.imap.selected import Selected
from postroad.imap.wire.ordering import SortCriterion
from postroad.imap.wire.search_commands import Search, Sort
from postroad.imap.wire.search_keys import ModseqKey, has_key


async def sort(dialogue: Dialogue, command: Sort) -> Answer:
    """Find messages and tell them in order."""
    return await answer_search(dialogue, command, partial(_find, criteria=command.criteria), b"SORT")


async def _find(
    dialogue: Dialogue, selected: Selected, command: Search, *, criteria: tuple[SortCriterion, ...]
) -> Results:
    need_all(dialogue, selected, span_of(selected, command.key))
    turns = turns_of(dialogue, command.tag)
    table = SortTable(selected.account, selected.id, criteria)
    results = Results()
    by_modseq = has_key(command.key, ModseqKey)
    async for batch, scores in found(dialogue, selected, command.key, turns):
        results.add(*table.add(batch, scores), by_modseq=by_modseq)
        await turns.next()
    order = await in_turns(table.order(), turns)
    return await in_turns(results.ordered(order), turns)
