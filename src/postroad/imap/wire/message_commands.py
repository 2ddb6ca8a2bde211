"""Commands about messages (RFC 3501 §6.3.11, §6.4).

Sequence sets are unresolved, macros are expanded.
"""

from enum import Enum, auto
from typing import Literal, TypeAlias

from msgspec import Struct

from postroad.imap.wire.command import Command
from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.model.annotation import Annotation

StoreMode: TypeAlias = Literal["set", "add", "remove"]


class FlagList(Struct, frozen=True):
    """Flags a client names: a mask of `model.flags.Flag` and keywords.

    `\\Recent` is nobody's to set and is left out (RFC 3501 §2.3.2).
    """

    mask: int = 0
    keywords: frozenset[str] = frozenset()


class Within(Enum):
    """What a text of an APPEND stands in, and what may follow it."""

    MESSAGE = auto()
    """It is a message."""
    UTF8 = auto()
    """It is one, in `UTF8 (…)` (RFC 6855 §4)."""
    CATENATE = auto()
    """It is a part of one (RFC 4469)."""
    CATENATE_UTF8 = auto()


class MessageHead(Struct, frozen=True):
    """A message begins: what stands in front of its text."""

    flags: FlagList = FlagList()
    date: int | None = None
    """INTERNALDATE in seconds since the epoch; None for now."""
    annotations: tuple[Annotation, ...] = ()


class UrlPart(Struct, frozen=True):
    """A part of a message that is here already (RFC 4469 §3)."""

    url: bytes


AppendPiece: TypeAlias = MessageHead | UrlPart


class AppendText(Struct, frozen=True):
    """A literal with a message or a part of one; nothing has been invited yet.

    Answer with `core.accept_literal()`, then come `LiteralChunk`s and behind
    them an `AppendNext` or an `AppendEnd`, or with `core.refuse_literal(...)`
    and hear no more of the command.
    """

    size: int
    binary: bool = False
    """`~{…}`: may hold NULs (RFC 3516 §4.4)."""
    within: Within = Within.MESSAGE


class AppendStart(Command, frozen=True):
    """APPEND up to its first literal with text, or whole if it has none."""

    mailbox: MailboxName
    pieces: tuple[AppendPiece, ...]
    text: AppendText | None


class ReplaceStart(AppendStart, frozen=True):
    """REPLACE or UID REPLACE likewise (RFC 8508): of the one message named by `message`."""

    message: SequenceSet
    uid: bool = False


class Expunge(Command, frozen=True):
    """EXPUNGE, or UID EXPUNGE of those `uids` alone (RFC 4315 §2.1)."""

    uids: SequenceSet | None = None


class Fetch(Command, frozen=True):
    """FETCH and UID FETCH; UID FETCH has UID among its items already."""

    messages: SequenceSet
    items: tuple[FetchItem, ...]
    uid: bool = False
    changed_since: int | None = None
    """RFC 7162 §3.1.4.1; MODSEQ is among the items then."""
    vanished: bool = False
    """RFC 7162 §3.2.6."""
    partial: PartialRange | None = None
    """Which of the messages that there are (RFC 9394 §3.3)."""


class Store(Command, frozen=True):
    """STORE and UID STORE."""

    messages: SequenceSet
    mode: StoreMode
    flags: FlagList
    silent: bool = False
    uid: bool = False
    unchanged_since: int | None = None
    """RFC 7162 §3.1.3."""


class Annotate(Command, frozen=True):
    """STORE and UID STORE with ANNOTATION (RFC 5257 §4.5)."""

    messages: SequenceSet
    annotations: tuple[Annotation, ...]
    uid: bool = False
    unchanged_since: int | None = None


class Copy(Command, frozen=True):
    """COPY and UID COPY."""

    messages: SequenceSet
    mailbox: MailboxName
    uid: bool = False


class Move(Command, frozen=True):
    """MOVE and UID MOVE (RFC 6851)."""

    messages: SequenceSet
    mailbox: MailboxName
    uid: bool = False
