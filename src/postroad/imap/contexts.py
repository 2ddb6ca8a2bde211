"""Results that are kept up to date: RETURN (UPDATE) of SEARCH and SORT (RFC 5267 §4.3)."""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.ordering import SortCriterion
from postroad.imap.wire.responses import compress_uids
from postroad.imap.wire.search_keys import SearchKey


@dataclass(slots=True)
class Context:
    """One command whose results the client follows."""

    tag: bytes
    uid: bool
    """Told by UID, not by message number."""
    key: SearchKey
    """Without message numbers, which meant the messages of that moment."""
    criteria: tuple[SortCriterion, ...]
    """Of a SORT; empty for a SEARCH."""
    results: "array[int]"
    """UIDs in the order in which they were told: that of the mailbox for a SEARCH."""
    items: tuple[FetchItem, ...] = ()
    """What is sent of a new message that becomes a result (RFC 5465 §7)."""

    def change(self, kind: bytes, text: bytes) -> bytes:
        """Write a notification."""
        uid = b" UID" if self.uid else b""
        return b'* ESEARCH (TAG "%b")%b %b (%b)\r\n' % (self.tag, uid, kind, text)

    def without(self, uids: Collection[int], number: Callable[[int], int]) -> bytes:
        """Take UIDs out and tell it, while their numbers hold; nothing where none is among the results."""
        places = [at for at, uid in enumerate(self.results) if uid in uids]
        if not places:
            return b""
        names = [self.results[at] if self.uid else number(self.results[at]) for at in places]
        if self.criteria:
            # From the last to the first, so that each position holds.
            pairs = [b"%d %d" % (at + 1, name) for at, name in zip(places, names, strict=True)]
            text = b" ".join(reversed(pairs))
        else:
            text = b"0 " + compress_uids(names)
        gone = set(uids)
        self.results = array("I", [uid for uid in self.results if uid not in gone])
        return self.change(b"REMOVEFROM", text)

    def with_more(self, uids: "array[int]", number: Callable[[int], int]) -> bytes:
        """Put ascending UIDs among the results of a SEARCH and tell it."""
        self.results = array("I", sorted([*self.results, *uids]))
        return self.change(b"ADDTO", b"0 " + compress_uids(uids if self.uid else [*map(number, uids)]))

    def with_one(self, at: int, uid: int, number: Callable[[int], int]) -> bytes:
        """Put a UID at a place among the results of a SORT; give the pair that tells it."""
        self.results.insert(at, uid)
        return b"%d %d" % (at + 1, uid if self.uid else number(uid))


class Contexts:
    """All that one session follows in its selected mailbox."""

    __slots__ = ("_contexts",)

    def __init__(self) -> None:
        self._contexts: dict[bytes, Context] = {}

    def __iter__(self) -> Iterator[Context]:
        return iter(list(self._contexts.values()))

    def __bool__(self) -> bool:
        return bool(self._contexts)

    def __contains__(self, tag: bytes) -> bool:
        return tag in self._contexts

    def follow(self, context: Context, most: int, most_results: int) -> bool:
        """Follow one more, if there are no more than `most` with `most_results` messages in all of them."""
        results = len(context.results) + sum(len(other.results) for other in self._contexts.values())
        if len(self._contexts) >= most or results > most_results:
            return False
        self._contexts[context.tag] = context
        return True

    def numbered(self) -> list[bytes]:
        """The tags of those that are told by message number."""
        return [context.tag for context in self._contexts.values() if not context.uid]

    def cancel(self, tags: Iterable[bytes]) -> None:
        """Follow them no longer."""
        for tag in tags:
            self._contexts.pop(tag, None)

    def without(self, uids: Collection[int], number: Callable[[int], int]) -> bytes:
        """Take messages that are gone out of all results, and tell it before EXPUNGE does (§4.3.4)."""
        return b"".join([context.without(uids, number) for context in self._contexts.values()])
