"""Messages to send, and what the tests ask of a mailbox."""

import imaplib
import re
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import until


def message(subject: str, body: str = "Hello.\r\n", sender: str = "bob@ours.test") -> str:
    """A small whole message."""
    return f"From: Bob <{sender}>\r\nTo: Ada <ada@ours.test>\r\nSubject: {subject}\r\n\r\n{body}"


def receive(server: Postroad, text: str, recipient: str = "ada@ours.test") -> None:
    """Have a stranger deliver a message to the port for mail from outside."""
    with smtplib.SMTP(HOST, server.ports.smtp, local_hostname="stranger.test") as smtp:
        smtp.sendmail("stranger@elsewhere.test", [recipient], text.encode())


def submit(
    server: Postroad,
    subject: str,
    *recipients: str,
    body: str = "Hello.\r\n",
    mail: Sequence[str] = ("BODY=8BITMIME",),
    rcpt: Sequence[str] = (),
) -> None:
    """Ada submits a message."""
    with smtplib.SMTP(HOST, server.ports.submission, local_hostname="laptop.test") as session:
        session.starttls(context=server.tls_context())
        session.login("ada@ours.test", PASSWORD)
        text = message(subject, body, sender="ada@ours.test").encode()
        session.sendmail("ada@ours.test", recipients, text, mail, rcpt)


def hand_to(
    address: str,
    subject: str,
    *recipients: str,
    body: str = "Hello.\r\n",
    sender: str = "carl@theirs.test",
    mail: Sequence[str] = ("BODY=8BITMIME",),
    rcpt: Sequence[str] = (),
) -> None:
    """Carl hands a message to his own server, from the address that may relay there."""
    with smtplib.SMTP(address, 25, local_hostname="carl.test", source_address=(address, 0)) as session:
        text = message(subject, body, sender).encode()
        session.sendmail(sender, recipients, text, mail, rcpt)


@contextmanager
def imap(server: Postroad, user: str = "ada@ours.test") -> Iterator[imaplib.IMAP4_SSL]:
    """An IMAP session of a user."""
    with imaplib.IMAP4_SSL(HOST, server.ports.imaps, ssl_context=server.tls_context()) as session:
        session.login(user, PASSWORD)
        yield session


def texts(server: Postroad, mailbox: str = "INBOX", user: str = "ada@ours.test") -> list[str]:
    """All messages of a mailbox, whole."""
    with imap(server, user) as session:
        return _texts(session, mailbox)


def flags_by_subject(session: imaplib.IMAP4) -> dict[str, frozenset[str]]:
    """What there is in the selected mailbox: the flags of each message, without \\Recent."""
    told = session.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    found: dict[str, frozenset[str]] = {}
    for one in told:
        if isinstance(one, tuple):
            flags = re.search(rb"FLAGS \(([^)]*)\)", one[0])
            assert flags is not None
            subject = one[1].decode().strip().removeprefix("Subject: ")
            assert subject not in found, f"{subject} is there twice"
            found[subject] = frozenset(flags[1].decode().split()) - {"\\Recent"}
    return found


def arrived(server: Postroad, containing: str, mailbox: str = "INBOX", user: str = "ada@ours.test") -> str:
    """Wait for a message with these words and return it."""
    with imap(server, user) as session:

        def look() -> str | None:
            return next((text for text in _texts(session, mailbox) if containing in text), None)

        return until(look, f"a message with {containing!r} in {mailbox} of {user}")


def _texts(session: imaplib.IMAP4, mailbox: str) -> list[str]:
    status, said = session.select(mailbox, readonly=True)
    assert status == "OK", said
    _, found = session.search(None, "ALL")
    return [_text(session, number.decode()) for number in found[0].split()]


def _text(session: imaplib.IMAP4, number: str) -> str:
    _, data = session.fetch(number, "(BODY.PEEK[])")
    first = data[0]
    assert isinstance(first, tuple)
    return bytes(first[1]).decode("utf-8", "replace")
