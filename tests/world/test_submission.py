"""What our own users may send, and what is made of it on the way (RFC 6409)."""

import base64
import re
import smtplib

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, mail, subjects, submission, submit
from tests.world.conftest import ADA, BOB


def test_nothing_but_tls_is_offered_in_clear(world: ThreadedWorld) -> None:
    with Raw(world.port("submission")) as client:
        client.reply()
        offered = client.say(b"EHLO client.test")
        assert b"STARTTLS" in offered
        assert b"AUTH" not in offered
        plain = base64.b64encode(b"\0%b\0%b" % (ADA.encode(), PASSWORD.encode()))
        assert client.say(b"AUTH PLAIN " + plain).startswith(b"5")
        assert client.say(b"MAIL FROM:<%b>" % ADA.encode()).startswith(b"530 ")


def test_mail_needs_a_log_in(world: ThreadedWorld) -> None:
    with smtplib.SMTP("127.0.0.1", world.port("submission")) as client:
        client.starttls(context=world.tls())
        client.ehlo()
        assert client.mail(ADA)[0] == 530


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_both_mechanisms_log_in(world: ThreadedWorld, mechanism: str) -> None:
    with smtplib.SMTP("127.0.0.1", world.port("submission")) as client:
        client.starttls(context=world.tls())
        client.ehlo()
        client.user, client.password = ADA, PASSWORD
        method = client.auth_plain if mechanism == "PLAIN" else client.auth_login
        assert client.auth(mechanism, method)[0] == 235


@pytest.mark.parametrize("login", [ADA, "nobody@demo.test", "ADA@nowhere.test", ""])
def test_a_wrong_password_and_an_unknown_user_hear_the_same(world: ThreadedWorld, login: str) -> None:
    with smtplib.SMTP("127.0.0.1", world.port("submission")) as client:
        client.starttls(context=world.tls())
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(login, "wrong")
    assert refused.value.args == (535, b"5.7.8 name or password is wrong")


def test_who_is_suspended_cannot_log_in(world: ThreadedWorld) -> None:
    from postroad.directory.accounts import suspend_account

    world.change(lambda tx: suspend_account(tx, ADA, True, who="test"))
    with pytest.raises(smtplib.SMTPAuthenticationError), submission(world):
        pass


def test_what_is_missing_is_added(world: ThreadedWorld) -> None:
    submit(world, mail(), BOB)
    (message,) = world.mailbox(BOB).messages()
    assert len(message.headers("Date")) == 1
    (message_id,) = message.headers("Message-ID")
    assert message_id.endswith("@mx.world.test>")


def test_what_is_there_is_left_alone(world: ThreadedWorld) -> None:
    date, identity = "Fri, 02 Jan 2026 03:04:05 +0100", "<1@client.test>"
    submit(world, mail(more=f"Date: {date}\r\nMessage-ID: {identity}\r\n".encode()), BOB)
    (message,) = world.mailbox(BOB).messages()
    assert message.headers("Date") == [date]
    assert message.headers("Message-ID") == [identity]


@pytest.mark.parametrize(
    "field",
    [
        b"Bcc: carol@demo.test\r\n",
        b"BCC:carol@demo.test\r\n",
        b"bcc : Carol\r\n <carol@demo.test>,\r\n\tdave@demo.test\r\n",
        b"Bcc: carol@demo.test\r\nBcc: carol@demo.test\r\n",
        b"Bcc:\r\n carol@demo.test\r\n",
        b"Resent-Bcc: carol@demo.test\r\n",
    ],
)
def test_nobody_sees_who_was_in_bcc(world: ThreadedWorld, field: bytes) -> None:
    elsewhere = world.remote("elsewhere.test")
    submit(world, mail(more=field + b"X-Last: 1\r\n"), BOB, "eve@elsewhere.test")
    world.settle()
    (here,) = world.mailbox(BOB).messages()
    for octets in (here.octets, elsewhere.messages[0].body):
        # The name of a field: the letters alone may stand in a random id.
        assert not re.search(rb"(?mi)^[a-z-]*bcc[ \t]*:", octets)
        assert b"carol" not in octets.lower()
        assert b"\r\nX-Last: 1\r\n\r\nHello.\r\n" in octets


@pytest.mark.parametrize(
    "sender",
    [BOB, "nobody@demo.test", "ada@elsewhere.test", "ada@demo.test.evil.test", '"ada@demo.test"@x.test'],
)
def test_the_sender_has_to_be_ones_own(world: ThreadedWorld, sender: str) -> None:
    with submission(world) as client:
        code, words = client.mail(sender)
    assert (code, words) == (550, b"5.7.1 sender address is not yours to use")


@pytest.mark.parametrize(
    "header",
    [
        b"From: Bob <bob@demo.test>\r\n",
        b"From: ada@demo.test, bob@demo.test\r\n",
        b'From: "ada@demo.test" <bob@demo.test>\r\n',
        b"From: <ada@demo.test> <bob@demo.test>\r\n",
        b"From: ada@demo.test (x) , eve@elsewhere.test\r\n",
        b"From: friends: bob@demo.test;\r\n",
        b"From: ada@demo.test\r\nSender: bob@demo.test\r\n",
        b"From: ada@demo.test\r\nFrom: bob@demo.test\r\n",
        b"From: ada@demo.test\r\nfrom : bob@demo.test\r\n",
        b"From:\r\n\tbob@demo.test\r\n",
        b"From: =?utf-8?q?ada=40demo=2Etest?= <bob@demo.test>\r\n",
    ],
)
def test_the_author_has_to_be_oneself(world: ThreadedWorld, header: bytes) -> None:
    with submission(world) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(ADA, [BOB], header + b"Subject: x\r\n\r\nHello.\r\n")
    assert refused.value.smtp_code == 550
    assert subjects(world, BOB) == []


def test_aliases_and_subaddresses_are_ones_own(world: ThreadedWorld) -> None:
    world.add_alias("info@demo.test", ADA, BOB)
    for sender in ("info@demo.test", "ada+shop@demo.test", "ADA@demo.test"):
        with submission(world) as client:
            client.sendmail(sender, [BOB], mail(sender, sender=sender))
    assert len(subjects(world, BOB)) == 3


def test_an_empty_header_gets_a_from(world: ThreadedWorld) -> None:
    submit(world, b"\r\nno header\r\n", BOB)
    (message,) = world.mailbox(BOB).messages()
    assert message.headers("From") == [ADA]
    assert message.body == b"no header\r\n"


def test_unknown_recipients_here_are_refused_at_once(world: ThreadedWorld) -> None:
    with submission(world) as client:
        client.mail(ADA)
        assert client.rcpt("nobody@demo.test") == (550, b"5.1.1 no such user here")
        assert client.rcpt(BOB)[0] == 250


def test_a_message_over_the_limit_is_refused_before_it_is_sent(world: ThreadedWorld) -> None:
    with submission(world) as client:
        assert client.mail(ADA, ["SIZE=52428801"])[0] == 552
        assert client.mail(ADA, ["SIZE=52428800"])[0] == 250


def test_received_says_how_it_came_and_not_more(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    submit(world, mail(), "eve@elsewhere.test", "mallory@elsewhere.test")
    world.settle()
    head = elsewhere.messages[0].body.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("Received: from ")
    assert " with ESMTPSA (TLSv1.3 " in head
    # Nobody learns of the others (RFC 5321 §7.2), nor of the log-in.
    assert "\tfor <" not in head
    assert "Return-Path" not in head
    assert "Delivered-To" not in head
