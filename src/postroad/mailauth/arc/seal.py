"""Adding a set to a chain (RFC 8617 §5.1)."""

from collections.abc import Sequence
from typing import Final

from postroad.mailauth.arc.chain import MESSAGE, MOST_SETS, RESULTS, read_chain
from postroad.mailauth.arc.verify import sealed_data
from postroad.mailauth.authres.values import AuthResults
from postroad.mailauth.authres.write import payload
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.canonical import Canonical, canonical_field
from postroad.mailauth.dkim.header_data import HeaderData
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import (
    SigningKey,
    body_hash_tag,
    listed,
    names_to_sign,
    signature_field,
)
from postroad.message.header import HeaderBlock

_STATUS: Final = (Result.NONE, Result.PASS, Result.FAIL)


def seal(
    block: HeaderBlock,
    body: BodyHashes,
    key: SigningKey,
    *,
    results: AuthResults,
    status: Result,
    now: float,
    names: Sequence[bytes] | None = None,
) -> bytes:
    """Return the three fields of a new set, to put on top of a message that is not changed any more.

    `results` is what this server found, `status` what `verify_chain` did.
    Nothing is returned where nothing may be added: to a chain that has ended,
    that has fifty sets, or in a header beyond the limits. `names` are the
    fields to sign, in lower case; by default those that DKIM signs here, and
    the DKIM signatures that are there.
    """
    assert status in _STATUS
    chain = read_chain(block)
    if chain.ended or chain.highest >= MOST_SETS or block.truncated:
        return b""
    instance = chain.highest + 1
    said = payload(results, before=f"i={instance}; ")
    own = f"ARC-Authentication-Results: {said}\r\n".encode()
    header = HeaderData(block)
    if names is None:
        names = names_to_sign(block) + [b"dkim-signature"] * block.count(b"dkim-signature")
    place = (f"i={instance};", f"a={key.algorithm};")
    signer = (f"d={key.domain};", f"s={key.selector};", f"t={int(now)};")
    message = signature_field(
        "ARC-Message-Signature",
        (*place, "c=relaxed/relaxed;", *signer, *listed(names), body_hash_tag(body)),
        header.selected(Canonical.RELAXED, names),
        key.private,
    )
    # RFC 8617 §5.1.2: of a broken chain nothing but the new set is sealed.
    before = b"" if status is Result.FAIL else sealed_data(header, chain.sets)
    newest = _canonical(RESULTS, own) + _canonical(MESSAGE, message)
    words = (*place, f"cv={status.value};", *signer)
    return signature_field("ARC-Seal", words, before + newest, key.private) + message + own


def _canonical(name: bytes, raw: bytes) -> bytes:
    return canonical_field(Canonical.RELAXED, name, raw, len(name) + 1)
