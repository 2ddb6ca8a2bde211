"""NOTIFY (RFC 5465): from now on the client hears of what it names here, without asking."""

from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.notify.everywhere import Everywhere
from postroad.imap.notify.hearing import NOTHING, hearing_of
from postroad.imap.notify.watched import ABROAD, SUPPORTED, Watched
from postroad.imap.notify.watching import TooManyMailboxes, Watching
from postroad.imap.wire.fetch_items import FetchAttribute
from postroad.imap.wire.notification import SELECTED_KINDS, EventGroup, Notify
from postroad.store.account import Account

_BADEVENT: Final = b"BADEVENT (%b)" % b" ".join([event.value for event in SUPPORTED])
_OVERFLOW: Final = No(b"NOTIFICATIONOVERFLOW", b"these are too many mailboxes to watch")


async def notify(dialogue: Dialogue, command: Notify) -> Answer:
    """Listen to what is named in place of all that was before, or to nothing."""
    if not command.groups:
        dialogue.listen(NOTHING, None)
        return ok(b"not another word")
    if any(group.unknown or not group.events <= set(SUPPORTED) for group in command.groups):
        raise No(_BADEVENT, b"there are events that nobody hears of here")  # RFC 5465 §3.1
    watching = _watch(dialogue, command.groups)
    hearing = hearing_of(command.groups)
    if FetchAttribute.MODSEQ in hearing.items:
        dialogue.aware_of_modseqs()
    dialogue.listen(hearing, watching)
    if command.status:
        for line in watching.everything(dialogue.maybe_selected, dialogue.enabled):
            dialogue.core.untagged(line)
    return ok(b"listen")


def _watch(dialogue: Dialogue, groups: tuple[EventGroup, ...]) -> Everywhere:
    services = dialogue.services
    limit = services.limits.imap_notify_mailboxes
    if sum(len(group.source.names) for group in groups) > limit:
        raise _OVERFLOW
    user = dialogue.account
    at_home, abroad = Watched(groups, SELECTED_KINDS), Watched(groups, ABROAD)

    def begin(account: Account, unknown: bool = False) -> Watching:
        watched = at_home if account is user else abroad
        # First the subscription, then the look: what happens between the two is not missed.
        stop = services.store.watch.subscribe(f"account:{account.id}", dialogue.conn.poke)
        try:
            return Watching(account, user, watched, services.overviews, limit, stop, unknown=unknown)
        except BaseException:
            stop()
            raise

    def others() -> list[Account]:
        return [*services.store.guests(user.id)] if abroad.names_others else []

    try:
        return Everywhere(begin(user), others, begin, limit)
    except TooManyMailboxes:
        raise _OVERFLOW from None
