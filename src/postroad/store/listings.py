"""The listings of a worker: made once, shared by its sessions, brought up to date by what is newer."""

import asyncio
from collections import OrderedDict
from functools import partial
from typing import Final, TypeAlias

from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.store import seen
from postroad.store.entries import ENTRY_COLUMNS
from postroad.store.errors import NoSuchMailbox
from postroad.store.listing import Listing, is_of_ours
from postroad.store.tombstones import vanished
from postroad.store.types import Changes, Entry

KEPT: Final = 256
"""Listings kept per worker, as long as they take no more than `OCTETS`."""
OCTETS: Final = 64 * 1024 * 1024

STORED_FROM: Final = 2000
"""Messages from which a copy of a listing is stored: fewer are read as quickly from their rows."""
STORED_TO: Final = 500_000
"""And up to which: the copy is read in one piece, at 3 ms for 100,000."""

_STORED: Final = (
    "SELECT form, modseq, uidnext, states, columns FROM listing WHERE account_id = ? AND mailbox_id = ?"
)
_STEP: Final = 5000
"""Rows read at a time: 6 ms of the loop."""
STATE: Final = "SELECT modseq, uidnext, messages FROM mailbox WHERE account_id = ? AND id = ?"
"""By which it is known whether anything has happened in a mailbox."""
_LATEST: Final = "SELECT modseq, uidnext, annotated FROM mailbox WHERE account_id = ? AND id = ?"
_CHANGED: Final = (
    f"SELECT {ENTRY_COLUMNS} FROM entry"  # noqa: S608 - a constant
    " WHERE account_id = ? AND mailbox_id = ? AND modseq > ?"
)
_ROWS: Final = (
    f"SELECT {ENTRY_COLUMNS} FROM entry"  # noqa: S608 - a constant
    " WHERE account_id = ? AND mailbox_id = ? AND uid > ? AND uid < ? ORDER BY uid LIMIT ?"
)
Key: TypeAlias = tuple[int, int, int]
"""Account, mailbox, and whose \\Seen: OWNER, or another user."""
OWNER: Final = 0
_State: TypeAlias = tuple[int, int, int]


def changes(reader: Reader, account_id: int, mailbox_id: int, since: int, user_id: int = OWNER) -> Changes:
    """What happened in a mailbox after modseq `since`, as its owner sees it or as another user does."""
    state = reader.row(_LATEST, account_id, mailbox_id)
    if state is None:
        return Changes(since, 0, [], [], exists=False)
    modseq, uidnext, annotated = state
    if modseq == since:
        return Changes(modseq, uidnext, [], [])
    if user_id:
        rows = seen.changed(reader, account_id, mailbox_id, user_id, since)
    else:
        rows = reader.rows(_CHANGED, account_id, mailbox_id, since)
    gone = vanished(reader, account_id, mailbox_id, since)
    return Changes(
        modseq,
        uidnext,
        sorted(map(Entry._make, rows)),
        gone or [],
        annotated,
        complete=gone is not None,
    )


