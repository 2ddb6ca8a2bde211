"""The grammar of SORT, THREAD and CANCELUPDATE (RFC 5256, RFC 5257, RFC 5267, RFC 5957, RFC 6203)."""

from typing import Final

from postroad.imap.wire.limits import SORT_CRITERIA
from postroad.imap.wire.ordering import SortCriterion, SortKey, ThreadAlgorithm
from postroad.imap.wire.parse_annotation import read_sort_entry
from postroad.imap.wire.parse_returns import parse_returns
from postroad.imap.wire.parse_search import known_charset, parse_criteria, require_fuzzy
from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.search_commands import CancelUpdate, Sort, Thread

_KEYS: Final = {key.value: key for key in SortKey}
_RELEVANCY: Final = frozenset({"RELEVANCY"})
_ALGORITHMS: Final = {algorithm.value: algorithm for algorithm in ThreadAlgorithm}


def parse_sort(tag: bytes, reader: Reader, uid: bool = False) -> Sort:
    """Read the arguments of SORT or UID SORT.

    Raises:
        UnknownCharset
    """
    reader.space()
    returns, partial, items = parse_returns(reader)
    criteria = _criteria(reader)
    reader.space()
    charset = known_charset(reader, saving=returns is not None and "SAVE" in returns)
    key = parse_criteria(reader, charset)
    by_relevancy = any(criterion.key is SortKey.RELEVANCY for criterion in criteria)
    require_fuzzy(key, _RELEVANCY if by_relevancy else returns)  # RFC 6203 §6
    return Sort(tag, key, uid, returns, partial, items, criteria)


def _criteria(reader: Reader) -> tuple[SortCriterion, ...]:
    reader.expect(b"(")
    criteria = [_criterion(reader)]
    while reader.skip(b" "):
        criteria.append(_criterion(reader))
        if len(criteria) > SORT_CRITERIA:
            raise BadSyntax(b"too many sort criteria")
    reader.expect(b")")
    return tuple(criteria)


def _criterion(reader: Reader) -> SortCriterion:
    word = reader.word()
    reverse = word == b"REVERSE"
    if reverse:
        reader.space()
        word = reader.word()
    key = _KEYS.get(word)
    if key is None:
        raise BadSyntax(b"there is no such sort criterion")
    if key is SortKey.ANNOTATION:
        reader.space()
        return SortCriterion(key, reverse, *read_sort_entry(reader))
    return SortCriterion(key, reverse)


def parse_thread(tag: bytes, reader: Reader, uid: bool = False) -> Thread:
    """Read the arguments of THREAD or UID THREAD.

    Raises:
        UnknownCharset
    """
    reader.space()
    algorithm = _ALGORITHMS.get(reader.word())
    if algorithm is None:
        raise BadSyntax(b"there is no such threading algorithm")
    reader.space()
    charset = known_charset(reader, saving=False)
    return Thread(tag, algorithm, parse_criteria(reader, charset), uid)


def parse_cancelupdate(tag: bytes, reader: Reader) -> CancelUpdate:
    """Read the arguments of CANCELUPDATE; the grammar quotes tags, clients may not."""
    tags: list[bytes] = []
    while reader.at < len(reader.data) or not tags:
        reader.space()
        tags.append(reader.astring())
    return CancelUpdate(tag, tuple(tags))
