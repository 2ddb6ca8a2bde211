"""SEARCH and UID SEARCH (RFC 3501 §6.4.4, §7.2.5; RFC 4731, RFC 5032, RFC 7162 §3.1.5)."""

from dataclasses import replace
from typing import Final

from postroad.imap.answer import Answer
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import found, span_of, turns_of
from postroad.imap.message_limit import newest
from postroad.imap.results import Results
from postroad.imap.searching import answer_search
from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.uid_set import Pairs
from postroad.imap.wire.search_commands import Search
from postroad.imap.wire.search_keys import ModseqKey, has_key

_STEP: Final = 5000


async def search(dialogue: Dialogue, command: Search) -> Answer:
    """Find messages; those that the client has not been told of are not there yet."""
    return await answer_search(dialogue, command, _find_newest, b"SEARCH")


async def _find_newest(dialogue: Dialogue, selected: Selected, command: Search) -> Results:
    """Look at the newest messages alone, where there are too many for one command (RFC 9738)."""
    within, code = newest(dialogue, selected, span_of(selected, command.key))
    return replace(await find(dialogue, selected, command, within=within), code=code)


async def find(
    dialogue: Dialogue,
    selected: Selected,
    command: Search,
    turns: Turns | None = None,
    within: Pairs | None = None,
) -> Results:
    """Return what matches in a mailbox, in its order; `turns` where more are searched.

    Raises:
        NoSuchMailbox
    """
    turns = turns or turns_of(dialogue, command.tag)
    results = Results()
    by_modseq = has_key(command.key, ModseqKey)
    async for batch, scores in found(dialogue, selected, command.key, turns, within=within, step=_STEP):
        results.add(batch, scores, by_modseq=by_modseq)
        await turns.give_way()
    return results
