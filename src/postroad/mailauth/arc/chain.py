"""The ARC sets of a header, put in order (RFC 8617 §4.2, §5.2)."""

import re
from dataclasses import dataclass
from typing import Final, TypeVar

from postroad.mailauth.dkim.signature import Signed, read_algorithm, read_key_place, read_signed
from postroad.mailauth.dkim.tags import TagError, decimal, decode_base64, parse_tags, required
from postroad.message.header import Field, HeaderBlock

T = TypeVar("T")

RESULTS: Final = b"arc-authentication-results"
MESSAGE: Final = b"arc-message-signature"
SEAL: Final = b"arc-seal"

MOST_SETS: Final = 50
"""RFC 8617 §4.2.1"""

_CFWS: Final = rb"(?:[ \t]|\([^()\\]*+\))*"
# RFC 8617 §3.9 lets comments stand around all of it.
_INSTANCE: Final = re.compile(_CFWS.join([b"", b"i", b"=", b"([0-9]{1,2})", b";"]))
_DIGITS: Final = 2
_DIGITS_OF_TIME: Final = 12


@dataclass(frozen=True, slots=True)
class Seal:
    """An ARC-Seal field (RFC 8617 §4.1.3)."""

    field: Field
    kind: str
    hash: str
    domain: str
    selector: str
    octets: bytes
    status: str
    """`cv=`: none, pass or fail."""


@dataclass(frozen=True, slots=True)
class ArcSet:
    """What one server added."""

    instance: int
    results: Field
    said: bytes
    """The value of ARC-Authentication-Results behind its instance."""
    message: Signed
    seal: Seal


@dataclass(frozen=True, slots=True)
class Chain:
    """All sets of a message, the oldest first."""

    sets: tuple[ArcSet, ...]
    problem: str = ""
    """Why this is no chain, in a sentence without its full stop; then there are no sets."""
    highest: int = 0
    """The highest instance that any field names."""
    ended: bool = False
    """The newest seal says that the chain has failed: nobody adds to it any more (RFC 8617 §5.1)."""


def read_chain(block: HeaderBlock) -> Chain:
    """Collect the sets and check how they fit together; the signatures are for `verify_chain`."""
    fields = [one for one in block.fields if one.name_lower in (RESULTS, MESSAGE, SEAL)]
    if not fields:
        return Chain(())
    if block.truncated:
        return Chain((), "the header of the message is beyond the limits")
    if block.has_strange_lines:
        return Chain((), "the header has a line that is no field")
    if len(fields) > 3 * MOST_SETS:
        return Chain((), f"it has more than {MOST_SETS} sets", MOST_SETS)
    highest, ended = _newest(block, fields)
    try:
        return Chain(_sets(block, fields), "", highest, ended)
    except TagError as error:
        return Chain((), str(error), highest, ended)


def _newest(block: HeaderBlock, fields: list[Field]) -> tuple[int, bool]:
    """The highest instance, and whether its seal has ended the chain; of a broken chain too."""
    highest, ended = 0, False
    for one in fields:
        value = block.value(one)
        try:
            tags = {} if one.name_lower == RESULTS else parse_tags(value)
            instance = _results_instance(value) if one.name_lower == RESULTS else _instance(tags)
        except TagError:
            continue
        if instance > highest:
            highest, ended = instance, False
        if instance == highest and tags.get("cv", "").lower() == "fail":
            ended = True
    return highest, ended


def _sets(block: HeaderBlock, fields: list[Field]) -> tuple[ArcSet, ...]:
    results: dict[int, tuple[Field, bytes]] = {}
    messages: dict[int, Signed] = {}
    seals: dict[int, Seal] = {}
    for one in fields:
        value = block.value(one)
        if one.name_lower == RESULTS:
            _once(results, _results_instance(value), (one, value.partition(b";")[2].strip()))
            continue
        try:
            tags = parse_tags(value)
            if one.name_lower == MESSAGE:
                _once(messages, _instance(tags), _message(tags, one))
            else:
                _once(seals, _instance(tags), _seal(tags, one))
        except TagError as error:
            raise TagError(f"an {one.name.decode()} field cannot be read: {error}") from None
    count = len(seals)
    expected = list(range(1, count + 1))
    if not sorted(results) == sorted(messages) == sorted(seals) == expected:
        raise TagError("its sets are not complete, or not numbered from 1 on")
    for instance, seal in seals.items():
        if seal.status != ("none" if instance == 1 else "pass"):  # RFC 8617 §5.2, step 3 C
            raise TagError(f"the seal of set {instance} says cv={seal.status}")
    return tuple([ArcSet(n, *results[n], messages[n], seals[n]) for n in expected])


def _once(found: dict[int, T], instance: int, value: T) -> None:
    if instance in found:
        raise TagError(f"set {instance} has a field twice")
    found[instance] = value


def _results_instance(value: bytes) -> int:
    found = _INSTANCE.match(value)
    if found is None:
        raise TagError("an ARC-Authentication-Results field does not begin with its instance (i=)")
    return _within(int(found[1]))


def _instance(tags: dict[str, str]) -> int:
    return _within(decimal(tags, "i", _DIGITS) or 0)


def _within(instance: int) -> int:
    if not 1 <= instance <= MOST_SETS:
        raise TagError("its instance is missing or not from 1 to 50 (i=)")
    return instance


def _message(tags: dict[str, str], at: Field) -> Signed:
    signed = read_signed(tags, at, gaps=True)
    if SEAL in signed.names:  # RFC 8617 §4.1.2
        raise TagError("it covers an ARC-Seal field (h=)")
    return signed


def _seal(tags: dict[str, str], at: Field) -> Seal:
    if "h" in tags or "bh" in tags:  # RFC 8617 §4.1.3
        raise TagError("a seal does not choose what it covers (h=)")
    kind, digest = read_algorithm(tags)
    domain, selector = read_key_place(tags)
    decimal(tags, "t", _DIGITS_OF_TIME)
    status = required(tags, "cv").lower()  # RFC 8617 §3.9: a string without %s, so of any case
    if status not in ("none", "pass", "fail"):
        raise TagError("it says no status of the chain (cv=)")
    return Seal(at, kind, digest, domain, selector, decode_base64(required(tags, "b"), "b"), status)
