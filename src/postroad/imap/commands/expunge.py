"""EXPUNGE, UID EXPUNGE, CLOSE (RFC 3501 §6.4.2, §6.4.3; RFC 4315 §2.1)."""

from itertools import compress

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import READ_ONLY
from postroad.imap.message_limit import Newest, newest, with_code
from postroad.imap.permission import need_selected
from postroad.imap.uid_set import Pairs, pairs_of
from postroad.imap.wire.mailbox_commands import Close
from postroad.imap.wire.message_commands import Expunge
from postroad.model.flags import DELETED


async def expunge(dialogue: Dialogue, command: Expunge) -> Answer:
    """Remove the messages with \\Deleted, of `uids` alone where they are given."""
    selected = dialogue.selected
    if selected.read_only:
        return READ_ONLY
    need_selected(selected, "e")
    if command.uids is None:
        await _remove(dialogue, command.tag, None)  # RFC 9738 §3.1: always all of them
        return ok(b"done")
    pairs, code = await _newest(dialogue, selected.uid_pairs(command.uids, uid=True))
    await _remove(dialogue, command.tag, pairs)
    return with_code(dialogue, ok(b"done"), code)


async def close(dialogue: Dialogue, command: Close) -> Answer:
    """Remove the messages with \\Deleted without a word, then leave the mailbox."""
    # RFC 4314 §4: without the right to expunge it only closes.
    if not dialogue.selected.read_only and "e" in dialogue.selected.rights:
        await _remove(dialogue, command.tag, None)
    dialogue.unselect()
    return ok(b"closed")


async def _newest(dialogue: Dialogue, pairs: Pairs) -> Newest:
    """What one command may remove; messages without \\Deleted do not count."""
    selected = dialogue.selected
    if not newest(dialogue, selected, pairs).code:
        return Newest(pairs)
    batch = (await selected.account.listing(selected.id)).batch(pairs, selected.uids)
    deleted = batch.by_state(lambda flags, _: bool(flags & DELETED))
    return newest(dialogue, selected, pairs_of(compress(batch.uids, deleted)))


async def _remove(dialogue: Dialogue, tag: bytes, pairs: Pairs | None) -> None:
    account = dialogue.selected.account
    mailbox = account.mailbox_by_id(dialogue.selected.id)
    if mailbox is not None and mailbox.deleted:
        progress = dialogue.progress(tag, mailbox.deleted)
        dialogue.selected.expunged(await account.expunge(mailbox.id, pairs, told=progress.reach))
