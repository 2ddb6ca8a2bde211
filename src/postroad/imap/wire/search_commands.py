"""Commands that find messages (RFC 3501 §6.4.4 and its extensions)."""

from postroad.imap.wire.command import Command
from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.ordering import SortCriterion, ThreadAlgorithm
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.search_keys import SearchKey
from postroad.imap.wire.search_sources import SearchSource


class Search(Command, frozen=True):
    """SEARCH and UID SEARCH; several keys arrive as one `And`."""

    key: SearchKey
    uid: bool = False
    returns: frozenset[str] | None = None
    """RETURN (…): MIN, MAX, ALL, COUNT (RFC 4731), SAVE (RFC 5182), PARTIAL (RFC 9394), CONTEXT,
    UPDATE (RFC 5267), RELEVANCY (RFC 6203); None where the plain response is wanted. An empty
    RETURN () is {ALL}."""
    partial: PartialRange | None = None
    """The range of PARTIAL."""
    update_items: tuple[FetchItem, ...] = ()
    """What UPDATE (…) asks for of new messages that become results (RFC 5465 §7)."""


class Sort(Search, frozen=True):
    """SORT and UID SORT (RFC 5256, RFC 5267 §3)."""

    criteria: tuple[SortCriterion, ...] = ()
    """In the order of their weight; never empty."""


class MultiSearch(Search, frozen=True):
    """ESEARCH (RFC 7377); `returns` is never None, and what is told are UIDs."""

    sources: tuple[SearchSource, ...] = ()
    """Where; the selected mailbox where nothing was said."""


class Thread(Command, frozen=True):
    """THREAD and UID THREAD (RFC 5256)."""

    algorithm: ThreadAlgorithm
    key: SearchKey
    uid: bool = False


class UidBatches(Command, frozen=True):
    """UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches)."""

    size: int
    """Messages of a batch."""
    first: int = 1
    """Which batches are wanted, counted from the newest messages."""
    last: int | None = None
    """None: all to the end."""


class CancelUpdate(Command, frozen=True):
    """CANCELUPDATE (RFC 5267 §4.3.5)."""

    tags: tuple[bytes, ...]
