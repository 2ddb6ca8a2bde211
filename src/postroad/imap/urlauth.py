"""URLs that are authorized: made and believed (RFC 4467 §5, §6)."""

import hmac
from typing import Final, NamedTuple

from postroad.imap.dialogue import Dialogue
from postroad.imap.selected import Selected
from postroad.imap.wire.fetch_items import FetchSection
from postroad.imap.wire.imap_url import ImapUrl, UrlAuth, parse_url
from postroad.store.account import Account
from postroad.store.errors import NoSuchMessage
from postroad.store.messages import StoredMessage

INTERNAL: Final = "INTERNAL"
"""The one mechanism: the key never leaves the server."""
_NOBODY: Final = 0


class Referred(NamedTuple):
    """What an authorized URL leads to."""

    message: StoredMessage
    section: FetchSection
    place: tuple[int, int]


def token_of(key: bytes, rump: bytes) -> bytes:
    """Return the authorization token of a URL: HMAC-SHA-256 of all that is in front of it, in hexadecimal."""
    return hmac.digest(key, rump, "sha256").hex().encode()


def mechanisms(dialogue: Dialogue, account: Account) -> bytes:
    """Return the response code that names the mechanisms for mailboxes of an account, or nothing.

    That is where somebody may listen in (§8), and where it is for others to authorize URLs (§7 GENURLAUTH).
    """
    own = account is dialogue.account and "URLAUTH" not in dialogue.core.withheld
    return b"URLMECH INTERNAL" if own and dialogue.conn.tls is not None else b""


def reset_news(dialogue: Dialogue, selected: Selected, since: int) -> bytes:
    """What is told of a key that another session has reset since a modseq (§7 RESETKEY), or nothing."""
    named = mechanisms(dialogue, selected.account)
    if not named:
        return b""
    reset = dialogue.services.store.url_keys(selected.account.id).reset_at(selected.id)
    return b"OK [%b] a new key" % named if reset > since and reset != selected.key_reset else b""


def owner_of(dialogue: Dialogue, url: ImapUrl) -> int:
    """Return whose mailbox an absolute URL means; 0 for nobody's of this server.

    A user is written with the domain, or without where the server's name is the domain.
    """
    if url.user is None:
        return _NOBODY
    _, at, domain = url.user.rpartition("@")
    if at and url.host not in (dialogue.services.hostname.lower(), domain.lower()):
        return _NOBODY
    return _user(dialogue, url.user if at else f"{url.user}@{url.host}")


def referred(dialogue: Dialogue, url: bytes) -> Referred | None:
    """Return what a URL leads to; None where it leads nowhere, for whatever reason (§7 URLFETCH)."""
    parsed = parse_url(url)
    if parsed is None or not parsed.absolute or parsed.auth is None or parsed.auth.mechanism != INTERNAL:
        return None
    owner_id = owner_of(dialogue, parsed)
    if owner_id == _NOBODY or not _may_use(dialogue, parsed.auth):
        return None
    account = dialogue.services.store.account(owner_id)
    mailbox = account.mailbox(parsed.mailbox)
    key = None if mailbox is None else dialogue.services.store.url_keys(owner_id).key(mailbox.id)
    if mailbox is None or key is None:
        return None
    if not hmac.compare_digest(token_of(key, parsed.auth.rump), parsed.auth.token):
        return None
    if parsed.uidvalidity not in (None, mailbox.uidvalidity):
        return None
    entries = account.entries(mailbox.id, ((parsed.uid, parsed.uid),))
    try:
        message = account.open(entries[0].message_id) if entries else None
    except NoSuchMessage:
        return None
    place = None if message is None else message.section(parsed.section.path, parsed.section.text)
    return None if message is None or place is None else Referred(message, parsed.section, place)


def _may_use(dialogue: Dialogue, auth: UrlAuth) -> bool:
    """Whether this user may use a URL now (§3, §6).

    What is for a submission server alone (`submit+`) is for nobody: none logs in here.
    """
    if auth.expire is not None and dialogue.services.clock.now() >= auth.expire:
        return False
    if auth.access in ("authuser", "anonymous"):
        return True
    kind, _, who = auth.access.partition("+")
    return kind == "user" and _user(dialogue, who) == dialogue.account.id


def _user(dialogue: Dialogue, address: str) -> int:
    return dialogue.account.shares().user_named(address) or _NOBODY
