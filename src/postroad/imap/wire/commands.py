"""Every command a client can give, as a value (RFC 3501 §6 and its extensions).

A session gets these from `ImapServerCore.next_event`, parsed, checked against
the grammar and legal in the state of the session. Mailbox names are decoded,
sequence sets are unresolved, macros are expanded.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.ordering import SortCriterion, ThreadAlgorithm
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.search_keys import SearchKey
from postroad.imap.wire.search_sources import SearchSource
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.status_item import StatusItem

StoreMode: TypeAlias = Literal["set", "add", "remove"]


@dataclass(frozen=True, slots=True)
class Command:
    """What all commands have: the tag, checked, for `tagged`."""

    tag: bytes


# -- in any state (RFC 3501 §6.1) -----------------------------------------


@dataclass(frozen=True, slots=True)
class Capability(Command):
    """CAPABILITY."""


@dataclass(frozen=True, slots=True)
class Noop(Command):
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Logout(Command):
    """LOGOUT."""


@dataclass(frozen=True, slots=True)
class Id(Command):
    """ID (RFC 2971); empty for NIL. Fields are what the client says, not more."""

    fields: tuple[tuple[str, str | None], ...] = ()


# -- not authenticated (RFC 3501 §6.2) ------------------------------------


@dataclass(frozen=True, slots=True)
class StartTls(Command):
    """STARTTLS: answer, `core.reset_for_tls()`, then `Connection.start_tls`."""


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """AUTHENTICATE, with the initial response of RFC 4959 already out of base64.

    `core.expect_auth_response(tag)` makes the next line an `AuthResponse`.
    """

    mechanism: str
    """In upper case."""
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login(Command):
    """LOGIN; octets that are no UTF-8 become U+FFFD and match nothing."""

    user: str
    password: str = field(repr=False)


# -- authenticated (RFC 3501 §6.3) ----------------------------------------


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """ENABLE (RFC 5161); names in upper case, known or not."""

    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compress(Command):
    """COMPRESS DEFLATE (RFC 4978): answer, then `core.begin_compression`."""


@dataclass(frozen=True, slots=True)
class Unauthenticate(Command):
    """UNAUTHENTICATE (RFC 8437)."""


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
    """SUBSCRIBED, CHILDREN, SPECIAL-USE, STATUS."""
    status: tuple[StatusItem, ...] = ()
    """The items of RETURN (STATUS (…))."""
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
class Namespace(Command):
    """NAMESPACE (RFC 2342)."""


@dataclass(frozen=True, slots=True)
class GetQuota(Command):
    """GETQUOTA (RFC 9208 §4.1.1)."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot(Command):
    """GETQUOTAROOT (RFC 9208 §4.1.2)."""

    mailbox: MailboxName


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """IDLE (RFC 2177): answer `core.continuation`, then `core.expect_done(tag)`."""


@dataclass(frozen=True, slots=True)
class FlagList:
    """Flags a client names: a mask of `model.flags.Flag` and keywords.

    `\\Recent` is nobody's to set and is left out (RFC 3501 §2.3.2).
    """

    mask: int = 0
    keywords: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AppendStart(Command):
    """APPEND up to its literal; nothing has been invited yet.

    Answer with `core.accept_literal()`, then come `LiteralChunk`s and behind
    them an `AppendEnd` or an `AppendNext`, or with `core.refuse_literal(...)`
    and hear no more of it.
    """

    mailbox: MailboxName
    flags: FlagList
    date: int | None
    """INTERNALDATE in seconds since the epoch; None for now."""
    size: int
    binary: bool = False
    """`~{…}`: may hold NULs (RFC 3516 §4.4)."""


# -- selected (RFC 3501 §6.4) ---------------------------------------------


@dataclass(frozen=True, slots=True)
class Check(Command):
    """CHECK."""


@dataclass(frozen=True, slots=True)
class Close(Command):
    """CLOSE: expunges in silence, where the mailbox is not read-only."""


