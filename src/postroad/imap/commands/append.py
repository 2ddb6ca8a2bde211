"""APPEND of one or many messages (RFC 3501 §6.3.11, RFC 3502)."""

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.incoming import Incoming
from postroad.imap.name_line import tell_name
from postroad.imap.permission import need
from postroad.imap.wire import responses
from postroad.imap.wire.message_commands import AppendStart
from postroad.store.account import Account
from postroad.store.errors import NoSuchMailbox, StoreError
from postroad.store.types import Mailbox


async def append(dialogue: Dialogue, command: AppendStart) -> Answer | None:
    """File all messages or none."""
    with Incoming(dialogue) as incoming:
        found: tuple[Account, Mailbox] | None = None
        try:
            found = dialogue.find(command.mailbox, code=b"TRYCREATE")
            need(*found, "i")
            incoming.measure(*found)
        except (No, StoreError) as error:
            incoming.failure = error
        if not await incoming.take(command):
            return None
        assert found is not None
        account, mailbox = found
        try:
            uidvalidity, uids = await account.append(mailbox.id, await incoming.messages())
        except NoSuchMailbox:
            raise No(b"TRYCREATE", b"the mailbox has been deleted meanwhile") from None
        tell_name(dialogue, mailbox.name, command.mailbox.name)
        dialogue.filed(account, mailbox.id, uids)
        return ok(b"filed", responses.appenduid(uidvalidity, uids))
