"""IMAP, POP3 and SMTP clients on top of `dialogue`: the few steps that every measurement takes."""

import re
from typing import Final

from bench.dialogue import Ask, Client, Open, ask
from bench.replies import Codes, Okays, Tagged, Untagged
from bench.servers.side import LOCAL, PASSWORD, Side

TAG: Final = b"t"
_MESSAGES: Final = re.compile(rb"MESSAGES (\d+)")


def imap_open(side: Side, *, tls: bool = False) -> Open:
    """Connect to its IMAP listener."""
    port = side.ports.imaps if tls else side.ports.imap
    return Open((LOCAL, port), side.tls() if tls else None, Untagged(rb"\A\* OK "))


def imap_login(side: Side, user: str) -> bytes:
    """Make the command that logs a user in."""
    return b't LOGIN %b "%b"\r\n' % (side.address(user).encode(), PASSWORD.encode())


def imap_client(side: Side, user: str, *, tls: bool = False) -> Client:
    """Open a session of a user."""
    client = Client()
    ask(client, imap_open(side, tls=tls), Ask(imap_login(side, user), Tagged(TAG)))
    return client


def command(client: Client, words: bytes, of: bytes = b"", count: int | None = None) -> Tagged:
    """Run one IMAP command to its OK; `of` must come `count` times on the way."""
    reply = Tagged(TAG, of, count, keep=True)
    ask(client, Ask(b"t %b\r\n" % words, reply))
    return reply


def message_count(client: Client, mailbox: bytes = b"INBOX") -> int:
    """Ask how many messages a mailbox has."""
    found = _MESSAGES.search(command(client, b"STATUS %b (MESSAGES)" % mailbox).text)
    assert found, "STATUS without MESSAGES"
    return int(found[1])


def offers(client: Client, capability: bytes) -> bool:
    """Whether the server says that it can."""
    return capability in command(client, b"CAPABILITY").text.split()


def smtp_open(side: Side) -> Open:
    """Connect to its SMTP listener."""
    return Open((LOCAL, side.ports.smtp), None, Codes(b"220"))


HELLO: Final = b"EHLO load.test\r\n"


def smtp_client(side: Side) -> Client:
    """Open a session in which mail may be sent at once."""
    client = Client()
    ask(client, smtp_open(side), Ask(HELLO, Codes(b"250")))
    return client


def envelope(recipient: str) -> bytes:
    """Make what comes before a message, pipelined."""
    return b"MAIL FROM:<load@elsewhere.test>\r\nRCPT TO:<%b>\r\nDATA\r\n" % recipient.encode()


def pop3_client(side: Side, user: str) -> Client:
    """Open a session of a user."""
    client = Client()
    name, secret = side.address(user).encode(), PASSWORD.encode()
    ask(
        client,
        Open((LOCAL, side.ports.pop3), None, Okays()),
        Ask(b"USER %b\r\n" % name, Okays()),
        Ask(b"PASS %b\r\n" % secret, Okays()),
    )
    return client
