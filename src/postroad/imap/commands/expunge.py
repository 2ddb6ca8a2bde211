"""EXPUNGE, UID EXPUNGE, CLOSE (RFC 3501 §6.4.2, §6.4.3; RFC 4315 §2.1)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import READ_ONLY
from postroad.imap.permission import need_selected
from postroad.imap.uid_set import Pairs
from postroad.imap.wire.message_commands import Expunge


async def expunge(dialogue: Dialogue, command: Expunge) -> Answer:
    """Remove the messages with \\Deleted, of `uids` alone where they are given."""
    selected = dialogue.selected
    if selected.read_only:
        return READ_ONLY
    need_selected(selected, "e")
    pairs = None if command.uids is None else selected.uid_pairs(command.uids, uid=True)
    await _remove(dialogue, pairs)
    return ok(b"done")


async def close(dialogue: Dialogue) -> Answer:
    """Remove the messages with \\Deleted without a word, then leave the mailbox."""
    # RFC 4314 §4: without the right to expunge it only closes.
    if not dialogue.selected.read_only and "e" in dialogue.selected.rights:
        await _remove(dialogue, None)
    dialogue.unselect()
    return ok(b"closed")


async def _remove(dialogue: Dialogue, pairs: Pairs | None) -> None:
    account = dialogue.selected.account
    mailbox = account.mailbox_by_id(dialogue.selected.id)
    if mailbox is not None and mailbox.deleted:
        dialogue.selected.expunged(await account.expunge(mailbox.id, pairs))
