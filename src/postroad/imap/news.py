"""Telling what has changed in the selected mailbox (RFC 3501 §5.2, §7.4.1; RFC 5267 §4.3)."""

from postroad.imap.dialogue import Dialogue
from postroad.imap.revising import revise
from postroad.imap.selected import MailboxGone
from postroad.store.errors import NoSuchMailbox


async def catch_up(dialogue: Dialogue, *, expunge: bool) -> bytes:
    """Tell the client what has changed in the selected mailbox; give what else it has to hear, as a code.

    Raises:
        MailboxGone
    """
    for line in dialogue.followed.news(dialogue.account) if dialogue.followed else ():
        dialogue.core.untagged(line)
    selected = dialogue.maybe_selected
    if selected is None:
        return b""
    news = await selected.catch_up(expunge=expunge)
    if news.lines:
        dialogue.core.write(news.lines)
    if news.touched and selected.contexts:
        # Behind EXISTS, or the numbers of new messages would mean nothing yet (RFC 5267 §4.3.3).
        try:
            await revise(dialogue, selected, news.touched)
        except NoSuchMailbox:
            raise MailboxGone from None
    return news.code


async def tell_all(dialogue: Dialogue) -> None:
    """The same where there is room for expunges, and the answer is somebody else's.

    Raises:
        MailboxGone
    """
    if code := await catch_up(dialogue, expunge=True):
        dialogue.tell_modseq(code)
