"""UIDBATCHES: where to cut a large mailbox into pieces (draft-ietf-mailmaint-imap-uidbatches)."""

from collections.abc import Sequence
from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.wire.responses import uidbatches
from postroad.imap.wire.search_commands import UidBatches

_SMALLEST: Final = 500
"""Messages of a batch below which a server may refuse."""
_MOST: Final = 100_000
"""Messages in a range of batches, beyond which nobody has to ask."""


def uid_batches(dialogue: Dialogue, command: UidBatches) -> Answer:
    """Tell ranges of UIDs that have as many messages each, the newest first."""
    if command.size < _SMALLEST:
        raise No(b"TOOFEW", b"a batch has at least %d messages" % _SMALLEST)
    if command.last is not None and (command.last - command.first + 1) * command.size > _MOST:
        raise No(b"TOOMANY", b"these are more than %d messages" % _MOST)
    ranges = cut(dialogue.selected.uids, command.size)
    wanted = ranges[command.first - 1 : command.last]
    dialogue.core.untagged(uidbatches(command.tag, wanted))
    return ok(b"done")


def cut(uids: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Cut ascending UIDs into (highest, lowest), the newest first, side by side; the last ends at 1."""
    highest = [uids[at] for at in range(len(uids) - 1, -1, -size)]
    lowest = [below + 1 for below in highest[1:]] + [1] * bool(highest)
    return list(zip(highest, lowest, strict=True))
