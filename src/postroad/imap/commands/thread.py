"""THREAD and UID THREAD (RFC 5256, draft-ietf-morg-inthread §4)."""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import found, in_turns, span_of, turns_of
from postroad.imap.message_limit import need_all
from postroad.imap.ordering.conversations import Conversations
from postroad.imap.ordering.forest import TooTangled
from postroad.imap.ordering.render import render_threads
from postroad.imap.ordering.table import sent_dates
from postroad.imap.relatives import Relatives
from postroad.imap.turns import Turns
from postroad.imap.wire.ordering import ThreadAlgorithm
from postroad.imap.wire.search_commands import Thread
from postroad.store.listing import Batch

_PIECE: Final = 200
"""Messages looked at in one turn."""


async def thread(dialogue: Dialogue, command: Thread) -> Answer:
    """Find messages and tell them as conversations."""
    need_all(dialogue, dialogue.selected, span_of(dialogue.selected, command.key))
    turns = turns_of(dialogue, command.tag)
    conversations = Conversations(command.algorithm, dialogue.services.limits.imap_thread_identifiers)
    told: list[int] = []
    try:
        async for batch, _ in found(dialogue, dialogue.selected, command.key, turns):
            told += await _add(dialogue, conversations, batch, command, turns)
        threads = await in_turns(conversations.threads(), turns)
    except TooTangled:
        raise No(b"LIMIT", b"these messages name too many others") from None
    text = await in_turns(render_threads(threads, told), turns)
    dialogue.core.untagged(b"THREAD " + text if text else b"THREAD")
    return ok(b"done")


async def _add(
    dialogue: Dialogue, conversations: Conversations, batch: Batch, command: Thread, turns: Turns
) -> list[int]:
    """Add messages; give what those that are still there are told as."""
    relatives = Relatives(dialogue.selected.account, turns)
    plain = command.algorithm is ThreadAlgorithm.ORDEREDSUBJECT
    told: list[int] = []
    for start in range(0, len(batch.uids), _PIECE):
        some = batch.pick(range(start, min(len(batch.uids), start + _PIECE)))
        some, rows = await relatives.of(some, with_ancestors=not plain)
        sent = sent_dates(some, [row.sent for row in rows])
        for row, moment, arrival in zip(rows, sent, some.dates, strict=True):
            conversations.add(row.msgid, row.ancestors, row.subject, moment, arrival)
        told += some.uids if command.uid else some.numbers
        await turns.next()
    return told
