"""ESEARCH: a search in many mailboxes (RFC 7377)."""

from collections.abc import Iterator
from typing import Final

from postroad.imap.answer import Answer, No, ok
from postroad.imap.commands.search import find
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import turns_of
from postroad.imap.pattern import SEPARATOR
from postroad.imap.searching import IN_USE, follow, in_use
from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.wire.responses import Correlator
from postroad.imap.wire.search_commands import MultiSearch
from postroad.imap.wire.search_keys import ModseqKey, has_key
from postroad.imap.wire.search_sources import SearchSource, SourceKind
from postroad.store.account import Account
from postroad.store.errors import NoSuchMailbox
from postroad.store.types import Mailbox

_UNSELECTED: Final = Answer(b"BAD", b"", b"no mailbox is selected")


async def multi_search(dialogue: Dialogue, command: MultiSearch) -> Answer:
    """Search mailboxes one after the other; those where nothing is found are not told of (§2.1)."""
    selected = dialogue.maybe_selected
    returns = command.returns or frozenset()
    asks_selected = any(source.kind is SourceKind.SELECTED for source in command.sources)
    if selected is None and (asks_selected or "UPDATE" in returns):
        return _UNSELECTED  # RFC 7377 §2.2
    if selected is not None and in_use(selected, command):
        return IN_USE
    if has_key(command.key, ModseqKey):
        dialogue.aware_of_modseqs()
    mailboxes = _mailboxes(dialogue, command.sources)
    if len(mailboxes) > dialogue.services.limits.imap_search_mailboxes:
        raise No(b"LIMIT", b"these are too many mailboxes for one search")  # RFC 7377 §2.4
    if selected is not None and "SAVE" in returns:
        selected.saved = ()
    turns = turns_of(dialogue, command.tag)
    if turns.progress is not None:
        turns.progress.goal = sum(mailbox.messages for _, mailbox in mailboxes)
    for account, mailbox in mailboxes:
        try:
            await _search(dialogue, command, account, mailbox, returns, turns)
        except NoSuchMailbox:
            continue  # it has been deleted meanwhile
    return ok(b"done")


async def _search(
    dialogue: Dialogue,
    command: MultiSearch,
    account: Account,
    mailbox: Mailbox,
    returns: frozenset[str],
    turns: Turns,
) -> None:
    selected = dialogue.maybe_selected
    is_selected = selected is not None and (selected.account.id, selected.id) == (account.id, mailbox.id)
    view = selected if selected is not None and is_selected else await _looked_at(dialogue, account, mailbox)
    results = await find(dialogue, view, command, turns)
    where = Correlator(dialogue.enabled.octets(mailbox.name), mailbox.uidvalidity)
    if results.uids and (line := results.extended(command, where)):
        dialogue.core.untagged(line)
    if is_selected and "SAVE" in returns:
        view.saved = results.kept(returns, command.partial)
    if is_selected and "UPDATE" in returns:
        follow(dialogue, command, results)


async def _looked_at(dialogue: Dialogue, account: Account, mailbox: Mailbox) -> Selected:
    """A mailbox as if it were selected for reading, which changes nothing in it."""
    listing = await account.listing(mailbox.id)
    shared = dialogue.services.shared_uids
    view = Selected(account, mailbox, listing, shared, dialogue.enabled, read_only=True)
    await view.claim_recent()
    return view


def _mailboxes(dialogue: Dialogue, sources: tuple[SearchSource, ...]) -> list[tuple[Account, Mailbox]]:
    """The mailboxes that there are of those named and may be read, each once, in the order of LIST."""
    everything = dialogue.everything()
    names = [mailbox for _, mailbox in everything]
    wanted = {name for source in sources for name in _names(dialogue, source, names)}
    return [
        (account, mailbox)
        for account, mailbox in everything
        if mailbox.name in wanted and "r" in account.rights(mailbox.id)
    ]


def _names(dialogue: Dialogue, source: SearchSource, everything: list[Mailbox]) -> Iterator[str]:
    match source.kind:
        case SourceKind.SELECTED:
            selected = dialogue.maybe_selected
            found = selected.account.mailbox_by_id(selected.id) if selected else None
            yield from [found.name] if found else []
        case SourceKind.PERSONAL | SourceKind.INBOXES:
            # Where mail may be filed is for rules to say, so inboxes are all (RFC 5465 §6.3).
            yield from (mailbox.name for mailbox in dialogue.account.mailboxes())
        case SourceKind.SUBSCRIBED:
            yield from dialogue.account.subscriptions()
        case _:
            named = {name.name for name in source.names if name.valid}
            yield from named
            if source.kind is SourceKind.SUBTREE:
                tops = tuple(name + SEPARATOR for name in named)
                yield from (mailbox.name for mailbox in everything if mailbox.name.startswith(tops))
            elif source.kind is SourceKind.SUBTREE_ONE:
                yield from (
                    mailbox.name for mailbox in everything if mailbox.name.rpartition(SEPARATOR)[0] in named
                )
