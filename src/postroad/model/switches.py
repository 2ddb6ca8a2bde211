"""Which capabilities can be switched off for an account whose client cannot live with them.

All of them are extensions: without any a server is one of IMAP4rev1 (RFC 3501)
or POP3 (RFC 1939) still. What is told before log-in (STARTTLS, AUTH=, SASL-IR,
LITERAL-, all of submission's EHLO) cannot be: nobody knows then who it is. Nor
can what ENABLE and ID are, nor what only tells (CHILDREN, APPENDLIMIT …) and
asks nothing of a client that passes over it.
"""

import difflib
from collections.abc import Collection, Mapping
from typing import Final

_REV2: Final = frozenset(
    {"BINARY", "ESEARCH", "IDLE", "LIST-EXTENDED", "LIST-STATUS", "MOVE", "NAMESPACE", "SEARCHRES"}
    | {"SPECIAL-USE", "STATUS=SIZE", "UIDPLUS", "UNSELECT"}
)
"""What RFC 9051 (appendix E) has taken in: who lacks one of these is no IMAP4rev2."""

SWITCHABLE: Final[Mapping[str, frozenset[str]]] = {
    "ACL": frozenset(),
    "ANNOTATE-EXPERIMENT-1": frozenset(),
    "BINARY": frozenset(),
    "CATENATE": frozenset(),
    "COMPRESS=DEFLATE": frozenset(),
    "CONDSTORE": frozenset(),
    "CONTEXT=SEARCH": frozenset({"ESEARCH"}),  # RFC 5267 §4.1: by RETURN
    "CONTEXT=SORT": frozenset({"CONTEXT=SEARCH", "ESORT"}),  # the same, with CANCELUPDATE
    "CREATE-SPECIAL-USE": frozenset({"SPECIAL-USE"}),  # RFC 6154 §3
    "ESEARCH": frozenset(),
    "ESORT": frozenset({"SORT"}),  # RFC 5267 §3.1
    "I18NLEVEL=2": frozenset(),
    "IDLE": frozenset(),
    "IMAP4rev2": _REV2,
    "INPROGRESS": frozenset(),
    "LIST-EXTENDED": frozenset(),
    "LIST-METADATA": frozenset({"LIST-EXTENDED", "METADATA"}),  # RFC 9590 §2
    "LIST-MYRIGHTS": frozenset({"LIST-EXTENDED", "ACL"}),  # RFC 8440 §3
    "LIST-STATUS": frozenset({"LIST-EXTENDED"}),  # RFC 5819 §2
    "MESSAGELIMIT": frozenset(),
    "METADATA": frozenset(),
    "MOVE": frozenset(),
    "MULTIAPPEND": frozenset(),
    "MULTISEARCH": frozenset({"ESEARCH"}),  # RFC 7377 §2
    "NAMESPACE": frozenset(),
    "NOTIFY": frozenset(),
    "OBJECTID": frozenset(),
    "PARTIAL": frozenset({"ESEARCH"}),  # RFC 9394 §3.1
    "POP3:TOP": frozenset(),
    "POP3:UIDL": frozenset(),
    "PREVIEW": frozenset(),
    "QRESYNC": frozenset({"CONDSTORE"}),  # RFC 7162 §3.2.3
    "QUOTA": frozenset(),
    "QUOTASET": frozenset({"QUOTA"}),  # RFC 9208 §3.1.2
    "REPLACE": frozenset(),
    "SAVEDATE": frozenset(),
    "SAVELIMIT": frozenset(),
    "SEARCH=FUZZY": frozenset(),
    "SEARCHRES": frozenset({"ESEARCH"}),  # RFC 5182 §2: by RETURN
    "SORT": frozenset(),
    "SORT=DISPLAY": frozenset({"SORT"}),  # RFC 5957 §3
    "SPECIAL-USE": frozenset(),
    "STATUS=SIZE": frozenset(),
    "THREAD=ORDEREDSUBJECT": frozenset(),
    "THREAD=REFERENCES": frozenset(),
    "THREAD=REFS": frozenset(),
    "UIDBATCHES": frozenset(),
    "UIDONLY": frozenset(),
    "UIDPLUS": frozenset(),
    "UNAUTHENTICATE": frozenset(),
    "UNSELECT": frozenset(),
    "URLAUTH": frozenset(),
    "URLAUTH=BINARY": frozenset({"URLAUTH"}),  # RFC 5524 §2
    "UTF8=ACCEPT": frozenset(),
    "WITHIN": frozenset(),
}
"""What can be switched off, each with what it stands on; of IMAP where no protocol stands in front."""

_FOLLOWING: Final[Mapping[str, frozenset[str]]] = {
    "QUOTA=RES-MESSAGE": frozenset({"QUOTA"}),
    "QUOTA=RES-STORAGE": frozenset({"QUOTA"}),
    "RIGHTS=texkn": frozenset({"ACL"}),
    "URL-PARTIAL": frozenset({"CATENATE"}),
}
"""What goes with another and never by itself."""

_ALL: Final = {**SWITCHABLE, **_FOLLOWING}


class NoSuchSwitch(Exception):
    """Nothing of that name can be switched off; the message names the nearest that can."""


def canonical(name: str) -> str:
    """A name as it is advertised, out of what an operator typed.

    Raises:
        NoSuchSwitch
    """
    known = {one.upper(): one for one in SWITCHABLE}
    found = known.get(name.upper())
    if found is not None:
        return found
    near = difflib.get_close_matches(name.upper(), list(known), n=1, cutoff=0.5)
    hint = f'; did you mean "{known[near[0]]}"?' if near else ""
    raise NoSuchSwitch(f'"{name}" is no capability that can be switched off{hint}')


def withheld(off: Collection[str]) -> frozenset[str]:
    """All that is not there without `off`: these, and what stands on them."""
    if not off:
        return frozenset()
    gone = set(off)
    while more := {name for name, needs in _ALL.items() if name not in gone and needs & gone}:
        gone |= more
    return frozenset(gone)
