"""CANCELUPDATE (RFC 5267 §4.3.5)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire.search_commands import CancelUpdate


def cancel_update(dialogue: Dialogue, command: CancelUpdate) -> Answer:
    """Follow these results no longer; none is given up where one of them is not followed."""
    contexts = dialogue.selected.contexts
    if not all(tag in contexts for tag in command.tags):
        return Answer(b"BAD", b"", b"no results are followed under that tag")
    contexts.cancel(command.tags)
    return ok(b"no further updates")
