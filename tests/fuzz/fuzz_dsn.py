"""Fuzz the notices that we write: what strangers said goes into them, and must stay where it was put.

The parts of an input are set apart by form feeds: what goes into the report, then the original.
"""

import random
import re
from datetime import UTC, datetime
from typing import Final

from postroad.message.dsn import Action, RecipientReport, Report, build_dsn
from postroad.message.header import HeaderBlock
from postroad.message.part import parse_parts
from tests.fuzz.harness import Target
from tests.unit.message.pieces import CORPUS, FRAGMENTS

NOW: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIELDS: Final = frozenset(
    (
        *(b"date", b"from", b"to", b"subject", b"message-id", b"in-reply-to", b"references"),
        *(b"auto-submitted", b"mime-version", b"content-type", b"content-transfer-encoding"),
    )
)
LONE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
PIECES: Final = [
    *FRAGMENTS,
    *(b"550 5.1.1 no", b"\r\nBcc: x@y.test\r\n", b"\n\n--", b"rfc822;ada@demo.test"),
    b"utf-8;\xc3\xa4@x.test",
    *(b"x" * 1200, b"\x1b[31m", b"\x85", b"\xe2\x80\xa8", b"=?utf-8?q?=0D=0AX:_1?=", b"mx.test"),
    b"ada@demo.test",
]


def check(data: bytes) -> None:
    """Hold one input against everything that must hold for all."""
    *words, original = data.split(b"\f", 8)
    said = [word.decode("utf-8", "replace") for word in words] + [""] * 8
    recipient = RecipientReport(
        said[0] or "ada@demo.test",
        list(Action)[len(data) % len(Action)],
        said[1] or "5.0.0",
        original=said[2],
        remote_mta=said[3],
        diagnostic=said[4],
        reason=said[5],
        last_attempt=NOW,
    )
    report = Report(
        "mx.test", said[6] or "eve@demo.test", [recipient], NOW, "token", envelope_id=said[7], queue_id="q1"
    )
    notice = build_dsn(report, original, full=bool(len(data) % 2))
    names = [field.name_lower for field in HeaderBlock.parse(notice).fields]
    assert FIELDS.issuperset(names), names
    assert len(set(names)) == len(names)
    tree = parse_parts(notice)
    assert (tree.type, tree.subtype, len(tree.children)) == ("multipart", "report", 3)
    human, status, returned = tree.children
    assert human.type == "text"
    assert (status.type, status.subtype) in (
        ("message", "delivery-status"),
        ("message", "global-delivery-status"),
    )
    # What we wrote ourselves; the original goes back with the lines that it came with.
    lines = notice[: returned.body_start].split(b"\r\n")
    assert not any(octet in line for line in lines for octet in (b"\r", b"\n", b"\0", b"\x1b"))
    assert all(len(line) <= 998 for line in lines), max(lines, key=len)
    assert not LONE.search(notice)
    # One group for the message, one for the recipient, and no third that somebody made up.
    groups = notice[status.body_start : status.body_end].strip().split(b"\r\n\r\n")
    assert len(groups) == 2
    assert returned.type in ("message", "text")


def make(chance: random.Random) -> bytes:
    """Make an input: words of strangers, and a message that may be real."""
    words = [b"".join(chance.choices(PIECES, k=chance.randrange(6))).replace(b"\f", b"") for _ in range(8)]
    original = (
        chance.choice(CORPUS)[:5000] if chance.random() < 0.5 else b"".join(chance.choices(PIECES, k=30))
    )
    return b"\f".join([*words, original])


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
