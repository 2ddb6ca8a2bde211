"""What SELECT tells of a mailbox beyond its UIDs: keywords in use and the first unseen message.

To know these a whole mailbox has to be looked through, so a worker keeps them
and brings them up to date by what has changed since. They are checked against
the mailbox's modseq before they are believed.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from postroad.imap.selected import Selected
from postroad.model.flags import Flag, split_keywords
from postroad.store.account import Account
from postroad.store.types import Changes

_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Facts:
    """A mailbox as of `modseq`."""

    modseq: int
    keywords: frozenset[str]
    """All in use, and perhaps some that were."""
    first_unseen: int
    """UID; 0 when everything is seen."""


class FactsCache:
    """The facts about the mailboxes that were selected lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Facts] = OrderedDict()

    def get(self, account: Account, selected: Selected) -> Facts:
        """The facts as of the view that the client is being told."""
        key = (account.id, selected.id)
        facts = self._kept.get(key)
        if facts is None or facts.modseq > selected.modseq:
            keywords = frozenset(account.keywords(selected.id))
            facts = Facts(selected.modseq, keywords, account.first_unseen(selected.id))
        elif facts.modseq < selected.modseq:
            facts = _updated(account, selected, facts)
        self._kept[key] = facts
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return facts


def _updated(account: Account, selected: Selected, facts: Facts) -> Facts:
    news = account.changes(selected.id, facts.modseq)
    stored = {entry.keywords for entry in news.entries}
    keywords = facts.keywords.union(*map(split_keywords, stored))
    return Facts(selected.modseq, keywords, _first_unseen(account, selected, facts.first_unseen, news))


def _first_unseen(account: Account, selected: Selected, before: int, news: Changes) -> int:
    unseen = [entry.uid for entry in news.entries if not entry.flags & Flag.SEEN]
    if before in news.vanished or before in {entry.uid for entry in news.entries}:
        # It has changed itself: the next one stands behind it, or has become unseen in front.
        later = account.first_unseen(selected.id, before)
        unseen += [later] if later else []
    elif before:
        unseen.append(before)
    return min(unseen, default=0)
