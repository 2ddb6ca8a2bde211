"""SORT and UID SORT (RFC 5256, RFC 5267 §3, RFC 5957)."""

from postroad.imap.answer import Answer
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import found, in_turns, turns_of
from postroad.imap.ordering.table import SortTable
from postroad.imap.results import Results
from postroad.imap.searching import answer_search
from postroad.imap.wire.commands import Sort
from postroad.imap.wire.search_keys import ModseqKey, has_key


async def sort(dialogue: Dialogue, command: Sort) -> Answer:
    """Find messages and tell them in order."""

    async def find() -> Results:
        turns = turns_of(dialogue)
        table = SortTable(dialogue.account, command.criteria)
        results = Results()
        by_modseq = has_key(command.key, ModseqKey)
        async for batch in found(dialogue, dialogue.selected, command.key, turns):
            results.add(table.add(batch), by_modseq=by_modseq)
            await turns.next()
        return results.ordered(await in_turns(table.order(), turns))

    return await answer_search(dialogue, command, find, b"SORT")
