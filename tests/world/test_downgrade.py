"""Messages that a server cannot take as they are (RFC 6152 §3)."""

import email
import email.policy

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.remote import EXTENSIONS, RemoteServer
from postroad.trail.sentences import tell
from tests.world.clients import exchange, mail, subjects, submission, submit
from tests.world.conftest import ADA
from tests.world.signing import judged, make_keys, publish

EVE = "eve@elsewhere.test"
TEXT = "Grüße aus Köln, und so weiter und so fort.\r\n"
MIME = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


@pytest.fixture
def elsewhere(world: ThreadedWorld) -> RemoteServer:
    """A server that takes 7 bits."""
    remote = world.remote("elsewhere.test")
    remote.extensions = [word for word in EXTENSIONS if word != "8BITMIME"]
    return remote


def eight_bit(subject: str = "hello", *, sender: str = ADA) -> bytes:
    """A message with umlauts."""
    return mail(subject, sender=sender, more=MIME).replace(b"Hello.\r\n", TEXT.encode())


def told(world: ThreadedWorld) -> str:
    """All that the trail of the last message says."""
    return " ".join(line.text for line in tell(world.trail()[0], str).lines)


def test_it_goes_in_quoted_printable(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    submit(world, eight_bit(), EVE)
    world.settle()
    (taken,) = elsewhere.messages
    assert "BODY=" not in taken.mail
    assert f"SIZE={len(taken.body)}" in taken.mail
    message = email.message_from_bytes(taken.body)
    assert message["Content-Transfer-Encoding"] == "quoted-printable"
    assert message.get_payload(decode=True) == TEXT.encode()
    assert "its 8-bit parts were put into quoted-printable or base64" in told(world)


def test_what_was_signed_here_is_signed_anew(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    make_keys(world, "demo.test")
    publish(world)
    submit(world, eight_bit(), EVE)
    world.settle()
    (taken,) = elsewhere.messages
    assert taken.body.isascii()
    assert judged(world, taken.body).vouching == ("demo.test",)
    assert taken.body.count(b"DKIM-Signature:") == 2
    assert taken.body.startswith(b"Received:")
    assert "signed anew" in told(world)


def test_of_signatures_of_others_the_trail_says_that_they_are_broken(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    world.add_alias("away@demo.test", EVE)
    signed = b"DKIM-Signature: v=1; a=rsa-sha256; d=far.test; s=x; h=from; bh=x; b=x\r\n"
    message = signed + eight_bit(sender="fay@far.test")
    world.deliver("away@demo.test", sender="fay@far.test", message=message)
    world.settle()
    (taken,) = elsewhere.messages
    assert signed in taken.body
    assert "do not hold any more" in told(world)


def test_a_notice_that_quotes_it_is_signed_anew_too(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    world.add_domain("world.test")
    for domain in ("demo.test", "world.test"):
        make_keys(world, domain)
    publish(world)
    world.add_alias("away@demo.test", "nobody@nowhere.test")
    world.deliver("away@demo.test", sender=EVE, message=eight_bit(sender=EVE))
    world.settle()
    (notice,) = elsewhere.messages
    assert b"Undelivered" in notice.body
    assert notice.body.isascii()
    assert judged(world, notice.body).vouching == ("world.test",)


def test_a_large_message_is_converted(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    submit(world, eight_bit() + TEXT.encode() * 20_000, EVE)
    world.settle()
    payload = email.message_from_bytes(elsewhere.messages[0].body).get_payload(decode=True)
    assert payload == TEXT.encode() * 20_001


def test_what_may_not_be_changed_comes_back_with_the_reason(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    head = mail("sealed", more=b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n")
    with submission(world) as client:
        body = "--b\r\n\r\nGrüße\r\n--b\r\n\r\nx\r\n--b--\r\n".encode()
        client.sendmail(ADA, [EVE], head.replace(b"Hello.\r\n", body))
    world.settle()
    assert elsewhere.messages == []
    assert subjects(world, ADA) == ["Undelivered: sealed"]
    (notice,) = world.mailbox(ADA).messages()
    assert b"Status: 5.6.3" in notice.octets
    assert b"signed" in notice.octets


UTF8_HEADER = (
    "From: Ada Lövelace <ada@demo.test>\r\nTo: Jörg <jorg@bücher.test>, plain@elsewhere.test\r\n"
    "Subject: Grüße an alle, von mir und von allen, die ich kenne, und noch viele mehr\r\n"
    "Message-ID: <1@demo.test>\r\nX-Note: für dich\r\n"
).encode() + MIME


def told_of(world: ThreadedWorld) -> str:
    """All that all trails say."""
    return " ".join(line.text for trail in world.trail() for line in tell(trail, str).lines)


def submit_utf8(world: ThreadedWorld, header: bytes, *recipients: str) -> None:
    """Submit a message as internationalized."""
    with submission(world) as client:
        client.ehlo()
        assert client.mail(ADA, ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
        for recipient in recipients:
            assert client.rcpt(recipient)[0] == 250
        assert client.data(header + b"\r\n" + TEXT.encode())[0] == 250
    world.settle()


@pytest.mark.parametrize("missing", [{"SMTPUTF8"}, {"SMTPUTF8", "8BITMIME"}], ids=["8 bits", "7 bits"])
def test_a_header_goes_in_ascii_where_that_loses_nothing(world: ThreadedWorld, missing: set[str]) -> None:
    make_keys(world, "demo.test")
    publish(world)
    elsewhere = world.remote("xn--bcher-kva.test")
    elsewhere.extensions = [word for word in EXTENSIONS if word not in missing]
    submit_utf8(world, UTF8_HEADER, "jorg@bücher.test")
    (taken,) = elsewhere.messages
    assert "SMTPUTF8" not in taken.mail
    assert taken.recipients == ["jorg@xn--bcher-kva.test"]
    header, _, body = taken.body.partition(b"\r\n\r\n")
    assert header.isascii()
    assert body.isascii() == ("8BITMIME" in missing)
    message = email.message_from_bytes(taken.body, policy=email.policy.default)
    assert message["From"] == "Ada Lövelace <ada@demo.test>"
    assert message["To"] == "Jörg <jorg@xn--bcher-kva.test>, plain@elsewhere.test"
    assert message["Subject"].startswith("Grüße an alle, von mir und von allen, die ich kenne, und noch")
    assert message["X-Note"] == "für dich"
    assert message.get_payload(decode=True) == TEXT.encode()
    assert judged(world, taken.body).vouching == ("demo.test",)
    assert "its header was put into ASCII" in told_of(world)
    assert "signed anew" in told_of(world)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("jorg@b", "jörg@b", "jörg@bücher.test has no form in ASCII"),
        ("<1@demo", "<ü@demo", "Message-ID has UTF-8 where only ASCII can be"),
        ("Jörg <jorg@bücher.test>", "Freunde: jorg@bücher.test;", "To has groups"),
        ("für", "\udcfc", "X-Note is not in UTF-8"),
    ],
)
def test_what_has_no_form_in_ascii_comes_back(
    world: ThreadedWorld, elsewhere: RemoteServer, old: str, new: str, reason: str
) -> None:
    elsewhere.extensions = ["8BITMIME"]
    header = UTF8_HEADER.decode().replace(old, new).encode(errors="surrogateescape")
    submit_utf8(world, header, EVE)
    assert elsewhere.messages == []
    (bounce,) = world.mailbox(ADA).messages()
    assert b"Status: 5.6.7" in bounce.octets
    assert reason in told_of(world)


def test_nobody_but_its_author_puts_a_header_into_ascii(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    elsewhere.extensions = ["8BITMIME"]
    world.add_alias("away@demo.test", EVE)
    with exchange(world) as client:
        client.mail("carol@third.test", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt("away@demo.test")
        assert client.data(UTF8_HEADER + b"\r\n" + TEXT.encode())[0] == 250
    world.settle()
    assert elsewhere.messages == []
    assert "only who has written it could put its header into ASCII" in told_of(world)
