"""A session's watch over the mailboxes of one account, its own or another's (RFC 5465).

It keeps what its client has been told, and nothing of what happens: that is
found by comparing, so a client that does not read costs no more than one that does.
"""

from collections.abc import Callable
from typing import Final

from postroad.imap.enabled import Enabled
from postroad.imap.notify.names import Names, name_lines
from postroad.imap.notify.overview import NOTHING_KNOWN, Overview, Overviews, State
from postroad.imap.notify.states import change_status, initial_status
from postroad.imap.notify.watched import Watched
from postroad.imap.pattern import SEPARATOR
from postroad.imap.selected import Selected
from postroad.store.account import Account

_NOBODY: Final = 0
"""No mailbox has this id."""


class TooManyMailboxes(Exception):
    """The account has more of them than a session may watch."""


class Watching:
    """What one client has been told of mailboxes other than the selected one."""

    __slots__ = (
        "_known",
        "_limit",
        "_made",
        "_names",
        "_overviews",
        "_subscribed",
        "_user",
        "_watched",
        "account",
        "stop",
    )

    def __init__(
        self,
        account: Account,
        user: Account,
        watched: Watched,
        overviews: Overviews,
        limit: int,
        stop: Callable[[], None],
        *,
        unknown: bool = False,
    ) -> None:
        """Begin with what there is now, or where it is `unknown` with nothing; `stop` ends the hints.

        `user` is the account of who watches.

        Raises:
            TooManyMailboxes: more than `limit`.
        """
        self.stop = stop
        self.account = account
        """Whose mailboxes are watched."""
        self._watched = watched
        self._overviews = overviews
        self._limit = limit
        self._user = user
        self._known: Overview | None = None
        if watched:
            self._known = NOTHING_KNOWN if unknown else self._take()
        # What the client knows beyond the overview, until the next look.
        self._made: dict[int, State] = {}
        self._names: dict[int, str | None] = {}
        self._subscribed: dict[str, bool] = {}

    def _take(self) -> Overview:
        overview = self._overviews.take(self.account)
        if len(overview) > self._limit:
            raise TooManyMailboxes
        return overview

    def __len__(self) -> int:
        """How many mailboxes are looked at."""
        return 0 if self._known is None else len(self._known)

    def _subscriptions(self, overview: Overview) -> set[str]:
        """What the user is subscribed to: not a matter of another's account."""
        return overview.subscribed() if self._user is self.account else set(self._user.subscriptions())

    # -- what the client knows without being told -----------------------------

    def filed(self, mailbox_id: int, messages: int, last_uid: int) -> None:
        """The client has put messages into a mailbox itself (§5: it need not be told)."""
        row = self._row(mailbox_id)
        if row is not None:
            self._made[mailbox_id] = row._replace(
                messages=row.messages + messages, uidnext=max(row.uidnext, last_uid + 1)
            )

    def left(self, selected: Selected) -> None:
        """The client leaves a mailbox, of which it may not have been told everything."""
        row = self._row(self._selected_id(selected))
        if row is not None:
            self._made[selected.id] = row._replace(
                messages=selected.exists, uidnext=selected.uidnext, modseq=selected.whole
            )

    def created(self, mailbox_id: int, name: str) -> None:
        """The client has made a mailbox."""
        self._names[mailbox_id] = name

    def deleted(self, mailbox_id: int) -> None:
        """The client has deleted a mailbox."""
        self._names[mailbox_id] = None

    def renamed(self, old: str, new: str) -> None:
        """The client has renamed a mailbox, and all below it."""
        if self._known is not None:
            for state, name in zip(self._known.states(), self._known.names(), strict=True):
                if name == old or name.startswith(old + SEPARATOR):
                    self._names[state.id] = new + name[len(old) :]

    def subscribed(self, name: str, on: bool) -> None:
        """The client has subscribed to a name, or no longer."""
        self._subscribed[name] = on

    def _row(self, mailbox_id: int) -> State | None:
        if mailbox_id in self._made:
            return self._made[mailbox_id]
        states = () if self._known is None else self._known.states()
        return next((state for state in states if state.id == mailbox_id), None)

    # -- what it is told ------------------------------------------------------

    def everything(self, selected: Selected | None, enabled: Enabled) -> list[bytes]:
        """Return STATUS of all that is watched, but not of the selected mailbox (§3.1)."""
        known = self._known
        if known is None:
            return []
        subscribed = self._subscriptions(known)
        skipped = self._selected_id(selected)
        lines = [
            initial_status(enabled.octets(name), state, self._watched.events(name, subscribed))
            for state, name in zip(known.states(), known.names(), strict=True)
            if state.id != skipped
        ]
        return [line for line in lines if line is not None]

    @property
    def follows_metadata(self) -> bool:
        """Whether the client wants to hear of annotations at all."""
        return self._watched.metadata_somewhere

    def wants_metadata(self, name: str) -> bool:
        """Whether the client hears of the annotations of a mailbox, or of the server's by an empty name."""
        known = self._known
        return known is not None and self._watched.metadata(name, self._subscriptions(known))

    def news(self, selected: Selected | None, enabled: Enabled) -> list[bytes]:
        """Return what has happened since the client was last told: LIST and STATUS, without `* `.

        Raises:
            TooManyMailboxes
        """
        known = self._known
        if known is None:
            return []
        if known.modseq == self.account.latest() and not self._made:
            self._forget()
            return []
        now = self._known = self._take()
        lines: list[bytes] = []
        subscribed = self._subscriptions(now)
        if not now.same_names(known) or self._names or self._subscribed:
            told, names = self._told_names(known), _names(now)
            if self._user is not self.account:
                # Which names are subscribed is told by the watch over the user's own account.
                told, names = (Names(each.by_id, subscribed) for each in (told, names))
            lines += name_lines(self.account, self._user, self._watched, told, names, enabled.octets)
        before = {state.id: state for state in known.states()} | self._made
        skipped = self._selected_id(selected)
        for state, name in zip(now.states(), now.names(), strict=True):
            if state.id != skipped and before.get(state.id) != state:
                events = self._watched.events(name, subscribed)
                line = change_status(
                    enabled.octets(name), before.get(state.id), state, events, condstore=enabled.condstore
                )
                if line is not None:
                    lines.append(line)
        self._forget()
        return lines

    def _selected_id(self, selected: Selected | None) -> int:
        ours = selected is not None and selected.account.id == self.account.id
        return selected.id if selected is not None and ours else _NOBODY

    def _told_names(self, known: Overview) -> Names:
        names = _names(known)
        for mailbox_id, name in self._names.items():
            if name is None:
                names.by_id.pop(mailbox_id, None)
            else:
                names.by_id[mailbox_id] = name
        for name, on in self._subscribed.items():
            (names.subscribed.add if on else names.subscribed.discard)(name)
        return names

    def _forget(self) -> None:
        self._made.clear()
        self._names.clear()
        self._subscribed.clear()


def _names(overview: Overview) -> Names:
    ids = [state.id for state in overview.states()]
    return Names(dict(zip(ids, overview.names(), strict=True)), overview.subscribed())