class Listings:
    """The most recently used listings; each is checked against the mailbox before it is believed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[Key, Listing] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Listing]] = {}
        self._storing: dict[Key, asyncio.Task[None]] = {}

    async def get(self, account_id: int, mailbox_id: int, user_id: int = OWNER) -> Listing:
        """The mailbox as it is now, with \\Seen as its owner has set it or another user.

        Raises:
            NoSuchMailbox: it has been deleted.
        """
        key = (account_id, mailbox_id, user_id)
        state = self._database.row(STATE, account_id, mailbox_id)
        listing = None if state is None else self.as_of(state[0], key)
        if listing is not None:
            return listing
        listing = self._database.read(partial(self._current, key=key))
        while listing is None:
            # Sessions that come for it at the same time wait for the same one.
            task = self._loading.get(key)
            if task is None:
                task = asyncio.create_task(self._load(key))
                self._loading[key] = task
                task.add_done_callback(lambda _: self._loading.pop(key, None))
            await asyncio.shield(task)
            listing = self._database.read(partial(self._current, key=key))
        return listing

    def as_of(self, modseq: int, key: Key) -> Listing | None:
        """The listing that is kept, if it is that of this modseq; nothing is asked."""
        listing = self._kept.get(key)
        if listing is None or listing.modseq != modseq:
            return None
        self._kept.move_to_end(key)
        return listing

    async def close(self) -> None:
        """Let what is being read come to its end."""
        await asyncio.gather(*self._loading.values(), *self._storing.values(), return_exceptions=True)

    def _current(self, reader: Reader, *, key: Key) -> Listing | None:
        """The listing that is kept, brought up to date; None when it has to be made anew."""
        state = _state(reader, key)
        listing = self._kept.get(key)
        if listing is None:
            return None
        if not _updated(reader, key, listing, state):
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        self._store_in_time(key, listing)
        return listing

    async def _load(self, key: Key) -> Listing:
        """Take the stored copy, or read all rows, in steps that leave the loop to others in between."""
        stored = self._database.read(partial(_stored, key=key))
        if stored is not None:
            self._keep(key, stored)
            return stored
        modseq, uidnext, _ = self._database.read(partial(_state, key=key))
        listing = Listing(modseq, uidnext)
        last = 0
        while rows := self._database.read(partial(_rows, key=key, after=last, before=uidnext)):
            listing.extend(rows)
            last = rows[-1].uid
            await asyncio.sleep(0)
        self._database.read(partial(_settle, key=key, listing=listing))
        self._keep(key, listing)
        return listing

    def _store_in_time(self, key: Key, listing: Listing) -> None:
        """Store a copy of a large listing when much has changed since the last one."""
        much = key[2] == OWNER and 10 * listing.changed > len(listing)
        if much and STORED_FROM <= len(listing) <= STORED_TO and key not in self._storing:
            task = asyncio.create_task(self._store(key, listing))
            self._storing[key] = task
            task.add_done_callback(lambda _: self._storing.pop(key, None))

    async def _store(self, key: Key, listing: Listing) -> None:
        try:
            await self._database.write(partial(_put, key=key, listing=listing))
        except Unavailable as error:
            listing.changed = 0  # not at every change again
            log.warning("store.listing_not_stored", account=key[0], mailbox=key[1], reason=error.what)

    def _keep(self, key: Key, listing: Listing) -> None:
        self._kept[key] = listing
        octets = sum(kept.octets for kept in self._kept.values())
        while len(self._kept) > KEPT or (octets > OCTETS and len(self._kept) > 1):
            octets -= self._kept.popitem(last=False)[1].octets


def _state(reader: Reader, key: Key) -> _State:
    """Modseq, UIDNEXT and number of messages.

    Raises:
        NoSuchMailbox
    """
    row = reader.row(STATE, *key[:2])
    if row is None:
        raise NoSuchMailbox(str(key[1]))
    modseq, uidnext, messages = row
    return modseq, uidnext, messages


def _rows(reader: Reader, *, key: Key, after: int, before: int) -> list[Entry]:
    *place, user_id = key
    if user_id:
        return seen.rows(reader, *key, after + 1, before - 1, _STEP)
    return list(map(Entry._make, reader.rows(_ROWS, *place, after, before, _STEP)))


def _updated(reader: Reader, key: Key, listing: Listing, state: _State) -> bool:
    """Bring a listing up to date; False when it cannot be believed."""
    if listing.modseq == state[0]:
        return True
    news = changes(reader, key[0], key[1], listing.modseq, key[2])
    if not news.complete:
        return False
    listing.apply(news)
    # Tombstones that are missing would leave ghosts behind.
    return len(listing) + listing.uncounted == state[2] and not listing.worn


def _stored(reader: Reader, *, key: Key) -> Listing | None:
    """The stored copy, brought up to date; None when there is none that can be believed."""
    row = reader.row(_STORED, *key[:2]) if key[2] == OWNER else None
    listing = None if row is None else Listing.unpacked(*row)
    return listing if listing is not None and _updated(reader, key, listing, _state(reader, key)) else None


def _put(tx: Transaction, *, key: Key, listing: Listing) -> None:
    """Store a copy, unless another worker has stored a later one, or the mailbox is gone."""
    place = key[:2]
    stored = tx.row("SELECT form, modseq FROM listing WHERE account_id = ? AND mailbox_id = ?", *place)
    is_older = stored is None or stored[1] < listing.modseq or not is_of_ours(stored[0])
    if is_older and tx.row(STATE, *place) is not None:
        form, states, columns = listing.packed()
        tx.run(
            "INSERT OR REPLACE INTO listing (account_id, mailbox_id, form, modseq, uidnext, states, columns)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(*place, form, listing.modseq, listing.uidnext, states, columns),
        )
    listing.changed = 0


def _settle(reader: Reader, *, key: Key, listing: Listing) -> None:
    """Add what happened while the rows were read."""
    state = _state(reader, key)
    listing.apply(changes(reader, key[0], key[1], listing.modseq, key[2]))
    listing.uncounted = state[2] - len(listing)
