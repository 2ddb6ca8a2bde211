"""Expected conditions of the store; each protocol has one table that words them."""


class StoreError(Exception):
    """Something the caller asked for cannot be; nothing was changed."""


class OverQuota(StoreError):
    """The account has no room for the message."""


class NoSuchMailbox(StoreError):
    """There is no mailbox of that name or id."""


class AlreadyExists(StoreError):
    """There is a mailbox of that name already."""


class BadMailboxName(StoreError):
    """The name cannot be used: empty levels, control characters, too long, too deep."""


class Conflict(StoreError):
    """The state is not what the caller took it for: children, INBOX, a stale view."""


class LimitReached(StoreError):
    """A numbered limit of the store: mailboxes an account, keywords a message."""


class NotAllowed(StoreError):
    """The user has not the right to do that in somebody else's mailbox (RFC 4314 §4)."""


class AnnotationTooLarge(StoreError):
    """The value of an annotation has more octets than `most`."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} octets")
        self.most = most


class TooManyAnnotations(StoreError):
    """A mailbox, or the server, has as many annotations as it may."""


class NoteTooLarge(StoreError):
    """The value of an annotation of a message has too many octets."""


class TooManyNotes(StoreError):
    """A message has as many annotations as it may."""


class NoSuchPart(StoreError):
    """An annotation is about a part that the message has not."""


class NoSuchUse(StoreError):
    """A mailbox cannot be used for that (RFC 6154 §2)."""


class NoSuchMessage(StoreError):
    """The message was expunged meanwhile."""


class Damaged(StoreError):
    """The stored bytes do not match their digest; they are named, never served."""
