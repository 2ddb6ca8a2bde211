"""LMTP: mail that a server of ours hands over, over loopback (RFC 2033)."""

import smtplib
from collections.abc import Iterator

import pytest

from postroad.config.limits import Limits
from postroad.config.settings import Listener
from postroad.testing import ThreadedWorld
from postroad.testing.world import HOSTNAME
from tests.world.clients import PATIENCE, Raw, mail, subjects
from tests.world.conftest import ADA, BOB, no_bugs

EVE = "eve@elsewhere.test"
LOOK_ALIKES = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\0\n.\r\n"]


@pytest.fixture
def world() -> Iterator[ThreadedWorld]:
    """With an LMTP listener, and carl@, who has room for nothing more."""
    listeners = {"lmtp": Listener(role="lmtp", address="127.0.0.1:0", tls="none")}
    # Counted like any other, which those on the machine itself are not by default.
    limits = Limits(uncounted_addresses=())
    with no_bugs(), ThreadedWorld(listeners=listeners, limits=limits) as world:
        world.add_account(ADA)
        world.add_account(BOB)
        world.add_account("carl@demo.test", quota_bytes=1200)
        yield world


def lmtp(world: ThreadedWorld) -> smtplib.LMTP:
    return smtplib.LMTP("127.0.0.1", world.port("lmtp"), timeout=PATIENCE)


def test_python_hands_mail_over(world: ThreadedWorld) -> None:
    with lmtp(world) as client:
        # One recipient at a time: smtplib reads one reply, however many there are.
        assert client.sendmail(EVE, [ADA], mail("one")) == {}
        assert client.sendmail(EVE, [BOB], mail("two")) == {}
    assert subjects(world, ADA) == ["one"]
    assert subjects(world, BOB) == ["two"]
    (message,) = world.mailbox(ADA).messages()
    assert f"by {HOSTNAME} with LMTP id" in message.headers("Received")[0]
    assert message.headers("Return-Path") == [f"<{EVE}>"]


def test_one_full_mailbox_does_not_keep_it_from_the_others(world: ThreadedWorld) -> None:
    large = mail("large", more=b"X: " + b"x" * 1500 + b"\r\n")
    with Raw(world.port("lmtp")) as client:
        client.reply()
        for line in (b"LHLO mx.test", b"MAIL FROM:<eve@elsewhere.test>"):
            client.say(line)
        for name in (b"ada", b"carl", b"bob"):
            assert client.say(b"RCPT TO:<%b@demo.test>" % name).startswith(b"250")
        client.say(b"DATA")
        client.send(large + b".\r\n")
        assert [client.reply()[:3] for _ in range(3)] == [b"250", b"452", b"250"]
    assert subjects(world, ADA) == subjects(world, BOB) == ["large"]
    assert subjects(world, "carl@demo.test") == []


def test_a_server_of_ours_is_no_harvester(world: ThreadedWorld) -> None:
    """Many senders ask through it for people who are not there."""
    with Raw(world.port("lmtp")) as client:
        client.reply()
        for line in (b"LHLO mx.test", b"MAIL FROM:<eve@elsewhere.test>"):
            client.say(line)
        for number in range(Limits().unknown_recipients_day + 1):
            assert client.say(b"RCPT TO:<nobody%d@demo.test>" % number).startswith(b"550 5.1.1 ")
        assert client.say(b"RCPT TO:<ada@demo.test>").startswith(b"250 ")


def test_nothing_is_relayed(world: ThreadedWorld) -> None:
    with lmtp(world) as client:
        client.ehlo()
        client.mail(ADA)
        assert client.rcpt("carol@elsewhere.test")[0] == 550


def test_unknown_recipients_do_not_end_the_session(world: ThreadedWorld) -> None:
    with lmtp(world) as client:
        client.ehlo()
        client.mail(EVE)
        assert {client.rcpt(f"nobody{n}@demo.test")[0] for n in range(60)} == {550}
        assert client.rcpt(ADA)[0] == 250


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\0\r\n.\n"], ids=repr
)
def test_look_alikes_of_the_end_smuggle_nothing(world: ThreadedWorld, end: bytes) -> None:
    evil = (
        b"MAIL FROM:<ceo@demo.test>\r\nRCPT TO:<ada@demo.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
    )
    for verb in (b"DATA", b"BDAT"):
        with Raw(world.port("lmtp")) as client:
            client.reply()
            for line in (b"LHLO mx.test", b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<bob@demo.test>"):
                assert client.say(line).startswith(b"250")
            body = b"Subject: one\r\n\r\ntext" + end + evil
            if verb == b"DATA":
                client.say(b"DATA")
                client.send(body)
            else:
                client.send(b"BDAT %d LAST\r\n" % len(body) + body)
            assert client.reply().startswith(b"55")
    assert subjects(world, ADA) == subjects(world, BOB) == []
