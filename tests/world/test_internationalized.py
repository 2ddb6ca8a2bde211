"""A user whose whole address is beyond ASCII: log-in, the next hop, IMAP and POP3 (RFC 6531, 6855, 6856)."""

import base64
import imaplib
import poplib
import smtplib
from typing import Final

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import PATIENCE

JÖRG: Final = "jörg@bücher.test"
FILED: Final = "jörg@xn--bcher-kva.test"
"""As it is said between servers: a domain has one writing there."""
MESSAGE: Final = (
    f"From: Jörg Müller <{JÖRG}>\r\nTo: <päivi@elsewhere.test>, <{JÖRG}>\r\nSubject: Grüße\r\n\r\nÄ.\r\n"
).encode()


@pytest.fixture
def theirs(world: ThreadedWorld) -> ThreadedWorld:
    """With his account."""
    world.add_domain("bücher.test")
    world.add_account(JÖRG)
    return world


def hand_in(world: ThreadedWorld, *recipients: str) -> None:
    """He logs in and submits it."""
    with smtplib.SMTP("127.0.0.1", world.port("submission"), timeout=PATIENCE) as client:
        client.starttls(context=world.tls())
        client.ehlo()
        said = base64.b64encode(f"\0{JÖRG}\0{PASSWORD}".encode()).decode()
        assert client.docmd("AUTH PLAIN", said)[0] == 235
        assert client.mail(JÖRG, ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
        for recipient in recipients:
            assert client.rcpt(recipient)[0] == 250
        assert client.data(MESSAGE)[0] == 250
    world.settle()


def test_it_goes_to_a_server_that_knows_of_such(theirs: ThreadedWorld) -> None:
    elsewhere = theirs.remote("elsewhere.test")
    hand_in(theirs, "päivi@elsewhere.test")
    (taken,) = elsewhere.messages
    assert taken.mail.startswith(f"MAIL FROM:<{FILED}> ")
    assert " SMTPUTF8" in taken.mail
    assert taken.recipients == ["päivi@elsewhere.test"]
    assert taken.body.endswith(MESSAGE)


def test_it_comes_back_where_the_server_does_not(theirs: ThreadedWorld) -> None:
    elsewhere = theirs.remote("elsewhere.test")
    elsewhere.extensions.remove("SMTPUTF8")
    hand_in(theirs, "päivi@elsewhere.test", "ascii@elsewhere.test")
    assert elsewhere.messages == []
    (bounce,) = theirs.mailbox(JÖRG).messages()
    assert b"Status: 5.6.7" in bounce.octets  # RFC 6531 §3.5
    assert rb"Final-Recipient: utf-8; p\x{E4}ivi@elsewhere.test" in bounce.octets  # RFC 6533 §3
    assert b"Content-Type: message/global\r\n" in bounce.octets


def test_imap_shows_it(theirs: ThreadedWorld) -> None:
    hand_in(theirs, JÖRG)
    with imaplib.IMAP4_SSL("127.0.0.1", theirs.port("imaps"), ssl_context=theirs.tls()) as client:
        client.authenticate("PLAIN", lambda _: f"\0{JÖRG}\0{PASSWORD}".encode())
        assert client.enable("UTF8=ACCEPT")[0] == "OK"
        client.select("INBOX")
        pieces = client.fetch("1", "(ENVELOPE)")[1]
        envelope = b"".join(part if isinstance(part, bytes) else b"".join(part) for part in pieces if part)
        for text in ("Grüße", "Jörg Müller", "jörg", "päivi"):
            assert text.encode() in envelope
        assert client.search(None, "SUBJECT", '"Grüße"')[1] == [b"1"]


def test_pop3_shows_it_to_who_asks_and_ascii_to_others(theirs: ThreadedWorld) -> None:
    hand_in(theirs, JÖRG)
    seen = []
    for asks in (True, False):
        client = poplib.POP3_SSL("127.0.0.1", theirs.port("pop3s"), context=theirs.tls(), timeout=PATIENCE)
        if asks:
            assert client.utf8().startswith(b"+OK")
        client.user(JÖRG)
        client.pass_(PASSWORD)
        seen.append((client.retr(1)[1], client.list(1)))
        client.quit()
    (lines, size), (ascii_lines, ascii_size) = seen
    assert "Subject: Grüße".encode() in lines
    assert b"\n".join(ascii_lines).partition(b"\n\n")[0].isascii()  # RFC 6856 §2.1
    assert size == ascii_size
