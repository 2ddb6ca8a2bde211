"""GENURLAUTH, URLFETCH, RESETKEY (RFC 4467 §7; RFC 5524)."""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import turns_of
from postroad.imap.sections import Writer
from postroad.imap.url_items import send_url
from postroad.imap.urlauth import INTERNAL, mechanisms, owner_of, referred, token_of
from postroad.imap.wire.imap_url import parse_url
from postroad.imap.wire.responses import quoted, string
from postroad.imap.wire.urlauth_commands import GenUrlAuth, ResetKey, UrlFetch

_ACCESS: Final = ("user+", "submit+")


async def gen_url_auth(dialogue: Dialogue, command: GenUrlAuth) -> Answer:
    """Authorize URLs of own messages; whether there is the user they are for is told nobody."""
    authorized: list[bytes] = []
    for url, mechanism in command.urls:
        parsed = parse_url(url)
        auth = None if parsed is None else parsed.auth
        if parsed is None or auth is None or auth.token or mechanism != INTERNAL:
            return Answer(b"BAD", b"", b"that is no URL to be authorized, or no mechanism")
        mailbox = dialogue.account.mailbox(parsed.mailbox) if parsed.mailbox else None
        if mailbox is None or owner_of(dialogue, parsed) != dialogue.account.id:
            return Answer(b"BAD", b"", b"the URL names no mailbox of yours")
        if auth.access not in ("authuser", "anonymous") and not (
            auth.access.startswith(_ACCESS) and not auth.access.endswith("+")
        ):
            return Answer(b"BAD", b"", b"the URL says nobody who may use it")
        key = await dialogue.services.store.url_keys(dialogue.account.id).made(mailbox.id)
        # The URL comes back as it was written, for the token is of just these octets.
        authorized.append(quoted(b"%b:%b:%b" % (auth.rump, INTERNAL.encode(), token_of(key, auth.rump))))
    dialogue.core.untagged(b" ".join([b"GENURLAUTH", *authorized]))
    return ok(b"done")


async def url_fetch(dialogue: Dialogue, command: UrlFetch) -> Answer:
    """Give what URLs lead to; NIL for those that lead nowhere, without a word why."""
    writer = Writer(dialogue.conn, dialogue.core)
    turns = turns_of(dialogue)
    for url, wanted in command.urls:
        found = referred(dialogue, url)
        writer.put(b"* URLFETCH " + string(url))
        if found is None:
            writer.put(b" NIL")
        else:
            await send_url(dialogue, found, wanted, writer, turns)
        writer.put(b"\r\n")
        await writer.room()
        await turns.next()
    return ok(b"done")


async def reset_key(dialogue: Dialogue, command: ResetKey) -> Answer:
    """Make the URLs of a mailbox, or of all mailboxes, worth nothing."""
    keys = dialogue.services.store.url_keys(dialogue.account.id)
    if command.mailbox is None:
        await keys.drop_all()
        return ok(b"all keys are gone")
    mailbox = dialogue.account.mailbox(command.mailbox.name) if command.mailbox.valid else None
    if mailbox is None:
        raise No(b"NONEXISTENT", b"there is no such mailbox of yours")
    modseq = await keys.renew(mailbox.id)
    selected = dialogue.maybe_selected
    if selected is not None and (selected.account.id, selected.id) == (dialogue.account.id, mailbox.id):
        selected.key_reset = modseq
    return ok(b"a new key", mechanisms(dialogue, dialogue.account))
