"""Extensions of port 25 from the first octet to the mailbox, the queue and the trail."""

import base64
import email
import imaplib
from collections.abc import Sequence
from email.message import Message

import pytest

from postroad.config.sender_auth import SenderAuth
from postroad.testing import ThreadedWorld
from postroad.testing.remote import CHUNKING, EXTENSIONS
from postroad.trail.sentences import tell
from tests.world.clients import Raw, exchange, imap, mail, subjects
from tests.world.conftest import ADA, BOB, no_bugs, peopled

EVE = "eve@elsewhere.test"
SENDER = "päivi@bücher.test"


def in_tls(world: ThreadedWorld) -> Raw:
    """Another server, with TLS up and EHLO said."""
    client = Raw(world.port("smtp"))
    client.reply()
    for line in (b"EHLO mx.elsewhere.test", b"STARTTLS"):
        client.say(line)
    client.start_tls(world.tls())
    assert b"250-REQUIRETLS" in client.say(b"EHLO mx.elsewhere.test").split(b"\n")
    return client


def send(client: Raw, options: bytes, *recipients: str, message: bytes) -> bytes:
    """A transaction by BDAT; gives the last reply."""
    client.say(b"MAIL FROM:<eve@elsewhere.test> " + options)
    for recipient in recipients:
        assert client.say(b"RCPT TO:<%b>" % recipient.encode()).startswith(b"250")
    client.send(b"BDAT %d LAST\r\n" % len(message) + message)
    return client.reply()


def literals(client: imaplib.IMAP4, items: str) -> list[bytes]:
    """The literals in what the first message is answered with."""
    _, found = client.fetch("1", f"({items})")
    return [piece[1] for piece in found if isinstance(piece, tuple)]


def test_internationalized_mail_is_what_it_was_when_imap_shows_it(world: ThreadedWorld) -> None:
    world.add_domain("bücher.test")
    world.add_alias("jörg@bücher.test", ADA)
    message = f"From: Päivi <{SENDER}>\r\nTo: <jörg@bücher.test>\r\nSubject: Grüße\r\n\r\nÄ.\r\n".encode()
    with exchange(world) as client:
        client.mail(SENDER, ["SMTPUTF8", "BODY=8BITMIME"])
        assert client.rcpt("jörg@bücher.test")[0] == 250
        assert client.data(message)[0] == 250
    (filed,) = world.mailbox(ADA).messages()
    assert filed.octets.endswith(message)
    assert filed.headers("Return-Path") == ["<päivi@xn--bcher-kva.test>"]  # a domain has one writing
    assert "with UTF8SMTP" in filed.headers("Received")[0]  # RFC 6531 §4.3
    assert "for <jörg@xn--bcher-kva.test>" in filed.headers("Received")[0]
    with imap(world) as client:
        client.select("INBOX")
        assert literals(client, "ENVELOPE") == [], "in ASCII, for who has not enabled UTF-8 (RFC 6858 §2)"
        assert literals(client, "BODY[]")[0].endswith(message)
    with imap(world) as client:
        client.enable("UTF8=ACCEPT")
        client.select("INBOX")
        envelope = b" ".join(literals(client, "ENVELOPE"))
        for text in ("Grüße", "Päivi", "päivi"):
            assert text.encode() in envelope
        assert literals(client, "BODY[]")[0].endswith(message)


def test_eight_bits_without_a_word_change_nothing(world: ThreadedWorld) -> None:
    # RFC 6531 §3.1 is about addresses and headers; what old programs send without it has always been taken.
    message = mail("old", sender=EVE).replace(b"Hello.", b"Gr\xfc\xdfe.")
    world.deliver(ADA, sender=EVE, message=message)
    assert world.mailbox(ADA).messages()[0].octets.endswith(message)


def test_binary_parts_are_filed_as_base64(world: ThreadedWorld) -> None:
    octets = bytes(range(256)) * 3 + b"\r\n.\r\n\n\r"
    head = b"Subject: binary\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    parts = b"--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    with in_tls(world) as client:
        reply = send(
            client, b"BODY=BINARYMIME", ADA, message=head + b"\r\n" + parts + octets + b"\r\n--b--\r\n"
        )
    assert reply.startswith(b"250")
    with imap(world) as reader:
        reader.select("INBOX")
        fields, body = literals(reader, "BODY[2.MIME] BODY[2]")
        assert b"Content-Transfer-Encoding: base64\r\n" in fields
        assert base64.b64decode(body) == octets
    (trail,) = world.trail(ADA)
    assert "BINARYMIME" in " ".join(line.text for line in tell(trail, str).lines)


def binary_message(sender: str = EVE) -> tuple[bytes, bytes]:
    """A message with a binary part, and that part."""
    octets = bytes(range(256)) * 3 + b"\r\n.\r\n\n\r"
    more = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    head = mail("binary", sender=sender, more=more).replace(b"Hello.\r\n", b"")
    part = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return head + b"--b\r\n\r\ntext\r\n--b\r\n" + part + octets + b"\r\n--b--\r\n", octets


