"""Messages that stand side by side in a pack, read and looked through at once, not by a `pread` each."""

from collections.abc import Iterable, Iterator
from typing import Final

from postroad.store.blobs.reader import PackReader
from postroad.store.messages import StoredMessage

_GAP: Final = 8 * 1024
"""Octets of something else between two messages that are read with them."""
_SPAN: Final = 512 * 1024
"""Octets read at a time."""


class Neighbours:
    """Some messages of one pack and all octets from the first to the last."""

    __slots__ = ("messages", "octets", "start")

    def __init__(self, messages: list[StoredMessage], packs: PackReader) -> None:
        """Read them; their digests are not looked at.

        Raises:
            Damaged: the pack does not hold them any more.
        """
        pack, self.start, _ = messages[0].place
        _, offset, length = messages[-1].place
        self.messages = messages
        self.octets = packs.read(pack, self.start, offset + length - self.start)

    def without(self, folded: bytes) -> list[StoredMessage]:
        """Return the messages of ASCII that do not have `folded`, octets in lower case, in any case."""
        octets = self.octets.lower()
        all_ascii = octets.isascii()
        found = octets.find(folded)
        if found < 0 and all_ascii:
            return self.messages
        lacking: list[StoredMessage] = []
        for message in self.messages:
            _, offset, length = message.place
            start = offset - self.start
            end = start + length
            if 0 <= found < start:
                found = octets.find(folded, start)
            if not 0 <= found <= end - len(folded) and (all_ascii or octets[start:end].isascii()):
                lacking.append(message)
        return lacking


def side_by_side(messages: Iterable[StoredMessage]) -> Iterator[list[StoredMessage]]:
    """Put those together that can be read at once, in the order of the pack; large ones are left out."""
    group: list[StoredMessage] = []
    group_pack = first = end = 0
    for message in sorted(messages, key=lambda message: message.place):
        pack, offset, length = message.place
        if length > _SPAN:
            continue
        if group and (pack != group_pack or offset > end + _GAP or offset + length > first + _SPAN):
            yield group
            group = []
        if not group:
            group_pack, first = pack, offset
        group.append(message)
        end = offset + length
    if group:
        yield group
