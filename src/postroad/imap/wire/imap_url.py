"""IMAP URLs of messages and parts of them (RFC 5092), with their authorization (RFC 4467).

/Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024
imap://ada@demo.test/INBOX/;UID=20;EXPIRE=2030-01-01T00:00:00Z;URLAUTH=user+bob:INTERNAL:91354a47...
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from postroad.imap.wire.fetch_items import FetchSection
from postroad.imap.wire.mailbox_name import inbox_or
from postroad.imap.wire.parse_fetch import parse_section
from postroad.imap.wire.reader import BadSyntax
from postroad.imap.wire.sequence_set import MAX_NUMBER

_WHERE: Final = rb"(?:(?:IMAP:)?//(?:(?P<user>[^/@;]*)(?:;[^/@]*)?@)?(?P<host>[^/@:;]*)(?::[0-9]*)?(?=/))?"
_WHAT: Final = (
    rb"(?P<lead>/?)(?P<mailbox>[^;?]*?)(?:;UIDVALIDITY=(?P<uidvalidity>[0-9]{1,10}))?"
    rb"/?;UID=(?P<uid>[0-9]{1,10})(?:/;SECTION=(?P<section>[^/;?]+))?"
    rb"(?:/;PARTIAL=(?P<origin>[0-9]{1,10})(?:\.(?P<count>[0-9]{1,10}))?)?"
)
_URL: Final = re.compile(_WHERE + _WHAT, re.IGNORECASE)
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN: Final = re.compile(rb"[\x00-\x20\x7f\"<>\\^`{|}]")


@dataclass(frozen=True, slots=True)
class ImapUrl:
    """What a URL of a message says."""

    absolute: bool
    """It names a server."""
    user: str | None
    host: str
    mailbox: str
    """Empty where the selected one is meant; relative to the selected one where not `rooted`."""
    rooted: bool
    """The mailbox is named from the top."""
    uidvalidity: int | None
    uid: int
    section: FetchSection


def parse_url(url: bytes) -> ImapUrl | None:
    """Read the URL of a message or of a part; None for any other, and for what is no URL."""
    match = _URL.fullmatch(url)
    if match is None or _ESCAPE.search(url) or _FORBIDDEN.search(url):
        return None
    found = match.groupdict()
    try:
        mailbox = unquote_to_bytes(found["mailbox"]).decode("utf-8")
        user = None if found["user"] is None else unquote_to_bytes(found["user"]).decode("utf-8")
        section = parse_section(unquote_to_bytes(found["section"] or b""), _partial(found))
    except (BadSyntax, UnicodeDecodeError):
        return None
    uid, uidvalidity = int(found["uid"]), found["uidvalidity"]
    if not 0 < uid <= MAX_NUMBER or "\0" in mailbox:
        return None
    return ImapUrl(
        found["host"] is not None,
        user,
        (found["host"] or b"").decode("ascii", "replace").lower(),
        inbox_or(mailbox),
        found["lead"] != b"",
        None if uidvalidity is None else int(uidvalidity),
        uid,
        section,
    )


def _partial(found: dict[str, bytes | None]) -> tuple[int, int] | None:
    """`;PARTIAL=from.count`, or from there to the end (RFC 5092 §11 partial-range)."""
    origin, count = found["origin"], found["count"]
    if origin is None:
        return None
    if count is not None and not int(count):
        raise BadSyntax(b"a partial has octets")
    return int(origin), MAX_NUMBER if count is None else int(count)
