"""NAMESPACE: one's own mailboxes, those of other users, and those that are nobody's (RFC 2342)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire import responses


def namespace(dialogue: Dialogue) -> Answer:
    """Say where mailboxes are."""
    dialogue.core.untagged(responses.namespace())
    return ok(b"done")
