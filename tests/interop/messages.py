"""Messages to send, and what the tests ask of a mailbox."""

import imaplib
import smtplib
from collections.abc import Iterator
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
