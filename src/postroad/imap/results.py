"""What a SEARCH or SORT has found, and what is told and kept of it (RFC 4731, RFC 5182, RFC 9394)."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final

from postroad.imap.ordering.sliced import Sliced, sliced
from postroad.imap.uid_set import Pairs, pairs_of
from postroad.imap.wire import responses
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.search_commands import Search
from postroad.store.listing import Batch

_SINGLES: Final = frozenset({"MIN", "MAX", "PARTIAL"})
_WHOLES: Final = frozenset({"ALL", "COUNT", "RELEVANCY"})
_UNTOLD: Final = frozenset({"SAVE", "CONTEXT"})


@dataclass(frozen=True, slots=True)
class Results:
    """Messages in the order in which they are told."""

    numbers: "array[int]" = field(default_factory=lambda: array("I"))
    uids: "array[int]" = field(default_factory=lambda: array("I"))
    modseqs: "array[int]" = field(default_factory=lambda: array("Q"))
    """Empty where nobody asked (RFC 7162 §3.1.6)."""
    scores: "array[int]" = field(default_factory=lambda: array("B"))
    """Relevancy (RFC 6203 §4)."""
    code: bytes = b""
    """MESSAGELIMIT, where older messages were not looked at (RFC 9738 §3.1)."""

    def add(self, batch: Batch, scores: Sequence[int], *, by_modseq: bool) -> None:
        """Add messages behind the others; without scores they are as relevant as can be."""
        self.numbers.extend(batch.numbers)
        self.uids.extend(batch.uids)
        if by_modseq:
            self.modseqs.extend(iter(batch.modseqs))  # from a column that may be narrower
        self.scores.extend(scores or repeat(100, len(batch.uids)))

    def ordered(self, places: Sequence[int]) -> Sliced["Results"]:
        """Return the same messages in another order."""
        other = Results()
        for some in sliced(places):
            for mine, others in zip(self._columns, other._columns, strict=True):
                if mine:
                    others.extend([mine[at] for at in some])
            yield
        return other

    @property
    def _columns(self) -> "tuple[array[int], ...]":
        return self.numbers, self.uids, self.modseqs, self.scores

    def plain(self, command: Search, response: bytes) -> bytes:
        """Write the response of a command without RETURN."""
        latest = max(self.modseqs, default=0)
        return responses.search(self.uids if command.uid else self.numbers, latest, response=response)

    def extended(self, command: Search, mailbox: responses.Correlator | None = None) -> bytes:
        """Write ESEARCH with what RETURN asks for; nothing where results are only kept (RFC 5182 §2.1).

        UPDATE alone has its ESEARCH too, without results: it tells that they are followed.
        """
        returns = command.returns or frozenset({"ALL"})
        if returns <= _UNTOLD:
            return b""
        # RFC 4731 §3.2: the mod-sequence is that of what the answer is about.
        latest = max(
            [self.modseqs[at] for at in self._meant(returns, command.partial)] if self.modseqs else [0]
        )
        return responses.esearch(
            command.tag,
            self.uids if command.uid else self.numbers,
            returns,
            uid=command.uid,
            partial=command.partial,
            scores=self.scores,
            mailbox=mailbox,
            modseq=latest,
        )

    def kept(self, returns: frozenset[str], partial: PartialRange | None) -> Pairs:
        """Return what `$` stands for from now on (RFC 5182 §2.4, RFC 9394 §3.2)."""
        return pairs_of(sorted({self.uids[at] for at in self._meant(returns, partial)}))

    def _meant(self, returns: frozenset[str], partial: PartialRange | None) -> Sequence[int]:
        """The places of all messages, or of those that single ones are asked of."""
        places = range(len(self.uids))
        singles = returns & _SINGLES
        if not places or not singles or returns & _WHOLES:
            return places
        first = places[:1] if "MIN" in singles else ()
        last = places[-1:] if "MAX" in singles else ()
        return list(chain(first, last, partial.cut(places) if partial is not None else ()))
