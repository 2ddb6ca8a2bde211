"""Responses as bytes (RFC 3501 §7 and §9).

Functions give what stands between `* ` and CR LF, for `untagged`, or what
stands between the brackets of a response code. Those whose name ends in
`_lines` give whole lines, for `write`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.status_item import StatusItem
from postroad.message.date import format_internaldate
from postroad.model.octets import BACKSLASH, NUL, QUOTE

DELIMITER: Final = b'"/"'
_QUOTABLE: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]{0,1000}+")
_ATOM_LIKE: Final = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]{1,1000}+')
_SPECIAL: Final = re.compile(rb'(["\\])')
_DAY: Final = 86400
_VANISHED: Final = 1000
"""Ranges in a line of VANISHED: several KiB, which every client can read (RFC 7162 §4)."""


# -- strings ------------------------------------------------------------------


def string(octets: bytes) -> bytes:
    """Write a string: quoted where that can be, as a literal otherwise."""
    if not _QUOTABLE.fullmatch(octets):
        return literal(octets)
    if QUOTE in octets or BACKSLASH in octets:
        octets = _SPECIAL.sub(rb"\\\1", octets)
    return b'"%b"' % octets


def astring(octets: bytes) -> bytes:
    """Write a string without quotes where it needs none."""
    if _ATOM_LIKE.fullmatch(octets) and octets.upper() != b"NIL":
        return octets
    return string(octets)


def value(octets: bytes | None) -> bytes:
    """Write the value of an annotation: NIL, a string or, where it holds NUL, a literal8 (RFC 4466 §3)."""
    if octets is None:
        return b"NIL"
    if NUL in octets:
        return b"~{%d}\r\n%b" % (len(octets), octets)
    return string(octets)


def literal(octets: bytes) -> bytes:
    """Write a literal."""
    return b"{%d}\r\n%b" % (len(octets), octets)


def mailbox(name: bytes) -> bytes:
    """Write a mailbox name, in octets as the client wants names (`Enabled.octets`).

    8-bit octets are for those who have enabled UTF-8, and know it in quoted
    strings (RFC 9051 §4.3, RFC 6855 §3).
    """
    return astring(name) if name.isascii() else quoted(name)


def quoted(octets: bytes) -> bytes:
    """Write a quoted string; of octets that may stand in one."""
    return b'"%b"' % _SPECIAL.sub(rb"\\\1", octets)


def internaldate(seconds: int) -> bytes:
    """Write a date-time with its quotes, in UTC."""
    return _hour(seconds // 3600) + _WITHIN_HOUR[seconds % 3600]


def internaldates(moments: Iterable[int]) -> list[bytes]:
    """Write many."""
    return [_hour(seconds // 3600) + _WITHIN_HOUR[seconds % 3600] for seconds in moments]


_WITHIN_HOUR: Final = tuple([b'%02d:%02d +0000"' % divmod(second, 60) for second in range(3600)])


@lru_cache(maxsize=4096)
def _hour(hour: int) -> bytes:
    # Messages of a mailbox share few hours; the calendar is not computed for each of them.
    day, hour = divmod(hour, 24)
    return b'"%b %02d:' % (_date(day), hour)


@lru_cache(maxsize=4096)
def _date(day: int) -> bytes:
    return format_internaldate(day * _DAY)[:11]


# -- numbers ------------------------------------------------------------------


def compress_uids(uids: Sequence[int]) -> bytes:
    """Write ascending numbers as a sequence set, `1:5,9`; nothing for none.

    Where numbers do not ascend they keep their order, as COPYUID needs it.
    """
    if not uids:
        return b""
    first = uids[0]
    last = uids[-1]
    if last - first == len(uids) - 1 and _ascends(uids):
        return b"%d:%d" % (first, last) if len(uids) > 1 else b"%d" % first
    ranges = []
    low = high = first
    for uid in uids[1:]:
        if uid == high + 1:
            high = uid
            continue
        ranges.append((low, high))
        low = high = uid
    ranges.append((low, high))
    return sequence_set(ranges)


def sequence_set(pairs: Iterable[tuple[int, int]]) -> bytes:
    """Write (low, high) pairs as a sequence set."""
    return b",".join([b"%d:%d" % pair if pair[0] != pair[1] else b"%d" % pair[0] for pair in pairs])


def _ascends(uids: Sequence[int]) -> bool:
    return isinstance(uids, range) or all(map(int.__lt__, uids, uids[1:]))


def numbers(values: Iterable[int]) -> bytes:
    """Write numbers side by side."""
    return " ".join(map(str, values)).encode("ascii")


# -- response codes -----------------------------------------------------------


def appenduid(uidvalidity: int, uids: Sequence[int]) -> bytes:
    """Write the code APPENDUID (RFC 4315 §3)."""
    return b"APPENDUID %d %b" % (uidvalidity, compress_uids(uids))


def copyuid(uidvalidity: int, source: Sequence[int], target: Sequence[int]) -> bytes:
    """Write the code COPYUID (RFC 4315 §3); both lists in the same order, neither empty."""
    return b"COPYUID %d %b %b" % (uidvalidity, compress_uids(source), compress_uids(target))


def mailboxid(object_id: bytes) -> bytes:
    """Write the code MAILBOXID (RFC 8474 §4.1, §4.2)."""
    return b"MAILBOXID (%b)" % object_id


def modified(numbers: Sequence[int]) -> bytes:
    """Write the code MODIFIED (RFC 7162 §3.1.3)."""
    return b"MODIFIED " + compress_uids(numbers)


# -- data ---------------------------------------------------------------------


def list_entry(
    name: bytes,
    attributes: Sequence[bytes] = (),
    *,
    response: bytes = b"LIST",
    delimiter: bytes = DELIMITER,
    child_info: Sequence[bytes] = (),
    old_name: bytes = b"",
) -> bytes:
    """Write LIST, or LSUB by `response`; CHILDINFO (RFC 5258 §4), OLDNAME (RFC 5465 §5.4)."""
    line = b"%b (%b) %b %b" % (response, b" ".join(attributes), delimiter, mailbox(name))
    if child_info:
        line += b' ("CHILDINFO" (%b))' % b" ".join([b'"%b"' % option for option in child_info])
    if old_name:
        line += b' ("OLDNAME" (%b))' % mailbox(old_name)
    return line


def status(name: bytes, values: Mapping[StatusItem, int | bytes]) -> bytes:
    """Write STATUS, with the values in their order: numbers, and ids (RFC 8474 §4.3)."""
    pairs = [
        b"%b %d" % (item.value, value) if isinstance(value, int) else b"%b (%b)" % (item.value, value)
        for item, value in values.items()
    ]
    return b"STATUS %b (%b)" % (mailbox(name), b" ".join(pairs))


def search(found: Sequence[int], modseq: int = 0, *, response: bytes = b"SEARCH") -> bytes:
    """Write SEARCH (§7.2.5), or SORT (RFC 5256 §4) by `response`.

    With the mod-sequence of what was found where it is given (RFC 7162 §3.1.6).
    """
    if not found:
        return response
    line = response + b" " + numbers(found)
    return b"%b (MODSEQ %d)" % (line, modseq) if modseq else line


class Correlator(NamedTuple):
    """Of which mailbox a result is (RFC 7377 §2.1)."""

    name: bytes
    uidvalidity: int


def esearch(
    tag: bytes,
    found: Sequence[int],
    returns: frozenset[str],
    *,
    uid: bool = False,
    partial: PartialRange | None = None,
    scores: Sequence[int] = (),
    mailbox: Correlator | None = None,
    modseq: int = 0,
) -> bytes:
    """Write ESEARCH (RFC 4731 §3.1); numbers keep their order, a `modseq` of 0 is none (§3.2)."""
    correlator = b'TAG "%b"' % tag
    if mailbox is not None:
        correlator += b" MAILBOX %b UIDVALIDITY %d" % (quoted(mailbox.name), mailbox.uidvalidity)
    parts = [b"ESEARCH (%b)" % correlator]
    if uid:
        parts.append(b"UID")
    if found and "MIN" in returns:
        parts.append(b"MIN %d" % found[0])
    if found and "MAX" in returns:
        parts.append(b"MAX %d" % found[-1])
    if "COUNT" in returns:
        parts.append(b"COUNT %d" % len(found))
    if found and "ALL" in returns:
        parts.append(b"ALL " + compress_uids(found))
    if partial is not None:
        some = compress_uids(partial.cut(found)) or b"NIL"
        parts.append(b"PARTIAL (%d:%d %b)" % (*partial, some))
    if "RELEVANCY" in returns:
        told = scores if partial is None else partial.cut(scores)
        parts.append(b"RELEVANCY (%b)" % numbers(told))
    if modseq:
        parts.append(b"MODSEQ %d" % modseq)
    return b" ".join(parts)


def uidbatches(tag: bytes, ranges: Iterable[tuple[int, int]]) -> bytes:
    """Write UIDBATCHES: (highest, lowest) UID of each batch."""
    told = b",".join([b"%d:%d" % one for one in ranges])
    return b'UIDBATCHES (TAG "%b")%b' % (tag, b" " + told if told else b"")


def in_progress(tag: bytes, done: int, goal: int) -> bytes:
    """Write OK [INPROGRESS …]; a goal that is not known, 0, is NIL (RFC 9585 §5)."""
    state = b"%d %d" % (min(done, goal), goal) if goal else b"%d NIL" % done
    return b'OK [INPROGRESS ("%b" %b)] still at it' % (tag, state)


def annotation(entries: Mapping[str, Iterable[tuple[bytes, bytes | None]]]) -> bytes:
    """Write the item ANNOTATION of FETCH: entries with their attributes and values (RFC 5257 §4.4)."""
    said = [
        b"%b (%b)" % (astring(entry.encode("ascii")), b" ".join([b"%b %b" % (n, value(v)) for n, v in pairs]))
        for entry, pairs in entries.items()
    ]
    return b"ANNOTATION (%b)" % b" ".join(said)


def annotation_names(entries: Iterable[str]) -> bytes:
    """Write it without values: these entries have changed."""
    return b"ANNOTATION (%b)" % b" ".join([astring(entry.encode("ascii")) for entry in entries])


def namespace() -> bytes:
    """Write NAMESPACE: one's own without a prefix, other users', and shared ones (RFC 2342 §5)."""
    return b'NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))'


def identification(fields: Mapping[str, str]) -> bytes:
    """Write ID (RFC 2971 §3.2)."""
    if not fields:
        return b"ID NIL"
    pairs = [string(key.encode()) + b" " + string(value.encode()) for key, value in fields.items()]
    return b"ID (%b)" % b" ".join(pairs)


def quota(root: str, resources: Sequence[tuple[bytes, int, int]]) -> bytes:
    """Write QUOTA: (name, used, limit) of each resource (RFC 9208 §5.1)."""
    inside = b" ".join([b"%b %d %d" % resource for resource in resources])
    return b"QUOTA %b (%b)" % (astring(root.encode()), inside)


def quotaroot(name: bytes, roots: Sequence[str]) -> bytes:
    """Write QUOTAROOT (RFC 9208 §5.2)."""
    return b" ".join([b"QUOTAROOT", mailbox(name), *[astring(root.encode()) for root in roots]])


# -- whole lines ----------------------------------------------------------------


def vanished_lines(pairs: Sequence[tuple[int, int]], *, earlier: bool = False) -> bytes:
    """Write VANISHED for ascending pairs of UIDs, in lines that are not too long (RFC 7162 §3.2.10)."""
    template = b"* VANISHED (EARLIER) %b\r\n" if earlier else b"* VANISHED %b\r\n"
    return b"".join(
        [template % sequence_set(pairs[at : at + _VANISHED]) for at in range(0, len(pairs), _VANISHED)]
    )


def expunge_lines(message_numbers: Iterable[int]) -> bytes:
    """Write EXPUNGE for each number, in the order in which they go."""
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in message_numbers])
