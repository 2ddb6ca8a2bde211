"""From the messages found to the answer: what SEARCH and SORT do alike (RFC 4731, RFC 5182)."""

from collections.abc import Awaitable, Callable

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.results import Results
from postroad.imap.wire.commands import Search
from postroad.imap.wire.search_keys import ModseqKey, has_key


async def answer_search(
    dialogue: Dialogue, command: Search, find: Callable[[], Awaitable[Results]], response: bytes
) -> Answer:
    """Find, tell and keep; `response` is what an answer without RETURN is called."""
    selected = dialogue.selected
    if has_key(command.key, ModseqKey):
        dialogue.aware_of_modseqs()
    returns = command.returns
    saving = returns is not None and "SAVE" in returns
    try:
        results = await find()
    except Exception:
        if saving:
            selected.saved = ()  # RFC 5182 §2.1: after NO nothing is saved
        raise
    if returns is None:
        dialogue.core.untagged(results.plain(command, response))
        return ok(b"done")
    if saving:
        selected.saved = results.kept(returns, command.partial)
    if line := results.extended(command):
        dialogue.core.untagged(line)
    return ok(b"done")