@pytest.mark.parametrize(
    "extensions", [CHUNKING, EXTENSIONS, ("PIPELINING",)], ids=["binary", "8bit", "7bit"]
)
def test_a_binary_message_is_sent_on_as_the_next_server_takes_it(
    world: ThreadedWorld, extensions: Sequence[str]
) -> None:
    message, octets = binary_message()
    elsewhere = world.remote("elsewhere.test")
    elsewhere.extensions = list(extensions)
    world.add_alias("away@demo.test", "carol@elsewhere.test")
    with in_tls(world) as client:
        assert send(client, b"BODY=BINARYMIME", "away@demo.test", message=message).startswith(b"250")
    world.settle()
    (taken,) = elsewhere.messages
    if extensions is CHUNKING:
        assert taken.body.endswith(message.partition(b"Subject:")[2])
        assert taken.mail.endswith(" BODY=BINARYMIME")
        return
    part = email.message_from_bytes(taken.body).get_payload(1)
    assert isinstance(part, Message)
    assert part["Content-Transfer-Encoding"] == "base64"
    assert part.get_payload(decode=True) == octets
    assert "base64" in " ".join(line.text for line in tell(world.trail()[0], str).lines)


def test_a_notice_about_a_binary_message_holds_its_header(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "550 5.1.1 no", to="carol@")
    world.add_alias("away@demo.test", "carol@elsewhere.test")
    with in_tls(world) as client:
        send(client, b"BODY=BINARYMIME", "away@demo.test", message=binary_message()[0])
    world.settle()
    (notice,) = elsewhere.messages
    assert b"Content-Type: text/rfc822-headers" in notice.body
    assert b"\0" not in notice.body


def test_what_requires_tls_stays_here_and_its_notice_too(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    world.add_alias("team@demo.test", BOB, "carol@elsewhere.test")
    with in_tls(world) as client:
        reply = send(client, b"REQUIRETLS RET=FULL", "team@demo.test", message=mail("secret", sender=EVE))
        assert reply.startswith(b"250")
    world.settle()
    assert subjects(world, BOB) == ["secret"]
    bounces = elsewhere.messages  # RFC 8689 §5: a bounce goes even where nobody offers it
    assert [one.sender for one in bounces] == [""]
    assert b"5.7.10" in bounces[0].body
    assert b"Hello." not in bounces[0].body


@pytest.mark.parametrize(
    ("field", "wish"), [(b"TLS-Required: No\r\n", "waive"), (b"TLS-Required: Yes\r\n", "")]
)
def test_the_field_that_asks_for_less_is_kept_with_the_message(
    world: ThreadedWorld, field: bytes, wish: str
) -> None:
    world.add_alias("away@demo.test", "carol@nowhere.test")
    world.resolver.broken.add("nowhere.test")
    message = mail("report", sender=EVE, more=field)
    world.deliver("away@demo.test", sender=EVE, message=message)
    assert [queued.item.tls for queued in world.queue()] == [wish]


def test_a_receipt_goes_where_the_mail_came_from_and_nowhere_else(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    world.resolver.add_mx("here.test", "mx.here.test")
    world.resolver.add_address("mx.here.test", "127.0.0.1")
    for sender, told in (("eve@elsewhere.test", False), ("eve@here.test", True)):
        with exchange(world) as client:
            assert "dsn" in client.esmtp_features
            client.sendmail(sender, [BOB], mail("hello"), rcpt_options=["NOTIFY=SUCCESS"])
        (trail,) = [one for one in world.trail(sender) if one.kind == "in"]
        assert any(note.kind == "notice" for _, note in trail.notes) is told
    assert elsewhere.messages == []
    assert subjects(world, BOB) == ["hello", "hello"]


def test_spf_makes_a_sender_answerable() -> None:
    auth = SenderAuth(timeout=5)
    with no_bugs(), ThreadedWorld(sender_auth=auth) as world:
        peopled(world)
        world.resolver.add_txt("elsewhere.test", b"v=spf1 ip4:127.0.0.1 -all")
        for sender, told in ((EVE, True), ("eve@third.test", False)):
            with exchange(world) as client:
                client.sendmail(sender, [BOB], mail("hello", sender=sender), rcpt_options=["NOTIFY=SUCCESS"])
            (trail,) = [one for one in world.trail(sender) if one.kind == "in"]
            assert any(note.kind == "notice" for _, note in trail.notes) is told


@pytest.mark.parametrize("passes", [False, True])
def test_nobody_who_was_made_up_hears_that_forwarded_mail_arrived(world: ThreadedWorld, passes: bool) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.extensions.remove("DSN")
    world.add_alias("away@demo.test", "carol@elsewhere.test")
    if passes:
        world.resolver.add_mx("here.test", "mx.here.test")
        world.resolver.add_address("mx.here.test", "127.0.0.1")
    with exchange(world) as client:
        client.sendmail("eve@here.test", ["away@demo.test"], mail("hi"), rcpt_options=["NOTIFY=SUCCESS"])
    world.settle()
    assert len(elsewhere.messages) == 1
    (trail,) = [one for one in world.trail("eve@here.test") if one.kind == "in"]
    assert any(note.kind == "notice" for _, note in trail.notes) is passes
