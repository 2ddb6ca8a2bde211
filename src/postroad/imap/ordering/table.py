"""The columns that SORT compares, and the order that comes of them (RFC 5256 §3, RFC 5957, RFC 6203 §6)."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from postroad.imap.annotations import sort_texts
from postroad.imap.ordering.sliced import SLICE, Sliced, sliced, sort_sliced
from postroad.imap.wire.ordering import SortCriterion, SortKey
from postroad.message.collation import collated
from postroad.message.envelope import AddressList, first_address
from postroad.message.subject import base_subject
from postroad.store.account import Account
from postroad.store.listing import Batch

_ADDRESSES: Final = {
    SortKey.CC: AddressList.CC,
    SortKey.DISPLAYFROM: AddressList.FROM,
    SortKey.DISPLAYTO: AddressList.TO,
    SortKey.FROM: AddressList.FROM,
    SortKey.TO: AddressList.TO,
}
_WIDE: Final = {
    SortKey.DATE: "sent",
    SortKey.SUBJECT: "subject",
    **dict.fromkeys(_ADDRESSES, "envelope"),
}
Values: TypeAlias = Sequence[int] | Sequence[str]


class SortTable:
    """Messages that are to be sorted: add them in mailbox order, then ask for the order."""

    def __init__(self, account: Account, mailbox_id: int, criteria: Sequence[SortCriterion]) -> None:
        self._account = account
        self._mailbox_id = mailbox_id
        # What was compared already decides nothing any more.
        firsts = {criterion._replace(reverse=False): criterion for criterion in reversed(criteria)}
        self._criteria = [firsts[key] for key in dict.fromkeys(c._replace(reverse=False) for c in criteria)]
        self._columns = [_Column() for _ in self._criteria]
        self._wide = sorted({_WIDE[each.key] for each in self._criteria if each.key in _WIDE})
        self._count = 0

    def add(self, batch: Batch, scores: Sequence[int]) -> tuple[Batch, Sequence[int]]:
        """Add messages with their relevancy; give those that were not expunged since the batch was taken."""
        batch, scores, wide = self._rendered(batch, scores)
        self._count += len(batch.uids)
        for criterion, column in zip(self._criteria, self._columns, strict=True):
            if criterion.key is SortKey.ANNOTATION:
                entry, private = criterion.entry, criterion.private
                column.extend(sort_texts(self._account, self._mailbox_id, batch, entry, private))
            else:
                column.extend(values(criterion.key, batch, scores, wide))
        return batch, scores

    def _rendered(
        self, batch: Batch, scores: Sequence[int]
    ) -> tuple[Batch, Sequence[int], dict[str, Sequence[object]]]:
        if not self._wide:
            return batch, scores, {}
        ids, columns = self._account.rendered(batch.message_ids, self._wide)
        place_of = {message_id: at for at, message_id in enumerate(ids)}
        there = [at for at, message_id in enumerate(batch.message_ids) if message_id in place_of]
        batch = batch.pick(there)
        order = [place_of[message_id] for message_id in batch.message_ids]
        wide: dict[str, Sequence[object]] = {
            name: [column[at] for at in order] for name, column in zip(self._wide, columns, strict=True)
        }
        return batch, [scores[at] for at in there] if scores else (), wide

    def first(self) -> list[tuple[str | int, bool]]:
        """Return what is compared of the first message, if any, and whether in reverse."""
        if not self._count:
            return []
        return [
            (column.first(), criterion.reverse)
            for criterion, column in zip(self._criteria, self._columns, strict=True)
        ]

    def order(self) -> Sliced["array[int]"]:
        """Return the places of the messages, sorted; equal ones in mailbox order (RFC 5256 §3)."""
        columns: list[Sequence[int]] = []
        for criterion, column in zip(self._criteria, self._columns, strict=True):
            ranks = yield from column.ranks()
            columns.append([-rank for rank in ranks] if criterion.reverse else ranks)
            yield
        rows: list[tuple[int, ...]] = []
        for row in zip(*columns, range(self._count), strict=True):
            rows.append(row)
            if not len(rows) % SLICE:
                yield
        places = array("I")
        for some in sliced((yield from sort_sliced(rows))):
            places.extend([row[-1] for row in some])
            yield
        return places


class _Column:
    """One key of every message: numbers as they are, of texts each different one once."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._texts: dict[str, int] = {}

    def extend(self, keys: Values) -> None:
        if keys and isinstance(keys[0], str):
            known = self._texts
            self._numbers.extend([known.setdefault(text, len(known)) for text in keys])  # type: ignore[arg-type]
        else:
            self._numbers.fromlist(list(keys))  # type: ignore[arg-type]

    def first(self) -> str | int:
        """Return the first key."""
        return next(iter(self._texts)) if self._texts else self._numbers[0]

    def ranks(self) -> Sliced[Sequence[int]]:
        """Return numbers that compare as the keys do."""
        if not self._texts:
            return self._numbers
        texts = yield from sort_sliced(list(self._texts))
        rank = array("I", bytes(4 * len(texts)))
        for place, text in enumerate(texts):
            rank[self._texts[text]] = place
        ranks = array("I")
        for some in sliced(self._numbers):
            ranks.extend([rank[number] for number in some])
            yield
        return ranks


def values(key: SortKey, batch: Batch, scores: Sequence[int], wide: dict[str, Sequence[object]]) -> Values:
    """Return what a criterion compares, for each message of a batch."""
    match key:
        case SortKey.ARRIVAL:
            return batch.dates
        case SortKey.SIZE:
            return batch.sizes
        case SortKey.DATE:
            return sent_dates(batch, wide["sent"])
        case SortKey.RELEVANCY:
            return [-score for score in scores] or [-100] * len(batch.uids)
        case SortKey.SUBJECT:
            return [collated(base_subject(str(subject))) for subject in wide["subject"]]
        case _:
            return list(_addresses(key, wide["envelope"]))


def sent_dates(batch: Batch, sent: Sequence[object]) -> list[int]:
    """Return the sent date of each message: where it says none, when it came (RFC 5256 §2.2)."""
    return [
        moment if isinstance(moment, int) else arrival
        for moment, arrival in zip(sent, batch.dates, strict=True)
    ]


def _addresses(key: SortKey, envelopes: Iterable[object]) -> Iterable[str]:
    which = _ADDRESSES[key]
    displayed = key in (SortKey.DISPLAYFROM, SortKey.DISPLAYTO)
    for envelope in envelopes:
        assert isinstance(envelope, bytes)
        address = first_address(envelope, which)
        if address is None:
            yield ""
        else:
            yield collated(address.display() if displayed else address.local_part())
