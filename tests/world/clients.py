"""Python's own mail clients, logged in, and one that says exactly what it is told."""

import base64
import imaplib
import poplib
import select
import smtplib
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD

PATIENCE: Final = 20.0
"""Seconds after which a dialogue counts as hung."""


def mail(
    subject: str = "Hello", *, sender: str = "ada@demo.test", to: str = "bob@demo.test", more: bytes = b""
) -> bytes:
    """A message as a simple client would write it; `more` is for the end of the header."""
    head = f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n".encode()
    return head + more + b"\r\nHello.\r\n"


@contextmanager
def submission(world: ThreadedWorld, login: str = "ada@demo.test") -> Iterator[smtplib.SMTP]:
    """Submission with STARTTLS and a log-in."""
    with smtplib.SMTP("127.0.0.1", world.port("submission"), timeout=PATIENCE) as client:
        client.starttls(context=world.tls())
        client.login(login, PASSWORD)
        yield client


def submit(world: ThreadedWorld, octets: bytes, *recipients: str, sender: str = "ada@demo.test") -> None:
    """Submit one message."""
    with submission(world, sender) as client:
        assert client.sendmail(sender, recipients, octets) == {}


@contextmanager
def exchange(world: ThreadedWorld) -> Iterator[smtplib.SMTP]:
    """The port where other servers deliver, in clear and without a log-in."""
    with smtplib.SMTP("127.0.0.1", world.port("smtp"), timeout=PATIENCE) as client:
        client.ehlo()
        yield client


@contextmanager
def imap(
    world: ThreadedWorld, login: str = "ada@demo.test", worker: int | None = None
) -> Iterator[imaplib.IMAP4]:
    """IMAP over TLS, logged in."""
    client = imaplib.IMAP4_SSL(
        "127.0.0.1", world.port("imaps", worker), ssl_context=world.tls(), timeout=PATIENCE
    )
    with client:
        client.login(login, PASSWORD)
        yield client


@contextmanager
def pop3(world: ThreadedWorld, login: str = "ada@demo.test") -> Iterator[poplib.POP3]:
    """POP3 over TLS, logged in."""
    client = poplib.POP3_SSL("127.0.0.1", world.port("pop3s"), context=world.tls(), timeout=PATIENCE)
    client.user(login)
    client.pass_(PASSWORD)
    try:
        yield client
    finally:
        client.quit()


class Raw:
    """A connection that sends octets as they are and reads lines."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._socket: socket.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""
        if context is not None:
            self.start_tls(context)

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Begin TLS; what had come before must have been read."""
        assert not self._held, self._held
        self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    @contextmanager
    def one_segment(self) -> Iterator[None]:
        """Let what is sent here go out together (tcp(7): TCP_CORK waits for a fifth of a second at most)."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        yield
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def send(self, octets: bytes) -> None:
        """Send octets, in one segment if they are few."""
        self._socket.sendall(octets)

    def line(self) -> bytes:
        """The next line without its line end; empty at the end of the connection."""
        while b"\r\n" not in self._held:
            if not (octets := self._receive()):
                line, self._held = self._held, b""
                return line
            self._held += octets
        line, _, self._held = self._held.partition(b"\r\n")
        return line

    def reply(self) -> bytes:
        """An SMTP reply; its lines are parted by line feeds."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return b"\n".join(lines)

    def until(self, tag: bytes) -> list[bytes]:
        """IMAP responses up to the tagged one; literals are lines like others."""
        lines = [self.line()]
        while not lines[-1].startswith(tag + b" "):
            assert lines[-1], lines
            lines.append(self.line())
        return lines

    def say(self, line: bytes) -> bytes:
        """Send a line, read an SMTP reply."""
        self.send(line + b"\r\n")
        return self.reply()

    def rest(self) -> bytes:
        """Everything until the server closes."""
        while octets := self._receive():
            self._held += octets
        rest, self._held = self._held, b""
        return rest

    def has_more(self) -> bool:
        """Whether something can be read now."""
        return bool(self._held or select.select([self._socket], [], [], 0)[0])

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return b""


def raw_submission(world: ThreadedWorld, login: str = "ada@demo.test") -> Raw:
    """A log-in at the submission port, for saying what smtplib would not."""
    client = Raw(world.port("submissions"), world.tls())
    client.reply()
    client.say(b"EHLO client.test")
    plain = base64.b64encode(f"\0{login}\0{PASSWORD}".encode())
    assert client.say(b"AUTH PLAIN " + plain).startswith(b"235 ")
    return client


def subjects(world: ThreadedWorld, address: str, mailbox: str = "INBOX") -> list[str]:
    """What is in a mailbox, by subject."""
    return [message.subject for message in world.mailbox(address, mailbox).messages()]


def codes(replies: Iterable[bytes]) -> list[bytes]:
    """The codes of SMTP replies."""
    return [reply[:3] for reply in replies]
