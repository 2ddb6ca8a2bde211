"""How many messages one command works on: MESSAGELIMIT and SAVELIMIT (RFC 9738).

What may be done in part is done for the newest messages, and the code says
where to go on. What has to be done as a whole is refused.
"""

from bisect import bisect_left
from typing import Final, NamedTuple

from postroad.imap.answer import Answer, No
from postroad.imap.dialogue import Dialogue
from postroad.imap.selected import Selected
from postroad.imap.uid_set import Pairs, meet
from postroad.imap.wire.sequence_set import MAX_NUMBER

APPEND_MOST: Final = 1000
"""Messages of one APPEND, whatever the setting: they are rendered in memory and filed in one transaction."""


class Newest(NamedTuple):
    """The messages that a command works on."""

    pairs: Pairs
    code: bytes = b""
    """MESSAGELIMIT with the lowest UID of them, where older ones are left out."""


def newest(dialogue: Dialogue, selected: Selected, pairs: Pairs) -> Newest:
    """The newest messages of `pairs` that one command may work on (§3.1: from the highest UID down)."""
    limit = dialogue.message_limit
    if not limit or selected.exists <= limit or selected.count(pairs) <= limit:
        return Newest(pairs)
    lowest = _from_above(selected, pairs, limit)
    return Newest(meet(pairs, ((lowest, MAX_NUMBER),)), _code(limit, lowest))


def need_all(dialogue: Dialogue, selected: Selected, pairs: Pairs) -> None:
    """Refuse what makes no sense in part, of more messages than one command may work on (§3.1, §3.3).

    Raises:
        No
    """
    limit = dialogue.message_limit
    if limit and selected.exists > limit and selected.count(pairs) > limit:
        raise No(b"MESSAGELIMIT %d" % limit, b"these are too many messages at once")


def need_copied(dialogue: Dialogue, selected: Selected, pairs: Pairs) -> None:
    """The same for COPY, which is all or nothing: tell which messages could be copied at once.

    Raises:
        No
    """
    announced = [limit for limit in (dialogue.message_limit, dialogue.save_limit) if limit]
    limit = min(announced or [dialogue.services.limits.imap_save_limit])
    if limit and selected.exists > limit and selected.count(pairs) > limit:
        code = _code(limit, _from_above(selected, pairs, limit)) if announced else b"LIMIT"
        raise No(code, b"these are too many messages to copy at once")


def most_appended(dialogue: Dialogue) -> int:
    """How many messages one APPEND may bring."""
    return min(dialogue.services.limits.imap_save_limit or APPEND_MOST, APPEND_MOST)


def too_many_at_once(dialogue: Dialogue) -> No:
    """What to say to one that brings more."""
    announced = dialogue.save_limit or dialogue.message_limit
    code = b"MESSAGELIMIT %d" % most_appended(dialogue) if announced else b"LIMIT"
    return No(code, b"too many messages at once")


def with_code(dialogue: Dialogue, answer: Answer, code: bytes) -> Answer:
    """Say MESSAGELIMIT with an answer; beside another code in a NO of its own (§3.1)."""
    if not code:
        return answer
    if answer.code:
        dialogue.core.untagged(b"NO [%b] older messages were left alone" % code)
        return answer
    return answer._replace(code=code)


def _from_above(selected: Selected, pairs: Pairs, most: int) -> int:
    """The lowest UID of the `most` newest messages of `pairs`; there are more."""
    uids = selected.uids
    for low, high in reversed(pairs):
        first, end = bisect_left(uids, low), bisect_left(uids, high + 1)
        if end - first >= most:
            return uids[end - most]
        most -= end - first
    raise AssertionError("there are not so many")


def _code(limit: int, lowest: int) -> bytes:
    return b"MESSAGELIMIT %d %d" % (limit, lowest)
