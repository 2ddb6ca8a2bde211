"""COMPRESS (RFC 4978)."""

from postroad.imap.answer import Answer
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire.session_commands import Compress


def compress(dialogue: Dialogue, command: Compress) -> Answer | None:
    """Compress all that follows the answer; there is no way back (RFC 4978 §3)."""
    core = dialogue.core
    if core.compression is not None:
        return Answer(b"BAD", b"COMPRESSIONACTIVE", b"DEFLATE is on already")
    core.tagged(command.tag, b"OK", b"DEFLATE from here on")
    core.begin_compression(dialogue.services.limits.imap_inflate_step)
    return None
