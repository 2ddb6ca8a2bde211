"""STATUS (RFC 3501 §6.3.10, RFC 7162 §3.1.7, RFC 8438)."""

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.objects import mailbox_id
from postroad.imap.permission import need
from postroad.imap.wire import responses
from postroad.imap.wire.mailbox_commands import Status
from postroad.imap.wire.status_item import StatusItem
from postroad.store.account import Account
from postroad.store.types import Mailbox


def status(dialogue: Dialogue, command: Status) -> Answer:
    """Tell the counters of a mailbox, selected or not."""
    if StatusItem.HIGHESTMODSEQ in command.items:
        dialogue.aware_of_modseqs()
    account, mailbox = dialogue.find(command.mailbox)
    need(account, mailbox, "r")
    dialogue.core.untagged(status_line(dialogue, account, mailbox, command.items))
    return ok(b"done")


def status_line(
    dialogue: Dialogue, account: Account, mailbox: Mailbox, items: tuple[StatusItem, ...]
) -> bytes:
    """Return the STATUS response of one mailbox."""
    limit = dialogue.services.limits.message_size
    values = {item: _value(account, mailbox, item, limit) for item in items}
    return responses.status(dialogue.enabled.octets(mailbox.name), values)


def _value(account: Account, mailbox: Mailbox, item: StatusItem, append_limit: int) -> int | bytes:
    match item:
        case StatusItem.MESSAGES:
            return mailbox.messages
        case StatusItem.RECENT:
            return _recent(account, mailbox)
        case StatusItem.UIDNEXT:
            return mailbox.uidnext
        case StatusItem.UIDVALIDITY:
            return mailbox.uidvalidity
        case StatusItem.UNSEEN:
            return account.unseen(mailbox)
        case StatusItem.SIZE:
            return mailbox.size
        case StatusItem.DELETED:
            return mailbox.deleted
        case StatusItem.DELETED_STORAGE:
            return account.size_of_deleted(mailbox.id) if mailbox.deleted else 0
        case StatusItem.HIGHESTMODSEQ:
            return max(mailbox.highest_modseq, 1)  # RFC 7162 §7: never zero
        case StatusItem.APPENDLIMIT:
            return append_limit
        case StatusItem.MAILBOXID:
            return mailbox_id(account.id, mailbox)


def _recent(account: Account, mailbox: Mailbox) -> int:
    if mailbox.recent_from >= mailbox.uidnext:
        return 0
    return account.count_from(mailbox.id, mailbox.recent_from)
