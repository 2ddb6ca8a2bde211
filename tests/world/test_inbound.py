"""Mail from other servers: who gets it, and what is written on top of it (RFC 5321 §4.4)."""

import pytest

from postroad.directory import domains
from postroad.directory.accounts import suspend_account
from postroad.testing import ThreadedWorld
from postroad.testing.stranger import NotAccepted
from postroad.testing.world import HOSTNAME
from tests.world.clients import Raw, exchange, mail, subjects
from tests.world.conftest import ADA, BOB

STRANGER = "eve@elsewhere.test"


def recipient_reply(world: ThreadedWorld, address: str) -> tuple[int, bytes]:
    """What RCPT TO is answered with."""
    with exchange(world) as client:
        client.mail(STRANGER)
        return client.rcpt(address)


def test_trace_fields_are_on_top_in_their_order(world: ThreadedWorld) -> None:
    world.deliver("Ada+lists@demo.test", sender=STRANGER)
    (message,) = world.mailbox(ADA).messages()
    lines = message.octets.split(b"\r\n")
    assert lines[0] == b"Return-Path: <eve@elsewhere.test>"
    assert lines[1] == b"Delivered-To: Ada+lists@demo.test"
    assert lines[2].startswith(b"Received: from client.elsewhere.test ([127.0.0.1])")
    received = message.headers("Received")[0]
    assert " by mx.world.test with ESMTP " in received.replace("\t", " ")
    assert " for <Ada+lists@demo.test>; " in received.replace("\t", " ")


def test_each_recipient_gets_a_copy_and_does_not_learn_of_the_others(world: ThreadedWorld) -> None:
    world.deliver(ADA, BOB, sender=STRANGER)
    for address in (ADA, BOB):
        (message,) = world.mailbox(address).messages()
        assert message.headers("Delivered-To") == [address]
        assert " for <" not in message.headers("Received")[0]


def test_the_null_sender_is_written_as_it_came(world: ThreadedWorld) -> None:
    world.deliver(ADA, sender="")
    assert world.mailbox(ADA).messages()[0].headers("Return-Path") == ["<>"]


