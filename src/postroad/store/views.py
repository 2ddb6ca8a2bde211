"""Views of mailboxes, shared by the sessions of a worker and brought up to date by what is newer."""

from array import array
from collections import OrderedDict
from typing import Final

from postroad.db.transaction import Reader
from postroad.store.entries import ENTRY_COLUMNS
from postroad.store.errors import NoSuchMailbox
from postroad.store.types import Changes, Entry, View

KEPT: Final = 256
"""Views kept per worker; a view of 100,000 messages takes 400 KB."""

_STATE: Final = "SELECT modseq, uidnext, messages FROM mailbox WHERE account_id = ? AND id = ?"


def changes(reader: Reader, account_id: int, mailbox_id: int, since: int) -> Changes:
    """What happened in a mailbox after modseq `since`."""
    state = reader.row(_STATE, account_id, mailbox_id)
    if state is None:
        return Changes(since, 0, [], [], exists=False)
    modseq, uidnext, _ = state
    if modseq == since:
        return Changes(modseq, uidnext, [], [])
    rows = reader.rows(
        f"SELECT {ENTRY_COLUMNS} FROM entry"  # noqa: S608 - a constant
        " WHERE account_id = ? AND mailbox_id = ? AND modseq > ?",
        *(account_id, mailbox_id, since),
    )
    gone = reader.rows(
        "SELECT uid FROM tombstone WHERE account_id = ? AND mailbox_id = ? AND modseq > ?",
        *(account_id, mailbox_id, since),
    )
    return Changes(modseq, uidnext, sorted(map(Entry._make, rows)), sorted(uid for (uid,) in gone))


class Views:
    """The most recently used views; each is checked against the mailbox's modseq before it is believed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], View] = OrderedDict()

    def get(self, reader: Reader, account_id: int, mailbox_id: int) -> View:
        """The mailbox as it is now.

        Raises:
            NoSuchMailbox: it has been deleted.
        """
        state = reader.row(_STATE, account_id, mailbox_id)
        if state is None:
            raise NoSuchMailbox(str(mailbox_id))
        modseq, uidnext, _ = state
        key = (account_id, mailbox_id)
        view = self._kept.get(key)
        if view is None:
            rows = reader.rows(
                "SELECT uid FROM entry WHERE account_id = ? AND mailbox_id = ? ORDER BY uid", *key
            )
            view = View(mailbox_id, modseq, array("I", [uid for (uid,) in rows]), uidnext)
        elif view.modseq != modseq:
            view = _updated(reader, account_id, view)
        self._kept[key] = view
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return view


def _updated(reader: Reader, account_id: int, view: View) -> View:
    news = changes(reader, account_id, view.mailbox_id, view.modseq)
    uids = view.uids
    if news.vanished:
        gone = set(news.vanished)
        uids = array("I", [uid for uid in uids if uid not in gone])
    fresh = [e.uid for e in news.entries if e.uid >= view.uidnext]
    if fresh:
        uids = uids + array("I", fresh)
    return View(view.mailbox_id, news.modseq, uids, news.uidnext)
