"""Fuzz the message parsers: real messages that took damage, and fragments strung together."""

import random
from typing import Final

from postroad.message.compose import strip_headers
from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts, unpack_tree
from postroad.message.section import header_subset, locate
from postroad.message.summary import summarize
from postroad.message.text import iter_decoded, readable_text, search_text, walk
from tests.fuzz.harness import Target
from tests.unit.message.pieces import CORPUS, CORPUS_PATHS, FRAGMENTS
from tests.unit.message.reading import check_body, check_envelope, read_list


def check(data: bytes) -> None:
    """Hold one message against everything that must hold for all."""
    summary = summarize(data)
    check_envelope(read_list(summary.envelope))
    leaves = check_body(read_list(summary.bodystructure), extended=True)
    assert leaves == check_body(read_list(summary.body), extended=False)
    assert len(summary.bodystructure) < 1 << 20
    summary.preview.encode("utf-8")
    summary.subject.encode("utf-8")
    tree = unpack_tree(summary.tree)
    assert tree == parse_parts(data)
    for part in walk(tree):
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(data)
        for _ in iter_decoded(data, part):
            pass
    for text in (*search_text(data, tree), *readable_text(data, tree)):
        text.encode("utf-8")
    for path in ((), (1,), (2,), (1, 1), (1, 1, 1)):
        for text_of in ("", "HEADER", "TEXT", "MIME"):
            locate(tree, path, text_of)
    header = data[: HeaderBlock.parse(data).body_start]
    assert header_subset(header, [b"subject"], True).endswith(b"\r\n")
    strip_headers(header, [b"subject"])


def make(chance: random.Random) -> bytes:
    """Make a message out of fragments, or damage a real one."""
    if chance.random() < 0.5:
        return b"".join(chance.choices(FRAGMENTS, k=chance.randrange(80)))
    data = bytearray(chance.choice(CORPUS)[:30_000])
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(data) + 1)
        piece = chance.choice(FRAGMENTS) if chance.random() < 0.7 else chance.randbytes(chance.randrange(8))
        data[at : at + chance.choice((0, 0, 1, 20, 500))] = piece
    return bytes(data)


TARGET: Final = Target(check, make, CORPUS_PATHS)
