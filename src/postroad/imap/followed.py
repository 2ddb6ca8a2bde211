"""METADATA that nobody asked for: which entries others have changed (RFC 5464 §4.4.2; RFC 5465 §5.6)."""

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter

from postroad.imap.enabled import Enabled
from postroad.imap.wire.metadata_responses import metadata_changed
from postroad.store.account import Account
from postroad.store.annotations import SERVER


def _nothing(_account: Account, _name: str) -> bool:
    """Nothing is watched by NOTIFY."""
    return False


class Followed:
    """The annotations that one session is kept informed of; nothing before `follow` or `watch`.

    Those of the user's own account, of another's while a mailbox of that is selected, and of others'
    that a client of NOTIFY names.
    """

    __slots__ = ("_every", "_made", "_on", "_others", "_since", "_wants")

    def __init__(self) -> None:
        self._on = False
        self._every = False
        self._wants: Callable[[Account, str], bool] = _nothing
        self._others: Callable[[], Iterable[Account]] = tuple
        self._since: dict[int, int] = {}
        """Up to which modseq of an account everything has been told."""
        self._made: set[tuple[int, int]] = set()
        """Account and modseq of changes that the session has made."""

    def __bool__(self) -> bool:
        return self._on

    def follow(self, account: Account) -> None:
        """Tell of what changes from now on: the client has enabled METADATA (§4.1)."""
        self._every = True
        self._begin(account)

    def watch(
        self,
        account: Account,
        wants: Callable[[Account, str], bool],
        others: Callable[[], Iterable[Account]],
    ) -> None:
        """Tell of those mailboxes that a client of NOTIFY wants to hear of; the server's name is empty.

        `others` gives the accounts of others in which there may be such.
        """
        self._wants, self._others = wants, others
        self._begin(account)
        for other in others():
            self._begin(other)

    def watch_no_more(self) -> None:
        """Tell of what ENABLE has asked for alone."""
        self._wants, self._others = _nothing, tuple
        if not self._every:
            self._on = False
            self._since.clear()

    def _begin(self, account: Account) -> None:
        self._on = True
        self._since.setdefault(account.id, account.metadata().modseq())

    def made(self, account_id: int, modseq: int) -> None:
        """Note a change that this session has made itself: of that it need not hear."""
        if self._on:
            self._made.add((account_id, modseq))

    def news(self, account: Account, selected: Account | None, enabled: Enabled) -> list[bytes]:
        """What others have changed since, as responses without values."""
        if not self._on:
            return []
        lines = self._of(account, enabled, every=self._every)
        if selected is not None and selected.id != account.id and self._every:
            lines += self._of(selected, enabled, every=True)
        for other in self._others():
            lines += self._of(other, enabled, every=False)
        return lines

    def _of(self, account: Account, enabled: Enabled, *, every: bool) -> list[bytes]:
        since = self._since.get(account.id)
        if since is None:
            self._begin(account)
            return []
        changed = account.metadata().changed(since)
        if not changed:
            return []
        latest = self._since[account.id] = max(change.modseq for change in changed)
        told = [change for change in changed if (account.id, change.modseq) not in self._made]
        self._made = {one for one in self._made if one[0] != account.id or one[1] > latest}
        lines: list[bytes] = []
        for mailbox_id, group in groupby(told, attrgetter("mailbox_id")):
            name = self._name(account, mailbox_id)
            if name is not None and (every or self._may_watch(account, mailbox_id, name)):
                lines.append(metadata_changed(enabled.octets(name), [change.entry for change in group]))
        return lines

    def _may_watch(self, account: Account, mailbox_id: int, name: str) -> bool:
        """Whether NOTIFY tells of it: what is to be watched has to be readable (RFC 5465 §5)."""
        return self._wants(account, name) and (mailbox_id == SERVER or "r" in account.rights(mailbox_id))

    def _name(self, account: Account, mailbox_id: int) -> str | None:
        """How the client names what is annotated; None for what it may not know of (§3.3)."""
        if mailbox_id == SERVER:
            return "" if account.user_id == account.id else None
        mailbox = account.mailbox_by_id(mailbox_id)
        rights = account.rights(mailbox_id)
        if mailbox is None or "l" not in rights or not rights & frozenset("rswip"):
            return None
        return mailbox.name
