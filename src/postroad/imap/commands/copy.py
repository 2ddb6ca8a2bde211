"""COPY, MOVE and their UID forms (RFC 3501 §6.4.7, RFC 6851, RFC 4315 §3)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import READ_ONLY
from postroad.imap.message_limit import need_copied, newest
from postroad.imap.uid_set import Pairs
from postroad.imap.wire import responses
from postroad.imap.wire.message_commands import Copy, Move
from postroad.store.types import CopyResult


async def copy(dialogue: Dialogue, command: Copy) -> Answer:
    """Copy messages, all or none."""
    pairs, count = _named(dialogue, command)
    need_copied(dialogue, dialogue.selected, pairs)
    result = await _carry(dialogue, command, pairs, count)
    return ok(b"copied", _copyuid(result)) if result.source else ok(b"there was nothing to copy")


async def move(dialogue: Dialogue, command: Move) -> Answer:
    """Move messages in one transaction; EXPUNGE tells which are gone from here (RFC 6851 §3.3)."""
    selected = dialogue.selected
    if selected.read_only:
        return READ_ONLY
    pairs, code = newest(dialogue, selected, selected.uid_pairs(command.messages, uid=command.uid))
    count = None if command.uid else selected.count(pairs)
    result = await _carry(dialogue, command, pairs, count)
    if result.source:
        # RFC 6851 §4.3: before the EXPUNGEs, so that a client can connect the two.
        dialogue.core.untagged(b"OK [%b] moved" % _copyuid(result))
    return ok(b"done", code)


async def _carry(dialogue: Dialogue, command: Copy | Move, pairs: Pairs, count: int | None) -> CopyResult:
    selected = dialogue.selected
    account, target = dialogue.find(command.mailbox, code=b"TRYCREATE")
    move = isinstance(command, Move)
    result = await selected.account.carry(selected.id, pairs, account, target.id, count, move=move)
    if move:
        selected.expunged(sorted(result.source))
    dialogue.filed(account, target.id, result.target)
    return result


def _named(dialogue: Dialogue, command: Copy | Move) -> tuple[Pairs, int | None]:
    """The UIDs of the messages named, and how many there have to be (RFC 2180 §4.4.1).

    UIDs that are gone are nobody's fault (RFC 3501 §6.4.8). Those that came in
    meanwhile are beyond what the client can name by number.

    Raises:
        BadNumber
    """
    selected = dialogue.selected
    pairs = selected.uid_pairs(command.messages, uid=command.uid)
    return pairs, None if command.uid else selected.count(pairs)


def _copyuid(result: CopyResult) -> bytes:
    return responses.copyuid(result.uidvalidity, result.source, result.target)
