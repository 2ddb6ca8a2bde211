"""Fuzz what strangers write about signatures: DKIM and ARC fields, key records, bodies.

The parts of an input are set apart by form feeds: key records, then the message.
"""

import random
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from postroad.mailauth.arc.chain import MOST_SETS
from postroad.mailauth.arc.verify import verify_chain
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.canonical import Canonical, canonical_body
from postroad.mailauth.dkim.key import parse_key_record
from postroad.mailauth.dkim.limits import DEFAULT
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.tags import TagError
from postroad.mailauth.dkim.verify import verify, wanted_hashes
from postroad.message.header import HeaderBlock
from postroad.model.answers import Answer, Found, NoData
from tests.fuzz.harness import Target
from tests.unit.mailauth.dkim.making import MESSAGE, NOW, ed25519, record, signed
from tests.unit.message.pieces import CORPUS

T = TypeVar("T")

KEY: Final = record(ed25519())
SIGNED: Final = signed()
PIECES: Final = [
    *(b"v=1", b"a=ed25519-sha256", b"a=rsa-sha256", b"c=relaxed/simple", b"d=a.test", b"s=sel"),
    *(b"h=From", b"h=:", b"b=AAAA", b"bh=", b"i=@a.test", b"i=1", b"l=0", b"l=99999999999"),
    *(b"t=1", b"x=2", b"cv=none", b"cv=fail", b"v=DKIM1", b"k=ed25519", b"k=rsa", b"p=", b"p=AAAA"),
    *(b"s=email", b"t=y:s", b"g=", b"n=x", b";", b"; ", b";;", b"=", b" ", b"\t", b"\r\n ", b"\r\n"),
    *(b":", b"\xc3\xbc", b"\xff", b"\0", b"=3B", b"a" * 300, b"xn--", b"\xe2\x80\xae", KEY),
]
FIELDS: Final = [
    *(b"DKIM-Signature: ", b"ARC-Seal: ", b"ARC-Message-Signature: ", b"From: a@a.test"),
    b"ARC-Authentication-Results: i=1; ",
]


class _Keys:
    """A DNS that has the same records everywhere."""

    def __init__(self, records: list[bytes]) -> None:
        self._records = tuple(records)
        self.asked = 0

    async def txt(self, name: str) -> Answer[bytes]:
        self.asked += 1
        assert 0 < len(name) <= 253
        assert name.isascii()
        return Found(self._records, 60) if self._records else NoData()


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    *records, message = data.split(b"\f", 4)
    for text in records:
        with suppress(TagError):
            parse_key_record(text)
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    body.compute(wanted_hashes(block))
    keys = _Keys([KEY, *records])
    found = _run(verify(block, body, keys, now=NOW))
    assert len(found.results) <= DEFAULT.signatures
    assert keys.asked <= DEFAULT.keys
    for one in found.results:
        assert one.reason.isprintable()
        assert f"{one.domain}{one.selector}".isascii()
        assert not one.vouches or (one.result is Result.PASS and "from" in one.signed_fields)
    chain = _run(verify_chain(block, body, _Keys(records), now=NOW))
    assert chain.result in (Result.NONE, Result.PASS, Result.FAIL)
    assert len(chain.chain.sets) <= MOST_SETS
    for way in Canonical:
        pieces = b"".join(canonical_body(way, message, block.body_start))
        assert pieces.endswith(b"\r\n") or not pieces
        assert b"".join(canonical_body(way, pieces, 0)) == pieces


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, for its DNS is at hand."""
    try:
        work.send(None)
    except StopIteration as ended:
        found: T = ended.value
        return found
    raise AssertionError("it waits for something")


def make(chance: random.Random) -> bytes:
    """Make an input: records and fields of pieces, or good ones with a few octets changed."""
    records = [b"".join(chance.choices(PIECES, k=chance.randrange(8))) for _ in range(chance.randrange(3))]
    match chance.randrange(3):
        case 0:
            message = bytearray(SIGNED)
            for _ in range(chance.randrange(4)):
                message[chance.randrange(len(message))] = chance.choice(b"; =:\r\nab1")
            last = bytes(message)
        case 1:
            fields = b"".join(
                chance.choice(FIELDS) + b"".join(chance.choices(PIECES, k=12)) + b"\r\n"
                for _ in range(chance.randrange(1, 12))
            )
            last = fields + MESSAGE
        case _:
            last = chance.choice(CORPUS)[:5000]
    return b"\f".join([*(one.replace(b"\f", b"") for one in records), last.replace(b"\f", b"")])


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
