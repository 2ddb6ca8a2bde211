"""What the server says it can do, by state of the session (RFC 3501 §7.2.1)."""

from collections.abc import Sequence
from typing import Final

from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.table import State
from postroad.sasl.exchange import takes_passwords

OFFERED: Final = frozenset({Extension.BINARY, Extension.SEARCHRES, Extension.CONDSTORE})
"""Extensions whose arguments the core lets through."""


# LITERAL- bounds what a stranger may send uninvited (RFC 7888 §5); LITERAL+ is for users.
_ALWAYS: Final = b"IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE LANGUAGE"
_USERS: Final = (
    b"LITERAL+ IDLE NAMESPACE CHILDREN UNSELECT"
    b" UTF8=ACCEPT MULTIAPPEND BINARY CATENATE URL-PARTIAL URLAUTH URLAUTH=BINARY REPLACE UIDPLUS MOVE"
    b" SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE"
    b" CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN PARTIAL UIDONLY UIDBATCHES INPROGRESS"
    b" NOTIFY MULTISEARCH SEARCH=FUZZY SORT SORT=DISPLAY ESORT CONTEXT=SEARCH CONTEXT=SORT"
    b" I18NLEVEL=1 I18NLEVEL=2 THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS"
    b" QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE OBJECTID SAVEDATE PREVIEW"
    b" METADATA LIST-METADATA ANNOTATE-EXPERIMENT-1 ACL RIGHTS=texkn LIST-MYRIGHTS"
)


def capabilities(
    state: State,
    *,
    mechanisms: Sequence[str],
    tls_offered: bool,
    append_limit: int,
    message_limit: int,
    save_limit: int,
    compressed: bool,
    administers: bool,
    withheld: frozenset[str],
) -> bytes:
    """Return the list for CAPABILITY.

    `mechanisms` are those that a stranger may use as things are, `withheld` is switched off for the user.
    A `message_limit` or `save_limit` of 0 is not told (RFC 9738 §3).
    """
    if state is not State.NOT_AUTHENTICATED:
        limited = b"%b %b APPENDLIMIT=%d" % (_ALWAYS, _USERS, append_limit)
        if message_limit:
            limited += b" MESSAGELIMIT=%d" % message_limit
        if save_limit and not 0 < message_limit <= save_limit:  # where it says more than the other
            limited += b" SAVELIMIT=%d" % save_limit
        if administers:
            limited += b" QUOTASET"  # RFC 9208 §4.1.3: to those for whom SETQUOTA does something
        # RFC 4978 §3: once is enough. Not for strangers, so that no password is compressed (CRIME).
        limited += (b"" if compressed else b" COMPRESS=DEFLATE") + b" UNAUTHENTICATE"
        return _without(limited, withheld) if withheld else limited
    words = [_ALWAYS, b"LITERAL-"]
    if tls_offered:
        words.append(b"STARTTLS")
    words += [b"AUTH=" + name.encode() for name in mechanisms]
    if not takes_passwords(mechanisms):
        words.append(b"LOGINDISABLED")
    return b" ".join(words)


def _without(words: bytes, withheld: frozenset[str]) -> bytes:
    return b" ".join(word for word in words.split() if word.decode("ascii") not in withheld)
