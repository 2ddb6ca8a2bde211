"""From the messages found to the answer: what SEARCH and SORT do alike (RFC 4731, RFC 5182, RFC 5267)."""

from collections.abc import Awaitable, Callable
from typing import Final

from postroad.imap.answer import Answer, ok
from postroad.imap.contexts import Context
from postroad.imap.dialogue import Dialogue
from postroad.imap.results import Results
from postroad.imap.revising import fixed
from postroad.imap.selected import Selected
from postroad.imap.wire.ordering import SortKey
from postroad.imap.wire.search_commands import Search, Sort
from postroad.imap.wire.search_keys import ModseqKey, has_key

IN_USE: Final = Answer(b"BAD", b"", b"that tag is in use")


def in_use(selected: Selected, command: Search) -> bool:
    """Whether a command asks for updates under a tag that has some already (RFC 5267 §4.3)."""
    return "UPDATE" in (command.returns or ()) and command.tag in selected.contexts


async def answer_search(
    dialogue: Dialogue,
    command: Search,
    find: Callable[[Dialogue, Selected, Search], Awaitable[Results]],
    response: bytes,
) -> Answer:
    """Find, tell and keep; `response` is what an answer without RETURN is called."""
    selected = dialogue.selected
    if has_key(command.key, ModseqKey):
        dialogue.aware_of_modseqs()
    returns = command.returns
    if returns is None and dialogue.enabled.rev2 and response == b"SEARCH":
        returns = frozenset({"ALL"})  # RFC 9051 §6.4.4: an ESEARCH always
    if in_use(selected, command):
        return IN_USE
    saving = returns is not None and "SAVE" in returns
    try:
        results = await find(dialogue, selected, command)
    except Exception:
        if saving:
            selected.saved = ()  # RFC 5182 §2.1: after NO nothing is saved
        raise
    if returns is None:
        dialogue.core.untagged(results.plain(command, response))
        return ok(b"done", results.code)
    if saving:
        selected.saved = results.kept(returns, command.partial)
    if line := results.extended(command):
        dialogue.core.untagged(line)
    if "UPDATE" in returns:
        follow(dialogue, command, results)
    return ok(b"done", results.code)


def follow(dialogue: Dialogue, command: Search, results: Results) -> None:
    """Keep the client informed of what comes and goes, if there is room (RFC 5267 §4.3.1)."""
    selected = dialogue.selected
    criteria = command.criteria if isinstance(command, Sort) else ()
    key = fixed(command.key, selected)
    # Scores are not kept: nothing could be put in its place by them later.
    by_relevancy = any(criterion.key is SortKey.RELEVANCY for criterion in criteria)
    context = Context(command.tag, command.uid, key, criteria, results.uids, command.update_items)
    limits = dialogue.services.limits
    most, most_messages = limits.imap_contexts, limits.imap_context_messages
    if by_relevancy or not selected.contexts.follow(context, most, most_messages):
        dialogue.core.untagged(b'NO [NOUPDATE "%b"] too many contexts, or too much in them' % command.tag)
