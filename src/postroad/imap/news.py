"""Telling what has changed (RFC 3501 §5.2, §7.4.1; RFC 5267 §4.3; RFC 5465)."""

from postroad.imap.commands.fetch import tell_items
from postroad.imap.dialogue import Dialogue
from postroad.imap.notify.hearing import NOTHING
from postroad.imap.notify.watching import TooManyMailboxes
from postroad.imap.revising import revise
from postroad.imap.selected import MailboxGone, Selected
from postroad.imap.uid_set import pairs_of
from postroad.imap.urlauth import reset_news
from postroad.store.errors import NoSuchMailbox


def may_be_news(dialogue: Dialogue) -> bool:
    """Whether `catch_up` may have something to tell: most often it has not, and need not be waited for."""
    selected = dialogue.maybe_selected
    return (
        (selected is not None and selected.may_have_news(dialogue.hearing))
        or dialogue.watching is not None
        or bool(dialogue.followed)
    )


async def catch_up(dialogue: Dialogue, *, expunge: bool) -> bytes:
    """Tell the client what it has to hear of; give what else there is of the selected mailbox, as a code.

    Raises:
        MailboxGone
    """
    code = b""
    selected = dialogue.maybe_selected
    if selected is not None and selected.may_have_news(dialogue.hearing):
        try:
            code = await _selected_news(dialogue, selected, expunge=expunge)
        except NoSuchMailbox:
            raise MailboxGone from None
    if dialogue.watching is not None or dialogue.followed:
        tell_others(dialogue)
    return code


async def _selected_news(dialogue: Dialogue, selected: Selected, *, expunge: bool) -> bytes:
    hearing = dialogue.hearing
    since = selected.modseq
    news = await selected.catch_up(hearing, expunge=expunge or hearing.expunges_unasked)
    if news.lines:
        dialogue.core.write(news.lines)
    if selected.modseq != since and (reset := reset_news(dialogue, selected, since)):
        dialogue.core.untagged(reset)
    # Behind EXISTS, or the numbers of new messages would mean nothing yet (RFC 5267 §4.3.3).
    lines: list[bytes] = []
    items = dict.fromkeys(news.fresh, hearing.items) if hearing.items else {}
    if news.touched and selected.contexts:
        lines = await revise(dialogue, selected, news, items)
    for wanted in dict.fromkeys(items.values()):
        uids = [uid for uid in news.fresh if items.get(uid) == wanted]
        await tell_items(dialogue, pairs_of(uids), wanted)
    # RFC 5465 §7 has FETCH in front of ESEARCH, §5.2 behind it: either will do (erratum 4833).
    dialogue.core.write(b"".join(lines))
    return news.code


def tell_others(dialogue: Dialogue) -> None:
    """Tell what has happened in mailboxes other than the selected one, and which annotations have changed."""
    if dialogue.followed:
        selected = dialogue.maybe_selected
        other = selected.account if selected else None
        for line in dialogue.followed.news(dialogue.account, other, dialogue.enabled):
            dialogue.core.untagged(line)
    watching = dialogue.watching
    if watching is None:
        return
    try:
        lines = watching.news(dialogue.maybe_selected, dialogue.enabled)
    except TooManyMailboxes:
        # RFC 5465 §5.8: as if NOTIFY NONE had come.
        dialogue.listen(NOTHING, None)
        lines = [b"OK [NOTIFICATIONOVERFLOW] there are too many mailboxes to watch now"]
    for line in lines:
        dialogue.core.untagged(line)


async def tell_all(dialogue: Dialogue, *, expunge: bool = True) -> None:
    """The same where the answer is somebody else's, or nobody has asked.

    Raises:
        MailboxGone
    """
    if code := await catch_up(dialogue, expunge=expunge):
        dialogue.tell_modseq(code)


async def tell_unasked(dialogue: Dialogue) -> None:
    """Tell between two commands what a client of NOTIFY has to hear; others wait for their next one."""
    if dialogue.watching is None:
        return
    try:
        if dialogue.hearing.unasked:
            await tell_all(dialogue, expunge=False)
        else:
            tell_others(dialogue)
    except MailboxGone:
        dialogue.mailbox_gone()
