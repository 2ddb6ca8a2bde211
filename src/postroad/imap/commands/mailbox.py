"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7; RFC 6154)."""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.name_line import tell_name
from postroad.imap.objects import mailbox_id
from postroad.imap.pattern import SEPARATOR
from postroad.imap.permission import need
from postroad.imap.wire import responses
from postroad.imap.wire.mailbox_commands import Create, Delete, Rename, Subscribe
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.store.account import Account
from postroad.store.errors import NoSuchMailbox, NotAllowed
from postroad.store.namespaces import is_foreign
from postroad.store.special_use import the_use

_INBOX: Final = "INBOX"


async def create(dialogue: Dialogue, command: Create) -> Answer:
    """Make a mailbox; a separator at the end only declares an intent (§6.3.3)."""
    name = _name(command.mailbox).removesuffix(SEPARATOR)
    account, inner = dialogue.whose(name)
    if account is not dialogue.account and command.special_use:
        raise No(b"USEATTR", b"what mailboxes of others are used for is theirs to say")
    _check_own(dialogue, account, name)
    use = _special_use(dialogue, command)
    made = await account.create(inner, use)
    if (watching := dialogue.watch_over(account)) is not None:
        watching.created(made.id, made.name)
    tell_name(dialogue, made.name, name)
    return ok(b"made", responses.mailboxid(mailbox_id(account.id, made)))


async def delete(dialogue: Dialogue, command: Delete) -> Answer:
    """Remove a mailbox and what is in it; mailboxes below it stay (§6.3.4)."""
    name = _name(command.mailbox)
    if name == _INBOX:
        raise No(b"CANNOT", b"INBOX stays")
    account, inner = dialogue.whose(name)
    mailbox = account.mailbox(inner)
    if mailbox is None:
        if any(other.name.startswith(name + SEPARATOR) for other in account.mailboxes()):
            code = b"HASCHILDREN" if dialogue.enabled.rev2 else b"CANNOT"  # RFC 9051 §6.3.5
            raise No(code, b"that is no mailbox, only a level above others")
        raise No(b"NONEXISTENT", b"there is no such mailbox")
    selected = dialogue.maybe_selected
    need(account, mailbox, "x")
    if selected is not None and (selected.account.id, selected.id) == (account.id, mailbox.id):
        dialogue.unselect()
    await dialogue.progress(command.tag, mailbox.messages).meanwhile(account.delete(mailbox.id))
    if (watching := dialogue.watch_over(account)) is not None:
        watching.deleted(mailbox.id)
    tell_name(dialogue, mailbox.name, name)
    return ok(b"deleted")


async def rename(dialogue: Dialogue, command: Rename) -> Answer:
    """Rename a mailbox and what is below it; INBOX is emptied into the new one (§6.3.5)."""
    old, new = _name(command.mailbox), _name(command.new_name).removesuffix(SEPARATOR)
    account, inner = dialogue.whose(old)
    mailbox = account.mailbox(inner)
    to, inner_new = dialogue.whose(new)
    if mailbox is None and is_foreign(old):
        raise NoSuchMailbox(old)  # whether there is somebody of that name or not
    if mailbox is not None:
        need(account, mailbox, "x")
    _check_own(dialogue, to, new)
    if to.id != account.id and to is not dialogue.account:
        raise NotAllowed(new)  # whoever it is, and whether there is anybody
    if mailbox is None:
        await account.rename_level(inner, inner_new)
        return ok(b"renamed")
    if to.id != account.id:
        raise No(b"CANNOT", b"a mailbox stays with its owner; its messages can be moved")
    await account.rename(mailbox.id, inner_new, dialogue.progress(command.tag, mailbox.messages).reach)
    if mailbox.name != _INBOX and (watching := dialogue.watch_over(account)) is not None:
        watching.renamed(mailbox.name, new)
    renamed = account.mailbox_by_id(mailbox.id)
    if renamed is not None and mailbox.name != _INBOX:
        tell_name(dialogue, renamed.name, old)
    return ok(b"renamed")


async def subscribe(dialogue: Dialogue, command: Subscribe) -> Answer:
    """Note a name as subscribed, or no longer; it stays so when the mailbox goes (§6.3.6)."""
    name = _name(command.mailbox)
    await dialogue.account.subscribe(name, command.on)
    if dialogue.watching is not None:
        dialogue.watching.subscribed(name, command.on)
    return ok(b"noted")


def _check_own(dialogue: Dialogue, account: Account, name: str) -> None:
    """Where others' mailboxes are shown nobody makes own ones; a mailbox that was called so before stays."""
    if account is dialogue.account and is_foreign(name) and account.mailbox(name.split("/")[0]) is None:
        raise NotAllowed(name)


def _name(named: MailboxName) -> str:
    if not named.valid:
        raise No(b"CANNOT", b"the name is neither modified UTF-7 nor UTF-8")
    return named.name


def _special_use(dialogue: Dialogue, command: Create) -> str:
    """The one use of a new mailbox; no mailbox is made where it cannot have it (RFC 6154 §3)."""
    if not command.special_use:
        return ""
    use = the_use(command.special_use)
    if any(mailbox.special_use == use for mailbox in dialogue.account.mailboxes()):
        raise No(b"USEATTR", b"another mailbox is used for that")
    return use