def test_what_the_client_says_of_itself_cannot_break_the_field(world: ThreadedWorld) -> None:
    with Raw(world.port("smtp")) as client:
        client.reply()
        client.say(b"EHLO evil (by mx.world.test; from nowhere")
        client.say(b"HELO x;y")
        for line in (b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>", b"DATA"):
            client.say(line)
        client.say(mail("odd") + b".")
    for message in world.mailbox(ADA).messages():
        assert "nowhere" not in message.headers("Received")[0]
        assert ";y" not in message.headers("Received")[0]


@pytest.mark.parametrize(
    ("address", "code", "status"),
    [
        ("nobody@demo.test", 550, b"5.1.1"),
        ("ada@elsewhere.test", 550, b"5.7.1"),
        ("ada@sub.demo.test", 550, b"5.7.1"),
    ],
)
def test_who_is_not_here_is_refused_at_rcpt(
    world: ThreadedWorld, address: str, code: int, status: bytes
) -> None:
    assert recipient_reply(world, address)[0] == code
    assert recipient_reply(world, address)[1].startswith(status)


def test_a_suspended_mailbox_is_refused(world: ThreadedWorld) -> None:
    world.change(lambda tx: suspend_account(tx, ADA, True, who="test"))
    code, words = recipient_reply(world, ADA)
    assert (code, words[:5]) == (550, b"5.2.1")


def test_a_full_mailbox_is_refused_for_now(world: ThreadedWorld) -> None:
    world.add_account("full@demo.test", quota_messages=1)
    world.deliver("full@demo.test")
    code, words = recipient_reply(world, "full@demo.test")
    assert (code, words) == (452, b"4.2.2 mailbox full")


def test_a_message_that_does_not_fit_is_refused_for_now(world: ThreadedWorld) -> None:
    world.add_account("small@demo.test", quota_bytes=1000)
    with pytest.raises(NotAccepted, match=r"452 4\.2\.2 "):
        world.deliver("small@demo.test", text="x" * 2000)
    assert subjects(world, "small@demo.test") == []


def test_when_one_of_two_mailboxes_is_full_nobody_gets_it_twice(world: ThreadedWorld) -> None:
    world.add_account("small@demo.test", quota_bytes=1000)
    with pytest.raises(NotAccepted):
        world.deliver(ADA, "small@demo.test", text="x" * 2000)
    assert subjects(world, ADA) == []


def test_an_alias_reaches_all_its_targets_here_and_elsewhere(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    world.add_alias("team@demo.test", ADA, BOB, "carol@elsewhere.test")
    world.deliver("team@demo.test", sender="mallory@third.test", subject="all")
    world.settle()
    for address in (ADA, BOB):
        (message,) = world.mailbox(address).messages()
        assert message.headers("Delivered-To") == ["team@demo.test"]
    (taken,) = elsewhere.messages
    assert (taken.sender, taken.recipients) == ("mallory@third.test", ["carol@elsewhere.test"])
    assert any("ORCPT=rfc822;team@demo.test" in rcpt for rcpt in taken.rcpts)


def test_who_is_reached_in_two_ways_gets_one_copy(world: ThreadedWorld) -> None:
    world.add_alias("team@demo.test", ADA, BOB)
    world.add_alias("all@demo.test", "team@demo.test", ADA)
    world.deliver("all@demo.test", "team@demo.test", ADA)
    assert subjects(world, ADA) == subjects(world, BOB) == ["Hello"]


def test_the_catch_all_gets_what_nobody_else_does(world: ThreadedWorld) -> None:
    world.add_alias("@demo.test", BOB)
    world.deliver("whoever@demo.test", subject="caught")
    world.deliver(ADA, subject="not caught")
    assert subjects(world, BOB) == ["caught"]
    assert world.mailbox(BOB).messages()[0].headers("Delivered-To") == ["whoever@demo.test"]


@pytest.mark.parametrize("name", ["postmaster", "Abuse", "POSTMASTER"])
def test_postmaster_and_abuse_reach_somebody(world: ThreadedWorld, name: str) -> None:
    world.deliver(f"{name}@demo.test", subject=name)
    assert subjects(world, ADA) == [name]


def test_postmaster_without_a_domain_reaches_somebody(world: ThreadedWorld) -> None:
    assert recipient_reply(world, "postmaster")[0] == 250


def test_who_answers_a_notice_reaches_somebody(world: ThreadedWorld) -> None:
    """Notices are from postmaster@ the server's own name, which is no domain here (RFC 5321 §4.5.1)."""
    assert recipient_reply(world, f"postmaster@{HOSTNAME}")[0] == 250
    assert recipient_reply(world, f"ada@{HOSTNAME}") == (550, b"5.7.1 relaying denied")
    world.deliver(f"postmaster@{HOSTNAME}", subject="what was that?")
    assert subjects(world, ADA) == ["what was that?"]


def test_a_domain_has_one_name_in_both_writings(world: ThreadedWorld) -> None:
    world.add_account("jörg@bücher.test")
    world.add_account("info@bücher.test")
    world.deliver("info@xn--bcher-kva.test", subject="A-label")
    with exchange(world) as client:
        client.mail(STRANGER, ["SMTPUTF8"])
        client.rcpt("info@BÜCHER.test")
        assert client.data(mail("U-label"))[0] == 250
        client.mail(STRANGER, ["SMTPUTF8"])
        client.rcpt("jörg@bücher.test")
        assert client.data(mail("both"))[0] == 250
    assert subjects(world, "info@bücher.test") == ["A-label", "U-label"]
    assert subjects(world, "jörg@xn--bcher-kva.test") == ["both"]


def test_a_message_that_has_been_round_too_often_is_refused(world: ThreadedWorld) -> None:
    hop = b"Received: from a.test by b.test; Fri, 02 Jan 2026 03:04:05 +0000\r\n"
    world.deliver(ADA, message=hop * 50 + mail("50 hops"))
    with pytest.raises(NotAccepted, match=r"554 5\.4\.6 too many hops"):
        world.deliver(ADA, message=hop * 51 + mail("51 hops"))
    assert subjects(world, ADA) == ["50 hops"]


def test_two_servers_that_forward_to_each_other_stop_at_the_first_turn(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    world.add_alias("ring@demo.test", "ring@elsewhere.test")
    world.deliver("ring@demo.test", sender="carol@third.test")
    world.settle()
    # The other server sends it back as it came, with a field of its own on top.
    back = b"Received: from mx.world.test by mx.elsewhere.test; Fri, 02 Jan 2026 03:04:05 +0000\r\n"
    with pytest.raises(NotAccepted, match=r"554 5\.4\.6 the message is in a forwarding loop"):
        world.deliver("ring@demo.test", sender="carol@third.test", message=back + elsewhere.messages[0].body)


def test_every_decision_is_in_the_trail(world: ThreadedWorld) -> None:
    world.deliver(ADA, sender=STRANGER, subject="told")
    with pytest.raises(NotAccepted):
        world.deliver("nobody@demo.test", sender=STRANGER)
    world.until(lambda: len(world.trail(STRANGER)) == 2)
    refused, taken = world.trail(STRANGER)
    assert [note.kind for _, note in taken.notes] == ["received", "filed"]
    assert taken.subject == "told"
    assert refused.kind == "refused"
    assert refused.recipients == ("nobody@demo.test",)
    assert "no such user here" in str(refused.notes[0][1].facts["refusals"])


def test_names_of_users_are_not_told_by_other_commands(world: ThreadedWorld) -> None:
    with exchange(world) as client:
        assert client.verify(ADA) == client.verify("nobody@demo.test")
        assert client.expn(ADA) == client.expn("nobody@demo.test")
        assert client.verify(ADA)[0] == client.expn(ADA)[0] == 252


def test_a_session_that_asks_for_many_unknown_people_is_ended(world: ThreadedWorld) -> None:
    with Raw(world.port("smtp")) as client:
        client.reply()
        client.say(b"EHLO probe.test")
        client.say(b"MAIL FROM:<eve@elsewhere.test>")
        for number in range(19):
            assert client.say(b"RCPT TO:<user%d@demo.test>" % number).startswith(b"550 5.1.1 ")
        client.send(b"RCPT TO:<user20@demo.test>\r\nRCPT TO:<ada@demo.test>\r\n")
        assert b"421 4.7.0 too many unknown recipients" in client.rest()


def test_a_full_domain_is_refused_for_now(world: ThreadedWorld) -> None:
    world.add_account("bob@small.test")
    world.add_account("cyd@small.test")
    world.deliver("bob@small.test")
    world.change(
        lambda tx: domains.set_quota(tx, "small.test", who="test", quota_bytes=2000, quota_messages=None)
    )
    with pytest.raises(NotAccepted, match=r"452 4\.2\.2 "):
        world.deliver("cyd@small.test", text="x" * 2000)
    world.change(
        lambda tx: domains.set_quota(tx, "small.test", who="test", quota_bytes=None, quota_messages=1)
    )
    assert recipient_reply(world, "cyd@small.test") == (452, b"4.2.2 mailbox full")
    world.deliver(ADA)
