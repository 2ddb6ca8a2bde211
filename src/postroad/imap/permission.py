"""Whether a user may do something with a mailbox, where nothing is written that would ask (RFC 4314 §4)."""

from postroad.imap.selected import Selected
from postroad.model.rights import Rights
from postroad.store.account import Account
from postroad.store.sharing import refusal
from postroad.store.types import Mailbox


def need(account: Account, mailbox: Mailbox, wanted: str) -> Rights:
    """See to it that the user has all these rights; give those that there are.

    Raises:
        NotAllowed
        NoSuchMailbox: and the user may not even know of it (§6).
    """
    rights = account.rights(mailbox.id)
    if not rights.issuperset(wanted):
        raise refusal(rights, mailbox.id)
    return rights


def need_selected(selected: Selected, wanted: str) -> None:
    """The same for the selected mailbox, whose rights are known as of the beginning of the command."""
    if not selected.rights.issuperset(wanted):
        raise refusal(selected.rights, selected.id)


def need_to_note(account: Account, mailbox: Mailbox, *, shared: bool) -> None:
    """The same for annotations (RFC 5464 §3.3); what all see is for those who may change what all see."""
    rights = account.rights(mailbox.id)
    if "l" not in rights or not rights & frozenset("rswip") or (shared and "w" not in rights):
        raise refusal(rights, mailbox.id)
