"""A message in the queue, its recipients, and the piece of work that a worker leases."""

from dataclasses import dataclass

from postroad.model.address import Address
from postroad.trail import note


@dataclass(frozen=True, slots=True)
class Item:
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

    @property
    def text_id(self) -> str:
        """The number by which people speak of it."""
        return text_id(self.id)


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient who has not got the message yet."""

    n: int
    address: Address
    destination: str
    notify: frozenset[str]
    original: str
    due: float
    held: bool
    urgent: bool
    """A person asked for an attempt now, whatever is known of the hosts."""
    attempts: int
    told_delay: bool
    last_at: float | None
    last_host: str
    last_words: str
    """What the last attempt came to, in the remote's words if it had any."""
    leased: bool
    """A worker is at it."""


@dataclass(frozen=True, slots=True)
class Work:
    """One item for one destination, leased: nobody else touches these recipients."""

    lease_id: int
    destination: str
    item: Item
    recipients: tuple[QueuedRecipient, ...]

    @property
    def urgent(self) -> bool:
        """Whether a person waits for the attempt."""
        return any(recipient.urgent for recipient in self.recipients)


def text_id(item_id: int) -> str:
    """The form of an id that people read and type: `Q0000x7`."""
    return "Q" + note.text_id(item_id)[1:]


def from_text_id(text: str) -> int | None:
    """The number behind a text id; None when it is none."""
    return note.from_text_id("T" + text[1:]) if text[:1] in ("Q", "q") else None
