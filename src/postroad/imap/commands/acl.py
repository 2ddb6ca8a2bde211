"""GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3)."""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.permission import need
from postroad.imap.wire.acl_commands import GetAcl, ListRights, MyRights, SetAcl
from postroad.imap.wire.acl_responses import acl, list_rights, my_rights
from postroad.model.rights import ALL_RIGHTS, NO_RIGHTS
from postroad.store.account import Account
from postroad.store.sharing import ANYONE, refusal
from postroad.store.types import Mailbox

_ANY_OF: Final = "lrikxa"


async def set_acl(dialogue: Dialogue, command: SetAcl) -> Answer:
    """Give rights, take them away, or take an identifier off the list."""
    account, mailbox = dialogue.find(command.mailbox)
    need(account, mailbox, "a")
    user_id = _user(dialogue, command.identifier)
    if user_id == account.id:
        # §2: these rights are forced. What would leave all of them is done already.
        rights, mode = command.rights, command.mode
        if command.negative or mode == "-" or (not mode and rights != ALL_RIGHTS):
            raise No(b"CANNOT", b"the owner has every right, and keeps it")
        return ok(b"the owner has every right")
    gives = command.rights and not command.negative and command.mode != "-"
    if gives and user_id == ANYONE and _is_nobody(dialogue):
        raise No(b"CANNOT", b"nothing is shared with anyone here")
    await account.shares().change(
        mailbox.id, user_id, negative=command.negative, rights=command.rights, mode=command.mode
    )
    return ok(b"shared" if command.rights else b"done")


def get_acl(dialogue: Dialogue, command: GetAcl) -> Answer:
    """Tell who has which rights; the owner stands first."""
    account, mailbox = dialogue.find(command.mailbox)
    need(account, mailbox, "a")
    pairs = [(account.shares().owner(), ALL_RIGHTS)]
    pairs += [(grant.identifier, grant.rights) for grant in account.shares().grants(mailbox.id)]
    dialogue.core.untagged(acl(dialogue.enabled.octets(mailbox.name), pairs))
    return ok(b"done")


def tell_rights(dialogue: Dialogue, command: ListRights) -> Answer:
    """Tell what an identifier may be given: everything, each right by itself; `anyone` perhaps nothing."""
    account, mailbox = dialogue.find(command.mailbox)
    need(account, mailbox, "a")
    user_id = _user(dialogue, command.identifier)
    always = ALL_RIGHTS if user_id == account.id else NO_RIGHTS
    free = NO_RIGHTS if user_id == ANYONE and _is_nobody(dialogue) else ALL_RIGHTS - always
    dialogue.core.untagged(list_rights(dialogue.enabled.octets(mailbox.name), command.written, always, free))
    return ok(b"done")


def tell_my_rights(dialogue: Dialogue, command: MyRights) -> Answer:
    """Tell what the user may do."""
    account, mailbox = dialogue.find(command.mailbox)
    dialogue.core.untagged(rights_line(dialogue, account, mailbox))
    return ok(b"done")


def rights_line(dialogue: Dialogue, account: Account, mailbox: Mailbox) -> bytes:
    """Return the MYRIGHTS response of a mailbox, for LIST as well (RFC 8440)."""
    rights = account.rights(mailbox.id)
    if not rights & frozenset(_ANY_OF):
        raise refusal(rights, mailbox.id)
    return my_rights(dialogue.enabled.octets(mailbox.name), rights)


def _user(dialogue: Dialogue, identifier: str) -> int:
    user_id = dialogue.account.shares().user_named(identifier)
    if user_id is None:
        raise No(b"CANNOT", b"there is no such user here")
    return user_id


def _is_nobody(dialogue: Dialogue) -> bool:
    """Whether `anyone`, which RFC 4314 §2 leaves to the server, may be given nothing."""
    return dialogue.services.store.anyone == "nobody"
