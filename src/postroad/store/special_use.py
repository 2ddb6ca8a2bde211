"""What a mailbox may be for (RFC 6154 §2): one thing at most, and no two mailboxes for the same."""

from collections.abc import Sequence
from typing import Final

from postroad.store.errors import NoSuchUse

SPECIAL_USES: Final = ("\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")
"""Without \\All: what would be in it is not what was put there."""

_BY_NAME: Final = {use.lower(): use for use in SPECIAL_USES}


def the_use(named: Sequence[str]) -> str:
    """Return the one use among the attributes that a client named, in any case; empty for none.

    Raises:
        NoSuchUse: there is no such use, or several are wanted of one mailbox.
    """
    if not named:
        return ""
    use = _BY_NAME.get(named[0].lower())
    if use is None or len(named) > 1:
        raise NoSuchUse(" ".join(named))
    return use
