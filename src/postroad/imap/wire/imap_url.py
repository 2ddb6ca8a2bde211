"""IMAP URLs of messages and parts of them (RFC 5092), with who may use them (RFC 4467 §3).

/Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024
imap://ada%40demo.test@mail.demo.test/INBOX/;UID=20;URLAUTH=authuser:INTERNAL:91354a473744909de610943775f92038
"""

import re
from datetime import datetime
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

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
_WHO: Final = (
    rb"(?:(?:;EXPIRE=(?P<expire>[^;]+))?;URLAUTH=(?P<access>[^:;]+)(?P<verifier>:(?P<mechanism>[A-Z0-9.-]+)"
    rb":(?P<token>[0-9A-F]{32,128}))?)?"
)
_URL: Final = re.compile(_WHERE + _WHAT + _WHO, re.IGNORECASE)
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN: Final = re.compile(rb"[\x00-\x20\x7f-\xff\"<>\\^`{|}]")


class UrlAuth(Struct, frozen=True):
    """Who may use a URL, and how that is proved (RFC 4467 §3)."""

    rump: bytes
    """All of the URL that is authorized."""
    access: str
    """`user+…`, `submit+…`, `authuser` or `anonymous`; in small letters as far as the plus."""
    expire: float | None
    """Seconds since the epoch."""
    mechanism: str = ""
    """In capitals; empty in a URL that is yet to be authorized."""
    token: bytes = b""


class ImapUrl(Struct, frozen=True):
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
    auth: UrlAuth | None


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
        auth = None if found["access"] is None else _auth(url[: match.end("access")], found)
    except (BadSyntax, ValueError):
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
        auth,
    )


def _partial(found: dict[str, bytes | None]) -> tuple[int, int] | None:
    """`;PARTIAL=from.count`, or from there to the end (RFC 5092 §11 partial-range)."""
    origin, count = found["origin"], found["count"]
    if origin is None:
        return None
    if count is not None and not int(count):
        raise BadSyntax(b"a partial has octets")
    return int(origin), MAX_NUMBER if count is None else int(count)


def _auth(rump: bytes, found: dict[str, bytes | None]) -> UrlAuth:
    """Read what stands behind the part that is addressed; raises ValueError."""
    kind, plus, who = unquote_to_bytes(found["access"] or b"").decode("utf-8").partition("+")
    expire = found["expire"]
    moment = None
    if expire is not None:
        date = datetime.fromisoformat(expire.decode("ascii").upper())
        if date.tzinfo is None:
            raise ValueError("RFC 3339 §5.6: a date-time has an offset")
        moment = date.timestamp()
    return UrlAuth(
        rump,
        kind.lower() + plus + who,
        moment,
        (found["mechanism"] or b"").decode("ascii").upper(),
        (found["token"] or b"").lower(),
    )