@dataclass(frozen=True, slots=True)
class Unselect(Command):
    """UNSELECT (RFC 3691): closes without expunging."""


@dataclass(frozen=True, slots=True)
class Expunge(Command):
    """EXPUNGE, or UID EXPUNGE of those `uids` alone (RFC 4315 §2.1)."""

    uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Search(Command):
    """SEARCH and UID SEARCH; several keys arrive as one `And`."""

    key: SearchKey
    uid: bool = False
    returns: frozenset[str] | None = None
    """RETURN (…): MIN, MAX, ALL, COUNT (RFC 4731), SAVE (RFC 5182), PARTIAL (RFC 9394), CONTEXT,
    UPDATE (RFC 5267), RELEVANCY (RFC 6203); None where the plain response is wanted. An empty
    RETURN () is {ALL}."""
    partial: PartialRange | None = None
    """The range of PARTIAL."""


@dataclass(frozen=True, slots=True)
class Sort(Search):
    """SORT and UID SORT (RFC 5256, RFC 5267 §3)."""

    criteria: tuple[SortCriterion, ...] = ()
    """In the order of their weight; never empty."""


@dataclass(frozen=True, slots=True)
class MultiSearch(Search):
    """ESEARCH (RFC 7377); `returns` is never None, and what is told are UIDs."""

    sources: tuple[SearchSource, ...] = ()
    """Where; the selected mailbox where nothing was said."""


@dataclass(frozen=True, slots=True)
class Thread(Command):
    """THREAD and UID THREAD (RFC 5256)."""

    algorithm: ThreadAlgorithm
    key: SearchKey
    uid: bool = False


@dataclass(frozen=True, slots=True)
class CancelUpdate(Command):
    """CANCELUPDATE (RFC 5267 §4.3.5)."""

    tags: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fetch(Command):
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


@dataclass(frozen=True, slots=True)
class Store(Command):
    """STORE and UID STORE."""

    messages: SequenceSet
    mode: StoreMode
    flags: FlagList
    silent: bool = False
    uid: bool = False
    unchanged_since: int | None = None
    """RFC 7162 §3.1.3."""


@dataclass(frozen=True, slots=True)
class Copy(Command):
    """COPY and UID COPY."""

    messages: SequenceSet
    mailbox: MailboxName
    uid: bool = False


@dataclass(frozen=True, slots=True)
class Move(Command):
    """MOVE and UID MOVE (RFC 6851)."""

    messages: SequenceSet
    mailbox: MailboxName
    uid: bool = False


# -- what follows within a command ----------------------------------------


@dataclass(frozen=True, slots=True)
class LiteralChunk:
    """Octets of the message that is being appended."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AppendNext:
    """A further message of the same APPEND (RFC 3502); answer it as an AppendStart."""

    tag: bytes
    flags: FlagList
    date: int | None
    size: int
    binary: bool = False


@dataclass(frozen=True, slots=True)
class AppendEnd:
    """The command is complete: file its messages and answer."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class AppendAborted:
    """What followed the message was no end of command; the core has answered."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """A line of a SASL exchange, out of base64."""

    tag: bytes
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """The client gave up (`*`) or sent no base64; the core has answered BAD."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class IdleEnd:
    """IDLE is over. `done` is false where the line was no DONE; the core has answered then."""

    tag: bytes
    done: bool = True


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """A SEARCH that was to be saved has been refused: `$` stands for nothing now (RFC 5182 §2.1)."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The core has said its last word, if any: flush and close."""

    reason: str
    """For the log: `http`, `tls`, `bad commands`, `too big`."""


_Continued: TypeAlias = (
    LiteralChunk | AppendNext | AppendEnd | AppendAborted | AuthResponse | AuthAborted | IdleEnd
)
Event: TypeAlias = Command | _Continued | SaveFailed | Hangup
