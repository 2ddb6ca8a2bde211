"""STORE and UID STORE (RFC 3501 §6.4.6)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import EXPUNGED, READ_ONLY
from postroad.imap.uid_set import Pairs, pairs_of
from postroad.imap.wire.commands import Store
from postroad.store.types import Entry


async def store_flags(dialogue: Dialogue, command: Store) -> Answer:
    """Change flags; every message is told with its new ones unless the client wants silence."""
    selected = dialogue.selected
    if selected.read_only:
        return READ_ONLY
    pairs = selected.uid_pairs(command.messages, uid=command.uid)
    if command.silent:
        entries, loud = await _in_silence(dialogue, command, pairs)
    else:
        result = await dialogue.account.store_flags(
            selected.id, pairs, command.mode, command.flags.mask, command.flags.keywords
        )
        entries = loud = result.entries
    selected.tell(entries)
    lines = selected.flag_lines(loud, uid=command.uid)
    dialogue.core.write(b"".join([selected.new_keywords(entry.keywords for entry in entries), *lines]))
    if not command.uid and len(entries) < selected.count(pairs):
        return EXPUNGED
    return ok(b"done")


async def _in_silence(dialogue: Dialogue, command: Store, pairs: Pairs) -> tuple[list[Entry], list[Entry]]:
    """Change flags; give all entries and those that have to be told all the same.

    .SILENT is about the client's own change. Where somebody else changed a
    message meanwhile the client would never learn of it (§6.4.6), so those
    messages are left out at first and then told, as both changes left them:
    told any sooner, flags would be older than what the client takes as done.
    """
    selected = dialogue.selected
    flags = command.flags
    first = await dialogue.account.store_flags(
        selected.id, pairs, command.mode, flags.mask, flags.keywords, selected.modseq
    )
    if not first.conflicts:
        return first.entries, []
    again = await dialogue.account.store_flags(
        selected.id, pairs_of(first.conflicts), command.mode, flags.mask, flags.keywords
    )
    redone = {entry.uid: entry for entry in again.entries}
    return [redone.get(entry.uid, entry) for entry in first.entries], again.entries
