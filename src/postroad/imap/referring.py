"""What a URL of the user's own messages stands for (RFC 4469 §3, RFC 5092, RFC 5550 §3.6 URL-PARTIAL)."""

import re
from typing import Final

from postroad.imap.answer import No
from postroad.imap.dialogue import Dialogue
from postroad.imap.excerpt import Excerpt
from postroad.imap.pattern import SEPARATOR
from postroad.imap.wire.imap_url import ImapUrl, parse_url
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.store.account import Account
from postroad.store.errors import NoSuchMessage
from postroad.store.types import Mailbox

# RFC 4469 §5 url-resp-text, and nothing that a client could take for the end of the code.
_UNSPEAKABLE: Final = re.compile(rb"[^\x21-\x5c\x5e-\x7e]")


def excerpt_of(dialogue: Dialogue, url: bytes) -> Excerpt:
    """Find the octets that a relative URL means.

    Raises:
        No: BADURL; it means nothing that is here and the user's own.
        Damaged
    """
    parsed = parse_url(url)
    if parsed is None or parsed.absolute or parsed.auth is not None:
        raise _bad(url)
    found = _mailbox(dialogue, parsed)
    if found is None or parsed.uidvalidity not in (None, found[1].uidvalidity):
        raise _bad(url)
    account, mailbox = found
    if "r" not in account.rights(mailbox.id):
        raise _bad(url)  # RFC 4314 §4, and what is not to be read is not to be known of
    entries = account.entries(mailbox.id, ((parsed.uid, parsed.uid),))
    if not entries:
        raise _bad(url)
    try:
        message = account.open(entries[0].message_id)
    except NoSuchMessage:
        raise _bad(url) from None
    place = message.section(parsed.section.path, parsed.section.text)
    if place is None:
        raise _bad(url)
    return Excerpt(message, parsed.section, place)


def _mailbox(dialogue: Dialogue, url: ImapUrl) -> tuple[Account, Mailbox] | None:
    """Find the mailbox, by the selected one where the URL counts on that (RFC 4469 §3, RFC 3986 §5.2.3)."""
    selected = dialogue.maybe_selected
    base = None if selected is None else selected.account.mailbox_by_id(selected.id)
    if not url.mailbox:
        return None if selected is None or base is None else (selected.account, base)
    above = "" if url.rooted or base is None else base.name.rpartition(SEPARATOR)[0]
    try:
        return dialogue.find(MailboxName(f"{above}{SEPARATOR}{url.mailbox}" if above else url.mailbox))
    except No:
        return None


def _bad(url: bytes) -> No:
    written = _UNSPEAKABLE.sub(lambda octet: b"%%%02X" % octet[0][0], url[:1000])
    return No(b"BADURL " + (written or b"%20"), b"that URL names nothing that can be had here")
