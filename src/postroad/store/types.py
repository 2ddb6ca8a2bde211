"""The values that the store's verbs take and give."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from postroad.config.limits import Limits
from postroad.model.annotation import Annotation
from postroad.model.octets import Body

Ranges = Sequence[tuple[int, int]]
"""UIDs as inclusive (low, high) pairs, ascending and disjoint."""


class Mailbox(Struct, frozen=True):
    """One mailbox of an account, with its counters as of one read."""

    id: int
    name: str
    """Unicode, levels parted by `/`; INBOX is always written so."""
    uidvalidity: int
    uidnext: int
    highest_modseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    """Octets of all its messages (RFC 8438)."""
    recent_from: int
    """UIDs from here on have been shown to no read-write session yet."""
    special_use: str
    """`\\Sent`, `\\Drafts` … or empty (RFC 6154)."""
    subscribed: bool


class Origin(NamedTuple):
    """Where messages were that are put somewhere else, and whose annotations come along (RFC 5257 §4.6)."""

    account_id: int
    mailbox_id: int
    users: tuple[int, ...] | None
    """Everybody's is 0 (`message_annotations.EVERYBODY`); None: all of all users."""
    limits: Limits | None = None
    """What the account may hold of them; None where there will be no more of them than there were."""
    expunged: bool = False
    """They are in no mailbox any more, and perhaps there is no such mailbox either."""


class Entry(NamedTuple):
    """The narrow row of a message in a mailbox: all that a listing needs."""

    uid: int
    modseq: int
    flags: int
    """A mask of `postroad.model.flags.Flag`."""
    keywords: str
    """Stored form: sorted, parted by single spaces."""
    size: int
    """RFC822.SIZE in octets."""
    internal_date: int
    """Seconds since the epoch."""
    message_id: int
    """Key of the wide row; the same in every mailbox that holds the message."""


class Changes(Struct, frozen=True):
    """What happened in a mailbox after a modseq, as of `modseq`."""

    modseq: int
    uidnext: int
    entries: list[Entry]
    """New and changed entries, by UID."""
    vanished: list[int]
    """Expunged UIDs, ascending; a UID that came and went in between may be named."""
    annotated: int = 0
    """The modseq of the latest change of an annotation; 0 where there never was any."""
    exists: bool = True
    """False when the mailbox itself has been deleted."""
    complete: bool = True
    """False where more may have vanished than is still known (`store.tombstones`)."""


class NewMessage(Struct, frozen=True):
    """A message to append: bytes as the client sent them, never altered."""

    body: Body
    flags: int = 0
    keywords: frozenset[str] = frozenset()
    internal_date: int | None = None
    annotations: tuple[Annotation, ...] = ()


class FlagsResult(Struct, frozen=True):
    """What a STORE did."""

    since: int
    """The mailbox's modseq just before."""
    modseq: int
    """And now; of all that happened between the two the caller knows."""
    entries: list[Entry]
    """Every entry named that exists, as it is now."""
    conflicts: list[int]
    """UIDs left alone because they changed after `unchanged_since` (RFC 7162 §3.1.3)."""
    annotated: tuple[int, ...] = ()
    """The modseqs at which it has changed annotations."""

    def followed_by(self, later: "FlagsResult") -> "FlagsResult":
        """Both in one; what others did in between is not counted to what is known."""
        modseq = later.modseq if self.modseq == later.since else self.modseq
        return FlagsResult(
            self.since,
            modseq,
            self.entries + later.entries,
            self.conflicts + later.conflicts,
            self.annotated + later.annotated,
        )


class CopyResult(Struct, frozen=True):
    """COPYUID in values (RFC 4315 §3): source and new UIDs in the same order."""

    uidvalidity: int
    source: list[int]
    target: list[int]

    def behind(self, before: "CopyResult") -> "CopyResult":
        """Both in one, in the lists of the one before: that may be one of a thousand."""
        before.source.extend(self.source)
        before.target.extend(self.target)
        return CopyResult(self.uidvalidity, before.source, before.target)


class Quota(Struct, frozen=True):
    """Use and limit; a limit of None is no limit (RFC 9208)."""

    bytes_used: int
    bytes_limit: int | None
    messages_used: int
    messages_limit: int | None
    domain: "Quota | None" = None
    """The same of all accounts of the domain together, where that has a limit."""

    @property
    def is_full(self) -> bool:
        """Whether nothing more can come."""
        return (
            (self.bytes_limit is not None and self.bytes_used >= self.bytes_limit)
            or (self.messages_limit is not None and self.messages_used >= self.messages_limit)
            or (self.domain is not None and self.domain.is_full)
        )

    @property
    def is_over(self) -> bool:
        """Whether more is there than may be."""
        return (self.bytes_limit is not None and self.bytes_used > self.bytes_limit) or (
            self.messages_limit is not None and self.messages_used > self.messages_limit
        )

    @property
    def room(self) -> int | None:
        """Octets that may still come; None without a limit."""
        rooms = [] if self.bytes_limit is None else [self.bytes_limit - self.bytes_used]
        rooms += [] if self.domain is None or self.domain.room is None else [self.domain.room]
        return min(rooms, default=None)
