"""Messages that a server cannot take as they are (RFC 6152 §3)."""

import email

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.remote import EXTENSIONS, RemoteServer
from postroad.trail.sentences import tell
from tests.world.clients import mail, subjects, submission, submit
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
