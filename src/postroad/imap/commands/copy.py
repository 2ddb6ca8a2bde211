"""COPY, MOVE and their UID forms (RFC 3501 §6.4.7, RFC 6851, RFC 4315 §3)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import EXPUNGED, READ_ONLY
from postroad.imap.message_limit import need_copied, newest, with_code
from postroad.imap.wire import responses
from postroad.imap.wire.message_commands import Copy, Move
from postroad.store.parts import PART
from postroad.store.types import CopyResult


async def copy(dialogue: Dialogue, command: Copy) -> Answer:
    """Copy messages, all or none."""
    selected = dialogue.selected
    pairs = selected.uid_pairs(command.messages, uid=command.uid)
    need_copied(dialogue, selected, pairs)
    account, target = dialogue.find(command.mailbox, code=b"TRYCREATE")
    count = selected.count(pairs)
    work = selected.account.carry(
        selected.id, pairs, account, target.id, _expected(command, count), move=False
    )
    result = await (work if count <= PART else dialogue.progress(command.tag, count).meanwhile(work))
    dialogue.filed(account, target.id, result.target)
    return ok(b"copied", _copyuid(result)) if result.source else ok(b"there was nothing to copy")


async def move(dialogue: Dialogue, command: Move) -> Answer:
    """Move messages, each of them or not (RFC 6851 §3.3); EXPUNGE tells which are gone from here."""
    selected = dialogue.selected
    if selected.read_only:
        return READ_ONLY
    pairs, code = newest(dialogue, selected, selected.uid_pairs(command.messages, uid=command.uid))
    account, target = dialogue.find(command.mailbox, code=b"TRYCREATE")
    count = selected.count(pairs)
    progress = dialogue.progress(command.tag, count)
    moved = CopyResult(0, [], [])
    try:
        async for part in selected.account.moving(
            selected.id, pairs, account, target.id, _expected(command, count)
        ):
            moved = part.behind(moved)
            progress.reach(len(moved.source))
    finally:
        # Also of what was moved before an error.
        if moved.source:
            selected.expunged(moved.source)
            dialogue.filed(account, target.id, moved.target)
            # RFC 6851 §4.3: before the EXPUNGEs, so that a client can connect the two.
            dialogue.core.untagged(b"OK [%b] moved" % _copyuid(moved))
    fewer = not command.uid and len(moved.source) < count
    return with_code(dialogue, EXPUNGED if fewer else ok(b"done"), code)


def _expected(command: Copy | Move, count: int) -> int | None:
    """How many of the messages named have to be there (RFC 2180 §4.4.1).

    UIDs that are gone are nobody's fault (RFC 3501 §6.4.8). Messages that came in
    meanwhile are beyond what the client can name by number.
    """
    return None if command.uid else count


def _copyuid(result: CopyResult) -> bytes:
    return responses.copyuid(result.uidvalidity, result.source, result.target)
