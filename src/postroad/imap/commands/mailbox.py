"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7; RFC 6154)."""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.objects import mailbox_id
from postroad.imap.pattern import SEPARATOR
from postroad.imap.wire import responses
from postroad.imap.wire.mailbox_commands import Create, Delete, Rename, Subscribe
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.store.special_use import the_use

_INBOX: Final = "INBOX"


async def create(dialogue: Dialogue, command: Create) -> Answer:
    """Make a mailbox; a separator at the end only declares an intent (§6.3.3)."""
    name = _name(command.mailbox).removesuffix(SEPARATOR)
    use = _special_use(dialogue, command)
    made = await dialogue.account.create(name, use)
    if dialogue.watching is not None:
        dialogue.watching.created(made.id, made.name)
    return ok(b"made", responses.mailboxid(mailbox_id(dialogue.account.id, made)))


async def delete(dialogue: Dialogue, command: Delete) -> Answer:
    """Remove a mailbox and what is in it; mailboxes below it stay (§6.3.4)."""
    name = _name(command.mailbox)
    if name == _INBOX:
        raise No(b"CANNOT", b"INBOX stays")
    mailbox = dialogue.account.mailbox(name)
    if mailbox is None:
        if any(other.name.startswith(name + SEPARATOR) for other in dialogue.account.mailboxes()):
            raise No(b"CANNOT", b"that is no mailbox, only a level above others")
        raise No(b"NONEXISTENT", b"there is no such mailbox")
    selected = dialogue.maybe_selected
    if selected is not None and selected.id == mailbox.id:
        dialogue.unselect()
    await dialogue.account.delete(mailbox.id)
    if dialogue.watching is not None:
        dialogue.watching.deleted(mailbox.id)
    return ok(b"deleted")


async def rename(dialogue: Dialogue, command: Rename) -> Answer:
    """Rename a mailbox and what is below it; INBOX is emptied into the new one (§6.3.5)."""
    old, new = _name(command.mailbox), _name(command.new_name).removesuffix(SEPARATOR)
    mailbox = dialogue.account.mailbox(old)
    if mailbox is None:
        await dialogue.account.rename_level(old, new)
    else:
        await dialogue.account.rename(mailbox.id, new)
        if dialogue.watching is not None and mailbox.name != _INBOX:
            dialogue.watching.renamed(mailbox.name, new)
    return ok(b"renamed")


async def subscribe(dialogue: Dialogue, command: Subscribe) -> Answer:
    """Note a name as subscribed, or no longer; it stays so when the mailbox goes (§6.3.6)."""
    name = _name(command.mailbox)
    await dialogue.account.subscribe(name, command.on)
    if dialogue.watching is not None:
        dialogue.watching.subscribed(name, command.on)
    return ok(b"noted")


def _name(named: MailboxName) -> str:
    if not named.valid:
        raise No(b"CANNOT", b"the name is not in modified UTF-7")
    return named.name


def _special_use(dialogue: Dialogue, command: Create) -> str:
    """The one use of a new mailbox; no mailbox is made where it cannot have it (RFC 6154 §3)."""
    if not command.special_use:
        return ""
    use = the_use(command.special_use)
    if any(mailbox.special_use == use for mailbox in dialogue.account.mailboxes()):
        raise No(b"USEATTR", b"another mailbox is used for that")
    return use
