"""Signatures and chains in plain sentences."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from postroad.mailauth.arc.verify import ArcResult
from postroad.mailauth.authres.read import parse_authres
from postroad.mailauth.dkim.names import key_name
from postroad.mailauth.dkim.result import Result, SignatureResult, Verification
from postroad.mailauth.dkim.sign import OVERSIGNED
from postroad.message.header import HeaderBlock
from postroad.model.counted import counted

Sentence: TypeAlias = tuple[bool | None, str]
"""What is said, and whether it is good news; None for neither. Details are indented."""

_WORDS: Final = {
    Result.PASS: "holds",
    Result.FAIL: "does not hold",
    Result.POLICY: "is not accepted here",
    Result.NEUTRAL: "says nothing",
    Result.TEMPERROR: "cannot be checked now",
    Result.PERMERROR: "cannot be checked",
    Result.NONE: "is not there",
}


def explain_signatures(found: Verification, block: HeaderBlock) -> Iterator[Sentence]:
    """Sentences about every DKIM signature."""
    if not found.results:
        yield None, "The message is not signed."
    for one in found.results:
        who = one.domain or "somebody"
        yield one.vouches, f"The signature of {who} {_WORDS[one.result]}: {one.reason}."
        if one.domain and one.selector:
            size = f", {one.key_bits} bits" if one.key_bits else ""
            place = key_name(one.selector, one.domain)
            how = one.algorithm or "an unknown algorithm"
            yield one.vouches, f"  It is made with {how}; its key is at {place}{size}."

        if one.result is Result.PASS:
            yield from ((one.vouches, f"  {text}") for text in _of_good_one(one, block))
    if found.left_out:
        yield False, f"Not looked at: {counted(found.left_out, 'more signature')}."


def _of_good_one(one: SignatureResult, block: HeaderBlock) -> Iterator[str]:
    if one.unsigned_octets:
        yield "Anybody can have written what is behind the signed part, so DMARC does not count it."
    if one.testing:
        yield "Its domain is testing (t=y in the key record)."
    addable = [
        name.decode() for name in OVERSIGNED if one.signed_fields.count(name.decode()) <= block.count(name)
    ]
    if addable:
        yield f"It does not keep others from adding: {', '.join(addable)}."


def explain_chain(found: ArcResult) -> Iterator[Sentence]:
    """Sentences about an ARC chain."""
    good = found.result is Result.PASS
    match found.result:
        case Result.NONE:
            yield None, "The message has no ARC chain."
        case Result.PASS:
            yield True, f"The chain of {counted(len(found.chain.sets), 'set')} holds: {found.reason}."
        case _:
            yield False, f"The chain is broken, and counts for nothing: {found.reason}."
    for one in found.chain.sets:
        results = parse_authres(one.said)
        verdicts = [] if results is None else [f"{v.method}={v.result}" for v in results.results]
        server = "a server" if results is None else results.authserv_id
        told = ", ".join(verdicts) or "nothing"
        yield good, f"  Set {one.instance}: sealed by {one.seal.domain}; {server} found {told}."
    if good and found.oldest_pass > 1:
        yield True, f"  The message was changed before set {found.oldest_pass}; since then it is as it was."
