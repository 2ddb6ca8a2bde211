"""New messages that go on at once: the worker that takes one leases it in the same transaction.

Nothing has to be looked for then, nobody needs a hint, and what is sent is what is in memory still.
It is done only where it changes nothing for others: nothing older is due for the destination, which
has room within its pace and its limits, and nobody waits for what this worker or the whole queue may
do at a time. All other messages wait as they always have, and so does this one where its worker dies:
its lease ends by itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.queue import leases
from postroad.queue.item import Work
from postroad.queue.width import Width, width_of
from postroad.smtp.exchange import SMALL, Held
from postroad.store.filing import Blob
from postroad.store.messages import Place
from postroad.store.prepare import Parcel

_ROW: Final = "SELECT due, ailing FROM queue_destination WHERE destination = ?"
_LEASED: Final = "SELECT coalesce(sum(recipients), 0) FROM queue_lease"


class Claims:
    """Leases of one worker on what it takes itself."""

    def __init__(
        self,
        worker: str,
        settings: Callable[[], Queue],
        hands: Callable[[], int],
        begin: Callable[[Work], None],
    ) -> None:
        """`hands` is how many pieces of work the worker can begin without having others wait for it;
        `begin` is called with those that have been leased, once that is durable.
        """
        self._worker = worker
        self._settings = settings
        self._hands = hands
        self._begin = begin
        self.open = False
        """Nothing is claimed before the worker works the queue, nor when it is about to leave."""
        # What was looked up in the transaction that is open, for all of its messages.
        self._tx: Transaction | None = None
        self._pieces = 0
        self._recipients = 0
        self._widths: dict[str, Width | None] = {}

    def on(self, blob: Blob, parcel: Parcel) -> "Claim":
        """For a message that is about to be queued."""
        return Claim(self, blob, parcel)

    def forget(self) -> None:
        """Leases and destinations have changed in the open transaction."""
        self._tx = None

    def lease(self, tx: Transaction, destination: str, recipients: int) -> int | None:
        """Lease what is about to be queued for a destination; None where it has to wait its turn."""
        if not self.open:
            return None
        if tx is not self._tx:
            self._look(tx)
        if self._pieces <= 0 or not 0 < recipients <= min(self._recipients, leases.RECIPIENTS_AT_ONCE):
            return None
        width = self._width(tx, destination)
        if width is None or width.free <= 0:
            # What is queued now is older than what comes behind it.
            self._widths[destination] = None
            return None
        width.take(tx)
        if width.limit is not None:
            del self._widths[destination]  # others may share the limit
        self._pieces -= 1
        self._recipients -= recipients
        return leases.begin_lease(tx, self._worker, destination, recipients)

    def hand_over(self, tx: Transaction, work: Work) -> None:
        """Have a piece of work begun once it is committed that it is leased."""
        tx.then(partial(self._begin, work))

    def _look(self, tx: Transaction) -> None:
        self._tx = tx
        self._pieces = self._hands()
        # Half of what all workers may do is for what has been waiting.
        self._recipients = self._settings().active // 2 - tx.value(_LEASED)
        self._widths = {}

    def _width(self, tx: Transaction, destination: str) -> Width | None:
        """What a destination has room for; None where something older goes first."""
        if destination in self._widths:
            return self._widths[destination]
        row = tx.row(_ROW, destination)
        width = None
        # NULL: all that waits there waits for a lease to end.
        if row is None or (row[0] is not None and row[0] > tx.now):
            width = width_of(tx, destination, self._settings(), ailing=row is not None and bool(row[1]))
        self._widths[destination] = width
        return width


class Claim:
    """One message, for whom it may go on at once (`queue.spool.Taker`)."""

    __slots__ = ("_blob", "_claims", "_parcel")

    def __init__(self, claims: Claims, blob: Blob, parcel: Parcel) -> None:
        self._claims = claims
        self._blob = blob
        self._parcel = parcel

    def lease(self, tx: Transaction, destination: str, recipients: int) -> int | None:
        """Lease it for a destination, if it may go on (see `Claims.lease`)."""
        return self._claims.lease(tx, destination, recipients)

    def take(self, tx: Transaction, work: Work) -> None:
        """Go on with what was leased, once that is committed; a small message is kept in memory."""
        parcel, prefix = self._parcel, work.item.prefix
        place = Place(self._blob.pack, self._blob.offset, parcel.size, parcel.digest)
        held = None
        if isinstance(parcel.body, bytes) and len(prefix) + parcel.size <= SMALL:
            held = Held(prefix + parcel.body)
        self._claims.hand_over(tx, replace(work, place=place, held=held))
