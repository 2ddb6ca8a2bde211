"""Names of mailboxes that belong to somebody else (RFC 2342 §3).

    Other Users/bob@demo.test/Projects     bob's mailbox Projects
    Shared/support@demo.test/INBOX         INBOX of an account that is nobody's

A name of one's own comes first, so that a mailbox called Shared that was
there before stays what it was.
"""

from typing import Final, NamedTuple

from postroad.db.transaction import Reader
from postroad.model.address import AddressError, parse_mailbox

OTHERS: Final = "Other Users"
SHARED: Final = "Shared"
_SLASH: Final = "\N{DIVISION SLASH}"
"""Stands for the slash that a local part may have."""


class Foreign(NamedTuple):
    """A mailbox, or a level above mailboxes, of another account."""

    account_id: int
    prefix: str
    """What stands before the names of that account, with its slash."""
    name: str
    """As the owner calls it; empty for the account itself."""


def is_foreign(name: str) -> bool:
    """Whether a name lies where others' mailboxes are shown."""
    return name.split("/", 1)[0] in (OTHERS, SHARED)


def prefix_of(address: str, *, shared: bool) -> str:
    """What stands before the names of an account for those who are not its owner."""
    return f"{SHARED if shared else OTHERS}/{parse_mailbox(address).unicode.replace('/', _SLASH)}/"


def foreign(reader: Reader, name: str) -> Foreign | None:
    """Whose mailbox a name means; None where there is no such account. Rights are for others to look at."""
    namespace, _, rest = name.partition("/")
    who, _, inner = rest.partition("/")
    if namespace not in (OTHERS, SHARED) or not who:
        return None
    try:
        key = parse_mailbox(who.replace(_SLASH, "/")).key
    except AddressError:
        return None
    row = reader.row("SELECT id, address, shared FROM account WHERE key = ?", key)
    if row is None or bool(row[2]) != (namespace == SHARED):
        return None
    return Foreign(row[0], prefix_of(row[1], shared=bool(row[2])), inner)
