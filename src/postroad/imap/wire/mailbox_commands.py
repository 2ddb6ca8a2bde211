"""Commands about mailboxes (RFC 3501 §6.3).

Names are decoded.
"""

from dataclasses import dataclass

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.status_item import StatusItem


@dataclass(frozen=True, slots=True)
class QuickResync:
    """What a client of QRESYNC remembers (RFC 7162 §3.2.5)."""

    uidvalidity: int
    modseq: int
    known_uids: SequenceSet | None = None
    known_numbers: SequenceSet | None = None
    """Message numbers that go, in order, with `numbered_uids`."""
    numbered_uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Select(Command):
    """SELECT, or EXAMINE with `read_only`."""

    mailbox: MailboxName
    read_only: bool = False
    condstore: bool = False
    """The CONDSTORE parameter (RFC 7162 §3.1.8)."""
    qresync: QuickResync | None = None


@dataclass(frozen=True, slots=True)
class Create(Command):
    """CREATE; `special_use` holds the attributes of USE (RFC 6154 §3), `\\Sent` …"""

    mailbox: MailboxName
    special_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete(Command):
    """DELETE."""

    mailbox: MailboxName


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """RENAME."""

    mailbox: MailboxName
    new_name: MailboxName


@dataclass(frozen=True, slots=True)
class Subscribe(Command):
    """SUBSCRIBE, or UNSUBSCRIBE with `on` false."""

    mailbox: MailboxName
    on: bool = True


@dataclass(frozen=True, slots=True)
class List(Command):
    """LIST, plain or extended (RFC 5258, RFC 5819, RFC 6154).

    Names of options are in upper case. A plain LIST with the one pattern ""
    asks for the hierarchy delimiter (RFC 3501 §6.3.8).
    """

    reference: str
    patterns: tuple[str, ...]
    """With `*` and `%` in them, out of modified UTF-7."""
    select: frozenset[str] = frozenset()
    """SUBSCRIBED, REMOTE, RECURSIVEMATCH, SPECIAL-USE."""
    returns: frozenset[str] = frozenset()
    """SUBSCRIBED, CHILDREN, SPECIAL-USE, MYRIGHTS, STATUS, METADATA."""
    status: tuple[StatusItem, ...] = ()
    """The items of RETURN (STATUS (…))."""
    metadata: tuple[str, ...] = ()
    """The entries of RETURN (METADATA (…)) (RFC 9590)."""
    extended: bool = False
    """Written in a way that only RFC 5258 knows."""


@dataclass(frozen=True, slots=True)
class Lsub(Command):
    """LSUB."""

    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Status(Command):
    """STATUS; `items` in the order asked, without repetition."""

    mailbox: MailboxName
    items: tuple[StatusItem, ...]


@dataclass(frozen=True, slots=True)
class GetQuota(Command):
    """GETQUOTA (RFC 9208 §4.1.1)."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot(Command):
    """GETQUOTAROOT (RFC 9208 §4.1.2)."""

    mailbox: MailboxName


@dataclass(frozen=True, slots=True)
class Check(Command):
    """CHECK."""


@dataclass(frozen=True, slots=True)
class Close(Command):
    """CLOSE: expunges in silence, where the mailbox is not read-only."""


@dataclass(frozen=True, slots=True)
class Unselect(Command):
    """UNSELECT (RFC 3691): closes without expunging."""
