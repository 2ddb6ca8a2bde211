"""NAMESPACE: one personal namespace, nobody else's (RFC 2342)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue


def namespace(dialogue: Dialogue) -> Answer:
    """Say where mailboxes are."""
    dialogue.core.untagged(b'NAMESPACE (("" "/")) NIL NIL')
    return ok(b"done")
