"""Commands about mailboxes (RFC 3501 §6.3).

Names are decoded.
"""

from msgspec import Struct

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.status_item import StatusItem


class QuickResync(Struct, frozen=True):
    """What a client of QRESYNC remembers (RFC 7162 §3.2.5)."""

    uidvalidity: int
    modseq: int
    known_uids: SequenceSet | None = None
    known_numbers: SequenceSet | None = None
    """Message numbers that go, in order, with `numbered_uids`."""
    numbered_uids: SequenceSet | None = None


class Select(Command, frozen=True):
    """SELECT, or EXAMINE with `read_only`."""

    mailbox: MailboxName
    read_only: bool = False
    condstore: bool = False
    """The CONDSTORE parameter (RFC 7162 §3.1.8)."""
    qresync: QuickResync | None = None
    annotate: bool = False
    """The ANNOTATE parameter (RFC 5257 §4.2)."""


class Create(Command, frozen=True):
    """CREATE; `special_use` holds the attributes of USE (RFC 6154 §3), `\\Sent` …"""

    mailbox: MailboxName
    special_use: tuple[str, ...] = ()


class Delete(Command, frozen=True):
    """DELETE."""

    mailbox: MailboxName


class Rename(Command, frozen=True):
    """RENAME."""

    mailbox: MailboxName
    new_name: MailboxName


class Subscribe(Command, frozen=True):
    """SUBSCRIBE, or UNSUBSCRIBE with `on` false."""

    mailbox: MailboxName
    on: bool = True


class List(Command, frozen=True):
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


class Lsub(Command, frozen=True):
    """LSUB."""

    reference: str
    pattern: str


class Status(Command, frozen=True):
    """STATUS; `items` in the order asked, without repetition."""

    mailbox: MailboxName
    items: tuple[StatusItem, ...]


class GetQuota(Command, frozen=True):
    """GETQUOTA (RFC 9208 §4.1.1)."""

    root: str


class GetQuotaRoot(Command, frozen=True):
    """GETQUOTAROOT (RFC 9208 §4.1.2)."""

    mailbox: MailboxName


class Check(Command, frozen=True):
    """CHECK."""


class Close(Command, frozen=True):
    """CLOSE: expunges in silence, where the mailbox is not read-only."""


class Unselect(Command, frozen=True):
    """UNSELECT (RFC 3691): closes without expunging."""
