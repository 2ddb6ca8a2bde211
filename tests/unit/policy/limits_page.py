"""docs/operate/limits.md, written from the settings themselves.

    python -m tests.unit.policy.limits_page      writes the page anew

`test_limits_page.py` holds the page that is in the tree to it.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from postroad.config.fields import Field, Kind, fields_of, written
from postroad.config.limits import Limits
from postroad.config.settings import Queue
from postroad.config.values import format_size
from postroad.db.ballast import OCTETS
from postroad.directory import resolve
from postroad.directory.authenticate import MOST_WAITING, THREADS
from postroad.directory.credentials import FULL_COST, MAX_LENGTH, MIN_LENGTH
from postroad.imap.ordering.forest import STEPS
from postroad.imap.pattern import WILDCARDS
from postroad.imap.wire.annotation import NAME_LENGTH
from postroad.imap.wire.limits import (
    ANNOTATION_ENTRIES,
    ANNOTATION_WILDCARDS,
    FETCH_ITEMS,
    LIST_PATTERNS,
    SEARCH_DEPTH,
    SEARCH_KEYS,
    SEARCH_TEXTS,
    SORT_CRITERIA,
)
from postroad.message import address_list, content_type, dsn, part
from postroad.message.likeness import LOOKED_AT
from postroad.model import address
from postroad.net.connection import WRITE_HIGH_WATER
from postroad.policy.gate import STRANGERS
from postroad.store import sharing
from postroad.store.flagging import KEYWORD_LENGTH, KEYWORDS_PER_MESSAGE

PAGE: Final = Path(__file__).parents[3] / "docs" / "operate" / "limits.md"

_HEAD: Final = """\
Whatever a stranger does, it costs a bounded amount of memory, time and disk. Each limit has a name in the
`[limits]` table of the settings file, and what is refused because of it is refused with a sentence that says
so. Sizes are written `"50 MiB"`, durations `"90 s"` or `"5 days"`. This page is written from the program and
checked by its tests.
"""

_TABLE: Final = ("| setting | default | meaning |", "|---|---|---|")

_GROUPS: Final = (
    ("Messages", "message_size"),
    ("Lines and literals", "smtp_line"),
    ("Connections", "connections"),
    ("Time", "greeting_timeout"),
    ("Misbehaviour", "errors_soft"),
    ("Log-ins", "auth_per_connection"),
    ("Store", "free_space"),
)
"""Headings, each with the setting that it stands before."""

_NOTES: Final = {
    "Connections": f"""\
Addresses are counted over all workers; an IPv6 address counts as its /64. Connections that have neither
logged in nor had a message accepted get {STRANGERS:.0%} of `connections`: beyond that, the one that has
waited longest is dropped for the next. A refused connection is told why in one line and closed.
""",
    "Log-ins": f"""\
Unknown user, wrong password and suspended account get the same words after the same time. A guess is counted
before its password is hashed, in the database, so every worker knows and a restart does not forget; the right
password is taken off the count again. Whoever comes from an address from which the account has logged in
before is counted for that account and address alone: strangers cannot lock an owner out, and one phone with
an old password does not lock out the office around it. Passwords are hashed with argon2id
({format_size(FULL_COST.memory_kib * 1024)}, {FULL_COST.passes} passes), {THREADS} at a time in each worker,
with up to {MOST_WAITING} log-ins waiting.
""",
    "Store": f"""\
Mail is refused (452 4.3.1, `NO [LIMIT]`) while less than `free_space`, or less than one and a half
times the size of the message, is free. Reading and deleting go on, even when something else has filled the
disk: {format_size(OCTETS)}, `ballast` in the data directory, are given up then.

Which messages were expunged is remembered for IMAP clients with QRESYNC, so that one that was away is told in
one answer what is gone: `[retention] expunged` (90 days) and `tombstones` say for how long. A client that was
away for longer gets every UID that is missing instead, which is as right and only longer.

Annotations of messages that were deleted count as long as these can be restored.
""",
}


def page() -> str:
    """Return the whole page."""
    return "\n".join(["# Limits", "", _flowed(_HEAD), "", *_settings(), *_queue(), *_fixed()]) + "\n"


def _settings() -> Iterator[str]:
    yield "## The `[limits]` table"
    heading = {first: group for group, first in _GROUPS}
    group = ""
    for field in fields_of(Limits):
        if field.name in heading:
            yield from _note(group)
            group = heading[field.name]
            yield from (f"### {group}", "", *_TABLE)
        yield f"| `{field.name}` | {_default(field)} | {field.about} |"
    yield from _note(group)


def _queue() -> Iterator[str]:
    yield from ("## The `[queue]` table", "", *_TABLE)
    for field in fields_of(Queue):
        if field.kind is not Kind.SWITCH:
            yield f"| `{field.name}` | {_default(field)} | {field.about} |"


def _note(group: str) -> Iterator[str]:
    yield ""
    if group in _NOTES:
        yield from (_flowed(_NOTES[group]), "")


def _flowed(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 110)


def _fixed() -> Iterator[str]:
    yield from ("", "## Not settings", "", "These are part of how postroad works.", "")
    yield from ("| what | limit |", "|---|---|")
    for what, limit in (
        ("Local part of an address (RFC 5321 §4.5.3.1.1)", f"{address.MAX_LOCAL} octets"),
        ("Path in MAIL and RCPT (RFC 5321 §4.5.3.1.3)", f"{address.MAX_PATH} octets"),
        ("Aliases that an address may lead through", resolve.MAX_DEPTH),
        ("Targets that an address may lead to", resolve.MAX_TARGETS),
        ("Password", f"{MIN_LENGTH} to {MAX_LENGTH} characters"),
        ("Levels of MIME parts; deeper ones are shown as one opaque part", part.MAX_DEPTH),
        ("MIME parts of a message; the rest is one opaque part", part.MAX_PARTS),
        ("Addresses read from one header field", address_list.MAX_ADDRESSES),
        ("Parameters read from one MIME field", content_type.MAX_PARAMETERS),
        ("Levels of an IMAP SEARCH", SEARCH_DEPTH),
        ("Keys of an IMAP SEARCH", SEARCH_KEYS),
        ("BODY, TEXT and ANNOTATION keys among them", SEARCH_TEXTS),
        ("Characters of one text that FUZZY looks at", LOOKED_AT),
        ("Criteria of an IMAP SORT", SORT_CRITERIA),
        ("Steps from child to parent that one IMAP THREAD takes", STEPS),
        ("Items of an IMAP FETCH", FETCH_ITEMS),
        ("Entries in its ANNOTATION items", ANNOTATION_ENTRIES),
        ("Wildcards of one of these items", ANNOTATION_WILDCARDS),
        ("Octets of the name of an annotation's entry", NAME_LENGTH),
        ("Patterns of an IMAP LIST", LIST_PATTERNS),
        ("Wildcards in all of them together", WILDCARDS),
        ("Identifiers with whom a mailbox is shared", sharing.MOST),
        ("Keywords of a message", KEYWORDS_PER_MESSAGE),
        ("Length of a keyword", f"{KEYWORD_LENGTH} octets"),
        ("What a peer may leave unread before we stop reading from it", format_size(WRITE_HIGH_WATER)),
        ("Part of a message that a bounce returns", format_size(dsn.MAX_RETURNED)),
    ):
        yield f"| {what} | {limit} |"


def _default(field: Field) -> str:
    text = written(field.kind, field.default)
    return f"`{text}`" if text.startswith("[") else text.strip('"')


if __name__ == "__main__":
    PAGE.write_text(page())
