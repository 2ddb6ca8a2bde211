"""FETCH of a message, or of a few that are small: what clients say that show one after the other.

It is answered as it comes, without a turn of the loop. Whatever is out of the
ordinary, and whatever takes long, is for `fetch`.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from postroad.imap.answer import Answer, ok
from postroad.imap.dialogue import Dialogue
from postroad.imap.rows import is_narrow, narrow_lines
from postroad.imap.sections import Cuts, entire
from postroad.imap.uid_set import Pairs
from postroad.imap.wire.fetch_items import FetchAttribute, FetchItem, FetchSection
from postroad.imap.wire.message_commands import Fetch
from postroad.model.flags import Flag
from postroad.store.account import Account
from postroad.store.listing import Batch

MOST: Final = 20
"""Messages."""
OCTETS: Final = 64 * 1024
"""How large they may be together, if anything but their rows is asked for."""
_DONE: Final = ok(b"done")
_END: Final = b")\r\n"
# Members of an Enum are looked up once: each time takes longer than a call.
_FLAGS: Final = FetchAttribute.FLAGS
_MODSEQ: Final = FetchAttribute.MODSEQ


class _Plan(NamedTuple):
    """What is asked for, where it is nothing out of the ordinary."""

    attributes: tuple[FetchAttribute, ...]
    tells_flags: bool
    sections: tuple[FetchSection, ...]
    label: bytes
    """What a response calls the whole message, if that is the only section; else nothing."""
    marks: bool
    """It makes messages \\Seen."""


def fetch_now(dialogue: Dialogue, command: Fetch) -> Answer | None:
    """Send items of messages, all or nothing; None where that is for `fetch`.

    Raises:
        BadNumber, UnknownEncoding, StoreError, Unavailable: nothing has been said.
    """
    plan = _plan(command.items)
    if plan is None or command.changed_since is not None or command.partial is not None:
        return None
    selected = dialogue.selected
    batch = _few(dialogue, selected.uid_pairs(command.messages, uid=command.uid))
    if batch is None or (plan.marks and not selected.read_only and batch.lacking(Flag.SEEN)):
        return None
    account = selected.account
    if not plan.sections:
        pieces = narrow_lines(account, selected, plan.attributes, batch, _END)
    elif sum(batch.sizes) <= OCTETS:
        heads = narrow_lines(account, selected, plan.attributes, batch, b" " if plan.attributes else b"")
        pieces = _with_sections(account, batch, heads, plan)
    else:
        return None
    if len(pieces) < len(batch.uids):
        return None  # some have gone since they were listed
    if plan.tells_flags:
        selected.tell_batch(batch)
        dialogue.core.write(selected.new_keywords(batch.keywords()))
    dialogue.core.write_all(pieces)
    return _DONE


@lru_cache(maxsize=128)
def _plan(items: tuple[FetchItem, ...]) -> _Plan | None:
    attributes = tuple([item for item in items if isinstance(item, FetchAttribute)])
    sections = tuple([item for item in items if isinstance(item, FetchSection)])
    # Who asks for MODSEQ may have to be told HIGHESTMODSEQ first (RFC 7162 §3.1).
    if len(attributes) + len(sections) < len(items) or not is_narrow(attributes) or _MODSEQ in attributes:
        return None
    marks = any(not section.peek for section in sections)
    return _Plan(attributes, _FLAGS in attributes, sections, entire(sections), marks)


def _few(dialogue: Dialogue, pairs: Pairs) -> Batch | None:
    """The messages, if they are few, are all still there, and need not be looked for."""
    selected = dialogue.selected
    known = selected.count(pairs)
    if known > MOST or 0 < dialogue.message_limit < known:
        return None
    # There is no news: what the session knows is what there is.
    listing = selected.account.listing_as_of(selected.id, selected.modseq)
    batch = None if listing is None else listing.batch(pairs, selected.uids)
    return None if batch is None or len(batch.uids) < known else batch


def _with_sections(account: Account, batch: Batch, heads: list[bytes], plan: _Plan) -> list[bytes]:
    """What is said of each message, up to one that is gone."""
    messages = account.open_all(batch.message_ids)
    pieces: list[bytes] = []
    for message_id, head in zip(batch.message_ids, heads, strict=True):
        message = messages.get(message_id)
        if message is None:
            return []
        if plan.label:
            octets = message.whole()
            pieces += (head, plan.label, b" {%d}\r\n" % len(octets), octets, _END)
        elif (ready := Cuts(message, plan.sections).ready(head, _END)) is not None:
            pieces.append(ready)
        else:
            return []
    return pieces
