"""Where ESEARCH looks and what NOTIFY watches (RFC 7377 §2.2, RFC 5465 §6)."""

from enum import Enum
from typing import Final, NamedTuple

from postroad.imap.wire.mailbox_name import MailboxName


class SourceKind(Enum):
    """A way to say which mailboxes; the value is the word in the command."""

    SELECTED = b"SELECTED"
    SELECTED_DELAYED = b"SELECTED-DELAYED"
    """RFC 5465 §6.1.2: of NOTIFY alone."""
    INBOXES = b"INBOXES"
    PERSONAL = b"PERSONAL"
    SUBSCRIBED = b"SUBSCRIBED"
    MAILBOXES = b"MAILBOXES"
    SUBTREE = b"SUBTREE"
    SUBTREE_ONE = b"SUBTREE-ONE"


NAMING: Final = frozenset({SourceKind.MAILBOXES, SourceKind.SUBTREE, SourceKind.SUBTREE_ONE})
"""Those that are followed by names."""


class SearchSource(NamedTuple):
    """Some mailboxes."""

    kind: SourceKind
    names: tuple[MailboxName, ...] = ()
