"""What is in the mailboxes after a strike, and whether it is what it has to be."""

import imaplib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.faults.load import ADA, Book
from tests.faults.target import Target
from tests.interop.postroad_server import PASSWORD

MAILBOXES: Final = ("INBOX", "Archive")
_UID: Final = re.compile(rb"UID (\d+)")
_SUBJECT: Final = re.compile(rb"Subject: (\S+)")


@dataclass(slots=True)
class History:
    """Every UID that was ever seen, and for which message: it never means another one."""

    uids: dict[tuple[str, int, int], str] = field(default_factory=dict)
    validities: dict[str, int] = field(default_factory=dict)


def inside(
    server: Target,
    book: Book,
    login: str = ADA,
    *,
    bodies: bool = False,
    mailboxes: Sequence[str] = MAILBOXES,
) -> dict[tuple[str, int, int], str]:
    """(mailbox, UIDVALIDITY, UID) and subject of every message; with `bodies` each is compared."""
    found: dict[tuple[str, int, int], str] = {}
    client = imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context(), timeout=120)
    with client:
        client.login(login, PASSWORD)
        for mailbox in mailboxes:
            client.select(mailbox, readonly=True)
            validity = int(client.response("UIDVALIDITY")[1][0] or b"0")
            what = "BODY.PEEK[]" if bodies else "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"
            _, parts = client.uid("FETCH", "1:*", f"({what})")
            for part in parts:
                if isinstance(part, tuple):
                    uid, subject = _UID.search(part[0]), _SUBJECT.search(part[1])
                    assert uid is not None
                    assert subject is not None, part
                    name = subject[1].decode()
                    found[mailbox, validity, int(uid[1])] = name
                    assert not bodies or book.knows(name, part[1]), f"{name} is damaged"
    return found


def check(
    server: Target,
    book: Book,
    history: History,
    login: str = ADA,
    *,
    bodies: bool = False,
    kinds: Sequence[str] = (),
) -> None:
    """Nothing lost, nothing twice, nothing made up, no UID used again; `kinds`: of these, if not of all."""
    found = inside(server, book, login, bodies=bodies)
    count = Counter(found.values())
    taken = {name for name in book.taken if not kinds or name.rpartition("-")[0] in kinds}
    lost = taken - count.keys()
    assert not lost, f"{len(lost)} of {len(taken)} acknowledged messages are lost: {sorted(lost)[:5]}"
    twice = [name for name, times in count.items() if times > max(1, book.tries[name])]
    assert not twice, f"twice: {twice[:5]}"
    made_up = count.keys() - book.sent.keys()
    assert not made_up, f"nobody sent: {sorted(made_up)[:5]}"
    for (mailbox, validity, uid), name in found.items():
        assert history.validities.setdefault(mailbox, validity) == validity, "UIDVALIDITY has changed"
        before = history.uids.setdefault((mailbox, validity, uid), name)
        assert before == name, f"UID {uid} of {mailbox} was {before} and is {name}"
