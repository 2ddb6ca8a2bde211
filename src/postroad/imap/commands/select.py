"""SELECT, EXAMINE, UNSELECT (RFC 3501 §6.3.1, §6.3.2; RFC 3691, RFC 4467, RFC 5257, RFC 7162)."""

from typing import Final

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.name_line import name_line
from postroad.imap.objects import mailbox_id
from postroad.imap.permission import need
from postroad.imap.resync import resync
from postroad.imap.selected import Selected
from postroad.imap.urlauth import mechanisms
from postroad.imap.wire import responses
from postroad.imap.wire.mailbox_commands import Select
from postroad.imap.wire.withheld import ANNOTATE
from postroad.store.annotating import LEAST, longest

_CHANGES_FOR_ALL: Final = frozenset("iewtn")
"""Rights to change what others see. \\Seen is each one's own, so `s` is none of them (RFC 4314 §5.2)."""
_KEYWORDS: Final = ("$Forwarded", "$Junk", "$MDNSent", "$NotJunk", "$Phishing")
"""RFC 9051 §2.3.2: clients of IMAP4rev2 look for these among the flags."""


async def select(dialogue: Dialogue, command: Select) -> Answer:
    """Open a mailbox; the one that was open is closed first, whatever becomes of this."""
    if dialogue.maybe_selected is not None:
        dialogue.unselect()
        dialogue.core.untagged(b"OK [CLOSED] what follows is about another mailbox")  # RFC 7162 §3.2.11
    if command.condstore:
        dialogue.aware_of_modseqs()
    account, mailbox = dialogue.find(command.mailbox)
    rights = need(account, mailbox, "r")
    listing = await account.listing(mailbox.id)
    selected = Selected(
        account,
        mailbox,
        listing,
        dialogue.services.shared_uids,
        dialogue.enabled,
        read_only=command.read_only,
        rights=rights,
        annotate=command.annotate,
    )
    selected.flags.learn(listing.keywords())
    rev2 = dialogue.enabled.rev2
    if rev2:
        selected.flags.learn(_KEYWORDS)
    unseen = 0 if rev2 else listing.first_unseen()  # RFC 9051 appendix E, 11
    await selected.claim_recent()
    lines = [
        selected.flag_listing(),
        selected.sizes(),
        b"* OK [UIDVALIDITY %d] UIDs of this mailbox\r\n" % selected.uidvalidity,
        b"* OK [UIDNEXT %d] comes next\r\n" % selected.uidnext,
        b"* OK [%b] stays with it\r\n" % responses.mailboxid(mailbox_id(account.id, mailbox)),
    ]
    if named := mechanisms(dialogue, account):  # RFC 4467 §8: with RESETKEY, SELECT and EXAMINE
        lines.append(b"* OK [%b] authorizes URLs\r\n" % named)
    if unseen and not dialogue.enabled.uidonly:
        lines.append(b"* OK [UNSEEN %d] is the first unseen\r\n" % selected.number(unseen))
    # RFC 7162 §3.1.2: whenever a mailbox is opened. Thunderbird 153 uses CONDSTORE only where it has seen it.
    lines.append(b"* OK [%b] latest change\r\n" % selected.highest_modseq())
    if ANNOTATE not in dialogue.core.withheld:
        lines.append(b"* OK [%b] notes about messages\r\n" % _annotations(dialogue, command))
    if rev2:
        lines.append(b"* %b\r\n" % name_line(dialogue, mailbox.name, command.mailbox.name))
    dialogue.core.write(b"".join(lines))
    dialogue.select(selected)
    if command.qresync is not None:
        await resync(dialogue, command.qresync)
    if command.read_only or not rights & _CHANGES_FOR_ALL:
        return ok(b"opened for reading", b"READ-ONLY")
    return ok(b"opened", b"READ-WRITE")


def _annotations(dialogue: Dialogue, command: Select) -> bytes:
    """What can be noted about messages (RFC 5257 §4.1): whoever may read may note something for oneself."""
    if command.read_only:
        return b"ANNOTATIONS READ-ONLY"
    limits = dialogue.services.limits
    return b"ANNOTATIONS %d" % max(LEAST, min(longest(limits), limits.imap_literal))


def unselect(dialogue: Dialogue) -> Answer:
    """Close the mailbox without expunging."""
    dialogue.unselect()
    return ok(b"closed")
