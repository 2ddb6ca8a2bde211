"""A disk that is filled and emptied under a server, for any that is compared (SAFETY: A5)."""

import imaplib
import os
import shutil
import smtplib
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.contestants import Contestant
from tests.faults.load import Book
from tests.interop.postroad_server import PASSWORD

SIZE: Final = 30_000
LEFT: Final = 100 * 1024
"""Octets that are left on the disk in the first round; in the second there are twice as many, and so on."""
PATIENCE: Final = 120.0
"""Seconds in which a server has to take mail again."""


@dataclass(slots=True)
class Answers:
    """What was said while the disk was full, how late at the most, and how soon all was well again."""

    said: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    recovered: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        said = ", ".join(f"{words} x {times}" for words, times in self.said.most_common())
        late = "never" if PATIENCE in self.recovered else f"{max(self.recovered):.1f} s at the most"
        return f"answers {said}; slowest {self.slowest:.1f} s; mail taken again after {late}"


def fill_and_free(server: Contestant, folder: Path, book: Book, rounds: int) -> Answers:
    """Fill the disk, send mail, free it, wait until mail is taken again; so often."""
    answers = Answers()
    for number in range(1, rounds + 1):
        filler = folder / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - number * LEFT)
        for _ in range(10):
            for once in (_deliver, _deliver, _append):
                began = time.monotonic()
                answers.said[once(server, book)] += 1
                answers.slowest = max(answers.slowest, time.monotonic() - began)
        filler.unlink()
        answers.recovered.append(_seconds_until_taken(server, book))
    return answers


def _seconds_until_taken(server: Contestant, book: Book) -> float:
    began = time.monotonic()
    while not _deliver(server, book) == _append(server, book) == "taken":
        if time.monotonic() - began > PATIENCE:
            return PATIENCE
        time.sleep(0.1)  # how often we look
    return time.monotonic() - began


def _deliver(server: Contestant, book: Book) -> str:
    name, octets = book.write("smtp", SIZE)
    try:
        with smtplib.SMTP("127.0.0.1", server.ports.smtp, timeout=60) as client:
            book.sends(name, octets)
            client.sendmail("eve@elsewhere.test", [server.login], octets)
    except smtplib.SMTPRecipientsRefused as refused:
        return f"SMTP {next(iter(refused.recipients.values()))[0]}"
    except smtplib.SMTPResponseException as refused:
        return f"SMTP {refused.smtp_code}"
    except (OSError, smtplib.SMTPException):
        return "SMTP closed"
    book.takes(name)
    return "taken"


def _append(server: Contestant, book: Book) -> str:
    name, octets = book.write("append", SIZE)
    try:
        with imaplib.IMAP4_SSL(
            "localhost", server.ports.imaps, ssl_context=server.tls_context(), timeout=60
        ) as client:
            client.login(server.login, PASSWORD)
            book.sends(name, octets)
            status, answer = client.append("INBOX", "", "", octets)
    except (OSError, imaplib.IMAP4.error) as error:
        return f"IMAP {type(error).__name__}"
    if status != "OK":
        words = answer[0].decode()
        return f"IMAP NO {words.partition(' ')[0]}" if words.startswith("[") else "IMAP NO"
    book.takes(name)
    return "taken"
