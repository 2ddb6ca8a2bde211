"""A message in the queue, its recipients, and the piece of work that a worker leases."""

from typing import Final

from msgspec import Struct

from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.address import Address, parse_mailbox
from postroad.model.envelope import DeliverBy, Release
from postroad.queue import deadline
from postroad.smtp.exchange import Held
from postroad.store.messages import Place
from postroad.trail import note

_ITEM_COLUMNS: Final = (
    "i.id, created, sender, account_id, blob_id, prefix, size, trail_id, ret, envid, body, smtputf8,"
    " tls, reverse_path, release_at, release_asked, priority, deliver_by, deliver_mode"
)
_ITEM: Final = f"SELECT {_ITEM_COLUMNS} FROM queue_item i"  # noqa: S608 - a constant
_WITH_PLACE: Final = (
    f"SELECT pack, offset, length, digest, {_ITEM_COLUMNS}"  # noqa: S608 - a constant
    " FROM queue_item i LEFT JOIN blob b ON b.id = i.blob_id WHERE i.id = ?"
)
_COLUMNS: Final = (
    "n, address, destination, notify, original, due, held, urgent, cancelled, attempts, told_delay,"
    " last_at, last_host, last_words"
)
_RECIPIENT: Final = f"SELECT {_COLUMNS}, lease_id IS NOT NULL FROM queue_recipient"  # noqa: S608 - a constant
# The plus signs keep it from the index of all that waits for the destination: an item has a few rows.
_DUE: Final = (
    f"SELECT {_COLUMNS}, 1 FROM queue_recipient WHERE item_id = ? AND +destination = ?"  # noqa: S608 - a constant
    " AND lease_id IS NULL AND held = 0 AND cancelled = ? AND +due <= ? ORDER BY n LIMIT ?"
)


class Item(Struct, frozen=True):
    """A queued message: its envelope but for the recipients, and where its octets are."""

    id: int
    created: float
    sender: Address | None
    """None is the null reverse-path: nobody is told what becomes of it."""
    account_id: int | None
    blob_id: int
    prefix: bytes
    size: int
    trail_id: int
    ret: str
    envid: str
    body: str
    smtputf8: bool
    tls: str = ""
    """What the sender says of TLS: `require`, `waive`, or nothing (RFC 8689; `model.envelope.Wish`)."""
    reverse_path: Address | None = None
    """What is said in MAIL FROM in place of `sender`: aliases send mail on under an address of ours (SRS)."""
    release: Release | None = None
    """When it may go, where its sender has put that off; recipients are as they were named then."""

    priority: int = 0
    """From -9 to 9; higher ones go first (RFC 6710)."""

    deliver_by: DeliverBy | None = None
    """When it is to be delivered (RFC 2852)."""

    @property
    def begins(self) -> float:
        """When its life in the queue begins, at whose end it goes back: held messages do not age."""
        return self.created if self.release is None else max(self.created, self.release.at)

    @property
    def text_id(self) -> str:
        """The number by which people speak of it."""
        return text_id(self.id)


class QueuedRecipient(Struct, frozen=True):
    """One recipient who has not got the message yet."""

    n: int
    address: Address
    destination: str
    notify: frozenset[str]
    original: str
    due: float
    held: bool = False
    urgent: bool = False
    """A person asked for an attempt now, whatever is known of the hosts."""
    cancelled: bool = False
    """A person gave it up: it fails without an attempt."""
    attempts: int = 0
    told_delay: bool = False
    last_at: float | None = None
    last_host: str = ""
    last_words: str = ""
    """What the last attempt came to, in the remote's words if it had any."""
    leased: bool = False
    """A worker is at it."""


class Work(Struct, frozen=True):
    """One item for one destination, leased: nobody else touches these recipients."""

    lease_id: int
    leased_at: float
    """When it was leased: its worker may hear of that much later, if the disk or the machine stood still."""
    destination: str
    item: Item
    recipients: tuple[QueuedRecipient, ...]
    place: Place | None = None
    """Where the octets are; None: the index does not know."""
    held: Held | None = None
    """The octets themselves, of a small message that has just come."""

    @property
    def urgent(self) -> bool:
        """Whether a person waits for the attempt."""
        return any(recipient.urgent for recipient in self.recipients)

    @property
    def cancelled(self) -> bool:
        """Whether an operator gave it up; work holds either such recipients or others."""
        return self.recipients[0].cancelled


def text_id(item_id: int) -> str:
    """The form of an id that people read and type: `Q0000x7`."""
    return "Q" + note.text_id(item_id)[1:]


def from_text_id(text: str) -> int | None:
    """The number behind a text id; None when it is none."""
    return note.from_text_id("T" + text[1:]) if text[:1] in ("Q", "q") else None


def read_item(reader: Reader, item_id: int) -> Item | None:
    """An item by its number."""
    row = reader.row(f"{_ITEM} WHERE id = ?", item_id)
    return None if row is None else _item(row)


def read_item_and_place(reader: Reader, item_id: int) -> tuple[Item, Place | None] | None:
    """An item by its number, and where its octets are."""
    row = reader.row(_WITH_PLACE, item_id)
    if row is None:
        return None
    return _item(row[4:]), None if row[0] is None else Place(*row[:4])


def read_items(reader: Reader, limit: int) -> list[Item]:
    """The oldest items."""
    return [_item(row) for row in reader.rows(f"{_ITEM} ORDER BY id LIMIT ?", limit)]


def read_recipients(reader: Reader, item_id: int) -> tuple[QueuedRecipient, ...]:
    """Everybody who waits for an item."""
    return tuple(
        _recipient(row) for row in reader.rows(f"{_RECIPIENT} WHERE item_id = ? ORDER BY n", item_id)
    )


def read_due(
    tx: Transaction, item_id: int, destination: str, *, cancelled: bool, limit: int
) -> tuple[QueuedRecipient, ...]:
    """Those of an item whose turn it is at a destination: they are about to be leased."""
    rows = tx.rows(_DUE, item_id, destination, cancelled, tx.now, limit)
    return tuple(_recipient(row) for row in rows)


def _item(row: Row) -> Item:
    number, created, sender, account_id, blob_id, prefix, size, trail_id, *more = row
    ret, envid, body, smtputf8, tls, reverse_path, release_at, release_asked, priority, *by = more
    return Item(
        number,
        created,
        None if sender is None else parse_mailbox(sender),
        *(account_id, blob_id, prefix, size, trail_id, ret, envid, body),
        smtputf8=bool(smtputf8),
        tls=tls,
        reverse_path=parse_mailbox(reverse_path) if reverse_path else None,
        release=Release(release_at, release_asked) if release_at else None,
        priority=priority,
        deliver_by=deadline.read(*by),
    )


def _recipient(row: Row) -> QueuedRecipient:
    n, address, destination, notify, original, due, held, urgent, cancelled, attempts, told, *last = row
    last_at, last_host, last_words, leased = last
    return QueuedRecipient(
        *(n, parse_mailbox(address), destination, frozenset(notify.split()), original, due),
        held=bool(held),
        urgent=bool(urgent),
        cancelled=bool(cancelled),
        attempts=attempts,
        told_delay=bool(told),
        last_at=last_at,
        last_host=last_host,
        last_words=last_words,
        leased=bool(leased),
    )
