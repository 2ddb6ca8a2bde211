"""Lines about group commits: which records of a pack were acknowledged (ADR 3).

    postroad/1 group number=41 id=5d0c… after=93aa…
    postroad/1 commit number=41 id=5d0c…

A `group` line closes what one group has appended to a pack. It names the
group before, so whatever a later group names was committed. The `commit` line
is written behind the tail once the commit stands, and the next group
overwrites it: it speaks for the last group, which nobody names yet.
"""

import mmap
import os
from dataclasses import dataclass

from postroad.store.blobs.record import MAGIC, Record, scan


@dataclass(frozen=True, slots=True)
class Group:
    """One group commit that wrote to packs."""

    number: int
    id: str
    """Random: two attempts at one number are two ids, and no sender of mail can guess one."""
    after: str
    """The id of the group that was committed before; empty for the first."""

    def closing(self) -> bytes:
        """The line behind the records of the group."""
        return b"%bgroup number=%d id=%b after=%b\n" % (
            MAGIC,
            self.number,
            self.id.encode(),
            self.after.encode(),
        )

    def committed(self) -> bytes:
        """The line that says that the commit stands."""
        return b"%bcommit number=%d id=%b\n" % (MAGIC, self.number, self.id.encode())

    @classmethod
    def of(cls, record: Record) -> "Group":
        """Read a `group` or `commit` line."""
        return cls(record.number("number"), record.text("id"), record.text("after"))


def is_ahead(fd: int, tail: int, number: int) -> bool:
    """Whether a pack holds, behind `tail`, what was acknowledged after the index counted `number` groups.

    Only one group is under way at a time, so what a dead worker left is closed
    by `number + 1` at most and has no `commit` line. Records are believed as
    long as one follows the other without a gap: the octets of a message that
    came only in part may say anything.
    """
    size = os.fstat(fd).st_size
    if size <= tail:
        return False
    with mmap.mmap(fd, size, prot=mmap.PROT_READ) as pack:
        expected = tail
        for record in scan(pack, tail):
            if record.at != expected:
                return False
            expected = record.end
            if record.kind == "commit" and record.number("number") > number:
                return True
            if record.kind == "group" and record.number("number") > number + 1:
                return True
    return False


def new_id() -> str:
    """An id for a group."""
    return os.urandom(8).hex()
