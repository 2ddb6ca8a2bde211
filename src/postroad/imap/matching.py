"""SEARCH keys against the columns of a listing (RFC 3501 §6.4.4).

A key filters places in a batch. Keys beside one another filter one after the
other, the cheap ones first, so that a message is opened only where nothing
else can decide.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, TypeAlias

from postroad.imap.contents import Contents
from postroad.imap.fuzzy import Fuzziness
from postroad.imap.objects import in_thread, message_key, saved_within
from postroad.imap.selected import Selected
from postroad.imap.uid_set import Pairs, is_in, meet
from postroad.imap.wire import search_keys as keys
from postroad.imap.wire.search_keys import DateField, DateTest, SearchKey
from postroad.imap.wire.sequence_set import MAX_NUMBER
from postroad.store.account import Account
from postroad.store.listing import Batch

Places: TypeAlias = Sequence[int]
"""Of entries in a batch, ascending."""
_EVERY: Pairs = ((1, MAX_NUMBER),)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal()
_DAY: Final = 86400


class Matcher:
    """One search in one mailbox."""

    def __init__(
        self, account: Account, selected: Selected, contents: Contents, fuzziness: Fuzziness, now: float
    ) -> None:
        self.scores: dict[int, int] = {}
        """Relevancy, 1 to 100, of the UIDs that a FUZZY key has matched (RFC 6203 §4)."""
        self._account = account
        self._selected = selected
        self._contents = contents
        self._fuzziness = fuzziness
        self._now = int(now)

    async def matching(self, key: SearchKey, batch: Batch, places: Places) -> Places:
        """Return those of the places whose entries the key matches."""
        if not places:
            return places
        match key:
            case keys.AllMessages():
                return places
            case keys.And(keys=parts):
                for part in sorted(parts, key=_cost):
                    places = await self.matching(part, batch, places)
                return places
            case keys.Or(first=first, second=second):
                return await self._either(first, second, batch, places)
            case keys.Not(key=inner):
                return _without(places, await self.matching(inner, batch, places))
            case keys.Fuzzy(key=inner):
                return await self._fuzzy(inner, batch, places)
            case keys.HeaderKey() | keys.BodyKey() | keys.TextKey():
                return await self._contents.matching(key, batch, places)
            case keys.DateKey(field=DateField.SENT):
                return await self._contents.sent(batch, places, _days(key))
            case keys.DateKey(field=DateField.SAVED):
                low, high = _seconds(_days(key))
                return saved_within(self._account, self._selected.id, batch, places, low, high)
            case keys.AnnotationKey():
                return await self._contents.noted(self._selected.id, key, batch, places)
            case keys.ThreadKey(thread_id=thread_id):
                return in_thread(self._account, batch, places, message_key(self._account.id, "T", thread_id))
            case _:
                return self._narrow(key, batch, places)

    async def _fuzzy(self, key: SearchKey, batch: Batch, places: Places) -> Places:
        """Text may be like what is looked for; all other keys mean what they say (RFC 6203 §5)."""
        match key:
            case keys.And(keys=parts):
                for part in sorted(parts, key=_cost):
                    places = await self._fuzzy(part, batch, places)
                return places
            case keys.Or(first=first, second=second):
                return await self._either(keys.Fuzzy(first), keys.Fuzzy(second), batch, places)
            case keys.HeaderKey(text=text) | keys.BodyKey(text=text) | keys.TextKey(text=text) if text:
                scores = await self._fuzziness.scores(key, batch, places)
            case _:
                scores = dict.fromkeys(await self.matching(key, batch, places), 100)
        for at, score in scores.items():
            uid = batch.uids[at]
            self.scores[uid] = min(score, self.scores.get(uid, 100))
        return list(scores)

    async def _either(self, first: SearchKey, second: SearchKey, batch: Batch, places: Places) -> Places:
        if _cost(first) > _cost(second):
            first, second = second, first
        found = await self.matching(first, batch, places)
        more = await self.matching(second, batch, _without(places, found))
        return sorted([*found, *more]) if more else found

    def _narrow(self, key: SearchKey, batch: Batch, places: Places) -> Places:
        """The keys that the index answers."""
        uids, sizes, dates = batch.uids, batch.sizes, batch.dates
        match key:
            case keys.FlagKey(flag=flag, present=present):
                mask = int(flag)
                fits = batch.by_state(lambda flags, _: bool(flags & mask) is present)
                return [at for at in places if fits[at]]
            case keys.KeywordKey(keyword=keyword, present=present):
                word = keyword.lower()
                fits = batch.by_state(lambda _, words: (word in words.lower().split(" ")) is present)
                return [at for at in places if fits[at]]
            case keys.RecentKey(present=present):
                recent = self._selected.recent
                return [at for at in places if is_in(recent, uids[at]) is present]
            case keys.NumberKey() | keys.UidKey() | keys.BoundKey():
                pairs = _pairs(key, self._selected)
                return [at for at in places if is_in(pairs, uids[at])]
            case keys.SizeKey(octets=octets, larger=True):
                return [at for at in places if sizes[at] > octets]
            case keys.SizeKey(octets=octets):
                return [at for at in places if sizes[at] < octets]
            case keys.AgeKey(seconds=seconds, older=True):
                limit = self._now - seconds
                return [at for at in places if dates[at] <= limit]
            case keys.AgeKey(seconds=seconds):
                limit = self._now - seconds
                return [at for at in places if dates[at] > limit]
            case keys.ModseqKey(modseq=modseq):
                return [at for at in places if batch.modseqs[at] >= modseq]
            case keys.EmailKey(email_id=email_id):
                wanted = message_key(self._account.id, "M", email_id)
                return [at for at in places if batch.message_ids[at] == wanted]
            case keys.DateKey():
                low, high = _seconds(_days(key))
                return [at for at in places if low <= dates[at] < high]
            case _:
                raise AssertionError(f"{type(key).__name__} is not answered by the index")


def span(key: SearchKey, selected: Selected) -> Pairs:
    """UIDs outside of which nothing can match, so that they need not be read."""
    match key:
        case keys.NumberKey() | keys.UidKey() | keys.BoundKey():
            return _pairs(key, selected)
        case keys.And(keys=parts):
            met = _EVERY
            for part in parts:
                met = meet(met, span(part, selected))
            return met
        case _:
            return _EVERY


def _pairs(key: keys.NumberKey | keys.UidKey | keys.BoundKey, selected: Selected) -> Pairs:
    """Numbers that no message has match nothing; that is no error in a SEARCH."""
    if isinstance(key, keys.BoundKey):
        low, high = (key.uid + 1, MAX_NUMBER) if key.after else (1, key.uid - 1)
        return ((low, high),) if low <= high else ()
    if isinstance(key, keys.UidKey):
        return selected.uid_pairs(key.uids, uid=True)
    return selected.known_pairs(key.numbers)


def _without(places: Places, some: Places) -> Places:
    if not some:
        return places
    matched = set(some)
    return [at for at in places if at not in matched]


def _cost(key: SearchKey) -> int:
    """What has to be read for a key: nothing more, headers, or whole messages."""
    match key:
        case keys.And(keys=parts):
            return max(map(_cost, parts))
        case keys.Or(first=first, second=second):
            return max(_cost(first), _cost(second))
        case keys.Not(key=inner) | keys.Fuzzy(key=inner):
            return _cost(inner)
        case keys.HeaderKey() | keys.AnnotationKey() | keys.DateKey(field=DateField.SENT):
            return 1
        case keys.BodyKey() | keys.TextKey():
            return 2
        case _:
            return 0


def _days(key: keys.DateKey) -> range:
    """The days that match, counted from the first of the year 1 (`date.toordinal`)."""
    day = key.day.toordinal()
    match key.test:
        case DateTest.BEFORE:
            return range(day)
        case DateTest.ON:
            return range(day, day + 1)
        case DateTest.SINCE:
            return range(day, _LAST_DAY + 1)


def _seconds(days: range) -> tuple[int, int]:
    """The midnights about days, as seconds since 1970."""
    return (days.start - _EPOCH) * _DAY, (days.stop - _EPOCH) * _DAY
