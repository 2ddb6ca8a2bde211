"""SORT, THREAD and ESORT say what Debian's Dovecot says of the same messages."""

import imaplib
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.interop.doveadm import Doveadm
from tests.interop.messages import imap
from tests.interop.postroad_server import Postroad

_SUBJECTS: Final = (
    "Tea",
    "tea time",
    "Änderung",
    "anders",
    "Übung",
    "zebra",
    "[list] News",
    "1 apple",
    "_x_",
)
_MARKS: Final = ("", "", "Re: ", "RE: [list] ", "Fwd: ", "[list] ", "re: Re: ")
_NAMES: Final = ("Ada", "Béla", "bob", "Çelik", "Zoë", "anna", "")
_COUNT: Final = 120


def corpus() -> Iterator[bytes]:
    """Messages that answer one another, in no good order, with what people write into fields."""
    draw = random.Random(5256)
    for number in range(_COUNT):
        name = draw.choice(_NAMES)
        sender = f"{name or 'nobody'}{number % 7}".encode("ascii", "ignore").decode()
        subject = draw.choice(_MARKS) + draw.choice(_SUBJECTS) + draw.choice(("", "", f" {number % 9}"))
        near = [n for n in range(number - 12, number + 6) if n >= 0 and n != number]
        chain = draw.sample(near, min(len(near), draw.choice((0, 0, 1, 2, 3))))
        lines = [
            f"From: {_phrase(name)} <{sender}@elsewhere.test>",
            f"To: {_phrase(draw.choice(_NAMES))} <{draw.choice('cab')}{number % 5}@ours.test>, x@ours.test",
            f"Subject: {_encoded(subject)}",
            _date(draw, number),
        ]
        if number % 4:
            lines.append(f"Cc: {draw.choice('xyz')}@cc.test")
        if number % 17:
            lines.append(f"Message-ID: <{number}@x.test>")
        if chain and number % 3:
            lines.append("References: " + " ".join(f"<{n}@x.test>" for n in chain))
        if chain and number % 5:
            lines.append(f"In-Reply-To: <{chain[-1]}@x.test>")
        yield ("\r\n".join(lines) + "\r\n\r\n" + "x" * draw.randrange(300) + "\r\n").encode("ascii")


def _date(draw: random.Random, number: int) -> str:
    day, hour = draw.randrange(1, 29), draw.randrange(24)
    return f"Date: {day} Mar 2024 {hour:02}:00:{number % 60:02} +0{number % 5}00"


def _encoded(text: str) -> str:
    return text if text.isascii() else f"=?utf-8?q?{''.join(f'={o:02X}' for o in text.encode())}?="


def _phrase(name: str) -> str:
    return _encoded(name) if name else ""


def arrived(number: int) -> int:
    """When a message came; some at the same time."""
    return 1_700_000_000 + (number - 1) // 3


def fill(session: imaplib.IMAP4) -> None:
    for number, text in enumerate(corpus()):
        # Some arrive at the same time.
        status, said = session.append(
            "INBOX", "", imaplib.Time2Internaldate(1_700_000_000 + number // 3), text
        )
        assert status == "OK", said
    session.select("INBOX")


@pytest.fixture(scope="module")
def theirs() -> Iterator[imaplib.IMAP4]:
    with tempfile.TemporaryDirectory(prefix="postroad-ordering-") as name:
        Path(name).chmod(0o755)
        with Doveadm(Path(name)).imap() as session:
            fill(session)
            yield session


@pytest.fixture(scope="module")
def ours(module_server: Postroad) -> Iterator[imaplib.IMAP4]:
    with imap(module_server) as session:
        fill(session)
        yield session


def asked(session: imaplib.IMAP4, command: str) -> str:
    """The one untagged response to a command, without the tag that it names."""
    name, _, arguments = command.partition(" ")
    status, said = session._simple_command(name, arguments)
    assert status == "OK", said
    found = [
        f"{kind} {b''.join(line for line in lines if isinstance(line, bytes)).decode()}"
        for kind in ("SORT", "THREAD", "ESEARCH")
        if (lines := session.untagged_responses.pop(kind, None))
    ]
    assert len(found) == 1
    return found[0]


def items(response: str) -> set[str]:
    """The items of an ESEARCH, which may come in any order (RFC 4731 §3.1); any other response whole."""
    if not response.startswith("ESEARCH"):
        return {response}
    return {
        match[0] for match in re.finditer(r"UID|[A-Z]+ (?:\([^)]*\)|[0-9:,]+)", response.partition(") ")[2])
    }


def threads(response: str) -> list[str]:
    """The threads of a THREAD response."""
    found, depth = [""], 0
    for letter in response.partition(" ")[2]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        found[-1] += letter
        if not depth:
            found.append("")
    return found[:-1]


@pytest.mark.parametrize(
    "command",
    [
        *[f"SORT ({key}) UTF-8 ALL" for key in ("ARRIVAL", "DATE", "SIZE", "SUBJECT", "FROM", "TO", "CC")],
        *[f"SORT (REVERSE {key}) UTF-8 ALL" for key in ("ARRIVAL", "DATE", "SUBJECT", "DISPLAYFROM")],
        "SORT (SUBJECT REVERSE DATE) UTF-8 ALL",
        "SORT (FROM SUBJECT REVERSE SIZE) UTF-8 ALL",
        "SORT (DISPLAYFROM) UTF-8 ALL",
        "SORT (DISPLAYTO DATE) UTF-8 ALL",
        "UID SORT (SUBJECT) US-ASCII SUBJECT tea",
        "THREAD REFERENCES UTF-8 ALL",
        "THREAD REFERENCES UTF-8 SUBJECT tea",
        "UID THREAD REFERENCES UTF-8 UID 20:80",
        "THREAD ORDEREDSUBJECT UTF-8 ALL",
        "SORT RETURN (ALL) (REVERSE ARRIVAL) UTF-8 1:9",
        "UID SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL",
        "SORT RETURN (PARTIAL 5:9 COUNT) (DATE) UTF-8 ALL",
        "SORT RETURN (PARTIAL 500:900) (DATE) UTF-8 ALL",
        "SEARCH RETURN (PARTIAL 3:5) SUBJECT tea",
        "UID SEARCH RETURN (MIN MAX ALL COUNT) SUBJECT tea",
    ],
)
def test_the_same_answer(ours: imaplib.IMAP4, theirs: imaplib.IMAP4, command: str) -> None:
    assert items(asked(ours, command)) == items(asked(theirs, command))


@pytest.mark.parametrize("criteria", ["ALL", "SUBJECT tea", "2:90"])
def test_refs_gives_the_same_threads_in_the_order_of_their_draft(
    ours: imaplib.IMAP4, theirs: imaplib.IMAP4, criteria: str
) -> None:
    """draft-ietf-morg-inthread §4: by the most recent INTERNALDATE. Dovecot takes the most recent Date."""
    command = f"THREAD REFS UTF-8 {criteria}"
    mine, others = threads(asked(ours, command)), threads(asked(theirs, command))
    assert sorted(mine) == sorted(others)
    latest = [max(arrived(int(number)) for number in re.findall(r"\d+", thread)) for thread in mine]
    assert latest == sorted(latest)
