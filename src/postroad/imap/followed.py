"""METADATA that nobody asked for: which entries others have changed (RFC 5464 §4.4.2; RFC 5465 §5.6)."""

from collections.abc import Callable
from itertools import groupby
from operator import attrgetter

from postroad.imap.wire.metadata_responses import metadata_changed
from postroad.store.account import Account
from postroad.store.annotations import SERVER


class Followed:
    """The annotations that one session is kept informed of; nothing before `follow` or `watch`."""

    __slots__ = ("_every", "_made", "_since", "_wants")

    def __init__(self) -> None:
        self._every = False
        self._wants: Callable[[str], bool] | None = None
        self._since: int | None = None
        self._made: set[int] = set()

    def __bool__(self) -> bool:
        return self._since is not None

    def follow(self, account: Account) -> None:
        """Tell of what changes from now on: the client has enabled METADATA (§4.1)."""
        self._every = True
        self._begin(account)

    def watch(self, account: Account, wants: Callable[[str], bool]) -> None:
        """Tell of those mailboxes that a client of NOTIFY wants to hear of; the server's name is empty."""
        self._wants = wants
        self._begin(account)

    def watch_no_more(self) -> None:
        """Tell of what ENABLE has asked for alone."""
        self._wants = None
        if not self._every:
            self._since = None

    def _begin(self, account: Account) -> None:
        if self._since is None:
            self._since = account.metadata().modseq()

    def made(self, modseq: int) -> None:
        """Note a change that this session has made itself: of that it need not hear."""
        if self._since is not None:
            self._made.add(modseq)

    def news(self, account: Account) -> list[bytes]:
        """What others have changed since, as responses without values."""
        if self._since is None:
            return []
        changed = account.metadata().changed(self._since)
        if not changed:
            return []
        self._since = max(change.modseq for change in changed)
        told = [change for change in changed if change.modseq not in self._made]
        self._made = {modseq for modseq in self._made if modseq > self._since}
        lines: list[bytes] = []
        for mailbox_id, group in groupby(told, attrgetter("mailbox_id")):
            mailbox = None if mailbox_id == SERVER else account.mailbox_by_id(mailbox_id)
            if mailbox is not None or mailbox_id == SERVER:
                name = "" if mailbox is None else mailbox.name
                if not self._every and (self._wants is None or not self._wants(name)):
                    continue
                lines.append(metadata_changed(name, [change.entry for change in group]))
        return lines
