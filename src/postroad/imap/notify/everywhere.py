"""The watch over all accounts that a client wants to hear of: its own, and those of others (RFC 5465)."""

from collections.abc import Callable

from postroad.imap.enabled import Enabled
from postroad.imap.notify.watching import TooManyMailboxes, Watching
from postroad.imap.selected import Selected
from postroad.store.account import Account


class Everywhere:
    """What one client has been told of mailboxes other than the selected one, account by account.

    Who shares a mailbox with `anyone` from now on gives no hint of that; it is
    found at the next look, whatever causes that.
    """

    __slots__ = ("_accounts", "_begin", "_limit", "_others", "_own")

    def __init__(
        self,
        own: Watching,
        accounts: Callable[[], list[Account]],
        begin: Callable[[Account, bool], Watching],
        limit: int,
    ) -> None:
        """Begin with what there is now.

        `accounts` gives those of others with mailboxes that the user may see, `begin` makes the watch
        over one; with True, over one of which the client knows nothing.

        Raises:
            TooManyMailboxes: more than `limit` in the accounts of others together.
        """
        self._own = own
        self._accounts = accounts
        self._begin = begin
        self._limit = limit
        self._others: dict[int, Watching] = {}
        try:
            for account in accounts():
                self._others[account.id] = begin(account, False)
            self._count()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all hints."""
        for watching in (self._own, *self._others.values()):
            watching.stop()

    def of(self, account: Account) -> Watching | None:
        """The watch over one account, which is told of what the client does itself."""
        return self._own if account.id == account.user_id else self._others.get(account.id)

    def left(self, selected: Selected) -> None:
        """The client leaves a mailbox, of which it may not have been told everything."""
        watching = self.of(selected.account)
        if watching is not None:
            watching.left(selected)

    def subscribed(self, name: str, on: bool) -> None:
        """The client has subscribed to a name, or no longer."""
        self._own.subscribed(name, on)

    @property
    def follows_metadata(self) -> bool:
        """Whether the client wants to hear of annotations at all."""
        return self._own.follows_metadata

    def wants_metadata(self, account: Account, name: str) -> bool:
        """Whether the client hears of annotations of a mailbox, or of the server's by an empty name."""
        watching = self.of(account)
        return watching is not None and watching.wants_metadata(name)

    def others(self) -> list[Account]:
        """The accounts of others that are watched."""
        return [watching.account for watching in self._others.values()]

    def everything(self, selected: Selected | None, enabled: Enabled) -> list[bytes]:
        """Return STATUS of all that is watched, but not of the selected mailbox (§3.1)."""
        watchings = (self._own, *self._others.values())
        return [line for watching in watchings for line in watching.everything(selected, enabled)]

    def news(self, selected: Selected | None, enabled: Enabled) -> list[bytes]:
        """Return what has happened since the client was last told: LIST and STATUS, without `* `.

        Raises:
            TooManyMailboxes
        """
        lines = self._own.news(selected, enabled)
        others = self._others
        there = {account.id: account for account in self._accounts()}
        for account_id in there.keys() - others.keys():
            others[account_id] = self._begin(there[account_id], True)
        for watching in others.values():
            lines += watching.news(selected, enabled)
        for account_id in others.keys() - there.keys():  # nothing is shared any more: that has been told now
            others.pop(account_id).stop()
        self._count()
        return lines

    def _count(self) -> None:
        if sum(map(len, self._others.values())) > self._limit:
            raise TooManyMailboxes
