"""Hostile messages are taken or refused, and all views of what was taken agree (SAFETY C21, C22)."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import SystemRandom

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.conformance.imap_client import Imap
from tests.conformance.imap_values import Body
from tests.conformance.pop3_client import Pop3
from tests.fuzz.fuzz_message import make
from tests.unit.message.pieces import CORPUS, CORPUS_PATHS
from tests.world.clients import Raw
from tests.world.conftest import ADA, no_bugs, peopled
from tests.world.hostile_messages import MAKERS

SMALL = 30_000
LARGE = 10 * 1024 * 1024
MOST_PARTS = 40
"""Parts of one message that are fetched one by one."""


@pytest.fixture(scope="module")
def world() -> Iterator[ThreadedWorld]:
    """One server for all of them."""
    with no_bugs(), ThreadedWorld() as world:
        yield peopled(world)


def send(world: ThreadedWorld, octets: bytes) -> bytes:
    """Hand a message in as another server would; gives the reply to it."""
    lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"").replace(b"\n", b"\r\n")
    with Raw(world.port("smtp")) as client:
        client.line()
        for line in (b"EHLO x.test", b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>"):
            client.say(line)
        client.send(b"BDAT %d LAST\r\n" % len(lines) + lines)
        reply = client.reply()
        client.send(b"QUIT\r\n")
        client.rest()
    return reply


@contextmanager
def readers(world: ThreadedWorld) -> Iterator[tuple[Imap, Pop3]]:
    """Both ways to read."""
    imap = Imap(world.port("imaps"), tls=world.tls()).log_in(ADA, PASSWORD)
    pop3 = Pop3(world.port("pop3s"), tls=world.tls()).log_in(ADA, PASSWORD)
    try:
        yield imap, pop3
    finally:
        imap.close()
        pop3.close()


def leaves(body: Body, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Body]]:
    """Every part that has no parts, with its number (RFC 3501 §6.4.5)."""
    if body.parts:
        for number, part in enumerate(body.parts, 1):
            yield from leaves(part, (*path, number))
    elif body.inner is not None:
        inside = (path or (1,)) if body.inner.parts else (*(path or (1,)), 1)
        yield (path or (1,)), body
        yield from leaves(body.inner, inside)
    else:
        yield path or (1,), body


def check_views(imap: Imap, pop3: Pop3, number: int) -> None:
    """Hold all that is told of one message together; the client checks the grammar of each answer."""
    (seen,) = imap.fetch(b"%d (RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)" % number)
    (whole,) = imap.fetch(b"%d (BODY.PEEK[])" % number)
    octets = whole.sections[b"BODY[]"]
    assert octets is not None
    assert seen.size == len(octets)
    assert seen.body is not None
    assert seen.bodystructure is not None
    short, long = list(leaves(seen.body)), list(leaves(seen.bodystructure))
    assert [path for path, _ in short] == [path for path, _ in long]
    assert len(long) <= 2100
    for path, part in long[:MOST_PARTS]:
        label = b"BODY[%b]" % b".".join(b"%d" % number for number in path)
        (fetched,) = imap.fetch(b"%d (%b)" % (number, label.replace(b"BODY", b"BODY.PEEK")))
        content = fetched.sections[label]
        assert content is not None, path
        assert len(content) == part.octets, path
    (parts,) = imap.fetch(b"%d (BODY.PEEK[HEADER] BODY.PEEK[TEXT])" % number)
    header, text = parts.sections[b"BODY[HEADER]"], parts.sections[b"BODY[TEXT]"]
    assert header is not None
    assert text is not None
    assert header + text == octets
    end = b"" if octets.endswith(b"\r\n") else b"\r\n"
    assert pop3.retrieve(b"RETR %d" % number) == octets + end
    assert pop3.retrieve(b"TOP %d 0" % number) == header + (b"" if header.endswith(b"\r\n") else b"\r\n")


@pytest.mark.parametrize("name", MAKERS)
def test_hostile_messages(world: ThreadedWorld, name: str) -> None:
    reply = send(world, MAKERS[name](SMALL))
    assert reply.startswith((b"250 ", b"550 5.", b"552 5.", b"554 5.", b"500 5.")), reply
    with readers(world) as (imap, pop3):
        imap.select(b"INBOX")
        if reply.startswith(b"250 "):
            check_views(imap, pop3, imap.exists)
            imap.search(b"TEXT zzz")
            imap.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        pop3.ok(b"QUIT")
        imap.ok(b"CLOSE")


@pytest.mark.parametrize("path", CORPUS_PATHS, ids=lambda path: path.stem[:40])
def test_collected_messages(world: ThreadedWorld, path: os.PathLike[str]) -> None:
    reply = send(world, CORPUS[CORPUS_PATHS.index(path)])  # type: ignore[arg-type]
    assert reply[:1] in b"25", reply
    with readers(world) as (imap, pop3):
        imap.select(b"INBOX")
        if reply.startswith(b"250 "):
            check_views(imap, pop3, imap.exists)
            imap.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        pop3.ok(b"QUIT")
        imap.ok(b"CLOSE")


@pytest.mark.soak
@pytest.mark.parametrize("name", MAKERS)
def test_large_hostile_messages_cost_no_more_than_large_ones(world: ThreadedWorld, name: str) -> None:
    octets = MAKERS[name](LARGE)
    began = time.monotonic()
    reply = send(world, octets)
    took = time.monotonic() - began
    assert took <= 2 + 2 * len(octets) / (1 << 20), took
    with readers(world) as (imap, pop3):
        imap.select(b"INBOX")
        if reply.startswith(b"250 "):
            for item in (
                b"ENVELOPE",
                b"BODYSTRUCTURE",
                b"BODY.PEEK[]",
                b"BODY.PEEK[HEADER.FIELDS (Subject)]",
            ):
                began = time.monotonic()
                imap.fetch(b"%d (%b)" % (imap.exists, item))
                assert time.monotonic() - began <= 1 + len(octets) / (10 << 20), item
            check_views(imap, pop3, imap.exists)
            imap.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        pop3.ok(b"QUIT")
        imap.ok(b"CLOSE")


@pytest.mark.soak
def test_mutated_messages_through_the_whole_server(world: ThreadedWorld) -> None:
    """As many as SOAK_MESSAGES (5,000), the same again with SOAK_SEED."""
    seed = int(os.environ.get("SOAK_SEED", SystemRandom().getrandbits(32)))
    for start in range(0, int(os.environ.get("SOAK_MESSAGES", "5000")), 50):
        taken = 0
        for number in range(start, start + 50):
            reply = send(world, make(random.Random(f"{seed}.{number}")))
            assert reply[:1] in b"25", (seed, number, reply)
            taken += reply.startswith(b"250")
        with readers(world) as (imap, pop3):
            imap.select(b"INBOX")
            assert imap.exists == taken
            for number in range(1, taken + 1):
                check_views(imap, pop3, number)
            if taken:
                imap.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
            pop3.ok(b"QUIT")
            imap.ok(b"CLOSE")
