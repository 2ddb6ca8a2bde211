"""REPLACE and UID REPLACE (RFC 8508): a message in the place of another, in one step."""

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.errors import EXPUNGED, READ_ONLY
from postroad.imap.incoming import Incoming
from postroad.imap.numbering import BadNumber
from postroad.imap.permission import need, need_selected
from postroad.imap.wire import responses
from postroad.imap.wire.message_commands import ReplaceStart
from postroad.store.account import Account
from postroad.store.errors import NoSuchMailbox, StoreError
from postroad.store.types import Entry, Mailbox


async def replace(dialogue: Dialogue, command: ReplaceStart) -> Answer | None:
    """File the new message and remove the old one, both or neither; quota counts what is more."""
    with Incoming(dialogue) as incoming:
        found: tuple[Account, Mailbox] | None = None
        old: Entry | None = None
        try:
            old = _replaced(dialogue, command)
            found = dialogue.find(command.mailbox, code=b"TRYCREATE")
            need(*found, "i")
            at_home = found[0].id == dialogue.selected.account.id
            incoming.measure(*found, freed=old.size if at_home else 0)
        except (No, StoreError, BadNumber) as error:
            incoming.failure = error
        if not await incoming.take(command):
            return None
        assert found is not None
        assert old is not None
        account, mailbox = found
        selected = dialogue.selected
        [message] = await incoming.messages()
        try:
            uidvalidity, uid = await selected.account.replace(
                selected.id, old.uid, account, mailbox.id, message
            )
        except NoSuchMailbox:
            raise No(b"TRYCREATE", b"the mailbox has been deleted meanwhile") from None
        selected.expunged([old.uid])
        dialogue.filed(account, mailbox.id, [uid])
        # §4.3: before the EXPUNGE, so that a client can connect the two.
        dialogue.core.untagged(b"OK [%b] in its place" % responses.appenduid(uidvalidity, [uid]))
        return ok(b"replaced")


def _replaced(dialogue: Dialogue, command: ReplaceStart) -> Entry:
    """Find the message that is to go.

    Raises:
        No, BadNumber
    """
    selected = dialogue.selected
    if selected.read_only:
        raise No(READ_ONLY.code, READ_ONLY.text)
    need_selected(selected, "te")  # §4.1
    pairs = selected.uid_pairs(command.message, uid=command.uid)
    entries = selected.account.entries(selected.id, pairs)
    if not entries:
        raise No(EXPUNGED.code, b"there is no such message")
    return entries[0]
