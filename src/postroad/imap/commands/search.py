"""SEARCH and UID SEARCH (RFC 3501 §6.4.4, §7.2.5; RFC 4731, RFC 5032)."""

import asyncio
from collections.abc import Sequence

from postroad.imap.answer import Answer, ok
from postroad.imap.batches import batches
from postroad.imap.contents import Contents
from postroad.imap.dialogue import Dialogue
from postroad.imap.matching import Matcher
from postroad.imap.uid_set import meet, write_set
from postroad.imap.wire.commands import Search


async def search(dialogue: Dialogue, command: Search) -> Answer:
    """Find messages; those that the client has not been told of are not there yet."""
    selected, account, clock = dialogue.selected, dialogue.account, dialogue.services.clock
    matcher = Matcher(selected, Contents(account, clock), clock.now())
    known = ((1, selected.uids[-1]),) if selected.exists else ()
    found: list[int] = []
    for rows in batches(account, selected.id, meet(known, matcher.span(command.key))):
        numbers, rows = selected.numbered(rows)
        matches = await matcher.matching(command.key, rows)
        if command.uid:
            found += [row.uid for row in matches]
        elif len(matches) == len(rows):
            found += numbers
        else:
            found += [selected.number(row.uid) for row in matches]
        await asyncio.sleep(0)  # others want to be served as well
    if command.returns is None:
        dialogue.core.untagged(b"SEARCH" + b"".join(map(b" %d".__mod__, found)))
    else:
        dialogue.core.untagged(_esearch(command, command.returns, found))
    return ok(b"done")


def _esearch(command: Search, returns: frozenset[str], found: Sequence[int]) -> bytes:
    """Return `ESEARCH (TAG "a") UID MIN 2 ALL 2,10:15 COUNT 7` (RFC 4731 §3.1)."""
    line = b'ESEARCH (TAG "%b")' % command.tag
    if command.uid:
        line += b" UID"
    if found and "MIN" in returns:
        line += b" MIN %d" % found[0]
    if found and "MAX" in returns:
        line += b" MAX %d" % found[-1]
    if found and "ALL" in returns:
        line += b" ALL " + write_set(found)
    if "COUNT" in returns:
        line += b" COUNT %d" % len(found)
    return line
