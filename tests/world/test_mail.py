"""From a person's outgoing mail to another's inbox, with the clients that Python has."""

import smtplib

from postroad.testing import ThreadedWorld
from tests.world.clients import exchange, imap, mail, pop3, subjects, submission, submit
from tests.world.conftest import ADA, BOB


def test_mail_between_two_users_is_in_the_inbox_when_it_is_taken(world: ThreadedWorld) -> None:
    submit(world, mail("lunch"), BOB)
    with imap(world, BOB) as client:
        assert client.select() == ("OK", [b"1"])
        _, found = client.search(None, "SUBJECT", "lunch")
        assert found == [b"1"]
        _, parts = client.fetch("1", "(BODY[])")
    assert isinstance(parts[0], tuple)
    assert parts[0][1].endswith(b"Subject: lunch\r\n\r\nHello.\r\n")
    assert world.queue() == []


def test_the_same_octets_come_by_pop3_and_by_imap(world: ThreadedWorld) -> None:
    submit(world, mail("lunch", more=b"X-Odd:  two  spaces \r\n") + b"..\r\n.\xe9\r\n", BOB)
    with pop3(world, BOB) as client:
        assert client.stat()[0] == 1
        by_pop3 = b"\r\n".join(client.retr(1)[1]) + b"\r\n"
    with imap(world, BOB) as session:
        session.select()
        _, parts = session.fetch("1", "(RFC822)")
    assert isinstance(parts[0], tuple)
    assert by_pop3 == parts[0][1]
    assert by_pop3.endswith(b"X-Odd:  two  spaces \r\n\r\nHello.\r\n..\r\n.\xe9\r\n")


def test_mail_from_elsewhere(world: ThreadedWorld) -> None:
    with exchange(world) as client:
        assert (
            client.sendmail("eve@elsewhere.test", [ADA, BOB], mail("news", sender="eve@elsewhere.test")) == {}
        )
    assert subjects(world, ADA) == subjects(world, BOB) == ["news"]


def test_mail_to_elsewhere(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    submit(world, mail("away"), "eve@elsewhere.test")
    world.settle()
    (taken,) = elsewhere.messages
    assert (taken.sender, taken.recipients) == (ADA, ["eve@elsewhere.test"])
    assert taken.tls
    assert b"\r\nSubject: away\r\n" in taken.body
    assert taken.body.endswith(b"\r\n\r\nHello.\r\n")
    assert world.queue() == []


def test_one_message_to_here_and_elsewhere(world: ThreadedWorld) -> None:
    elsewhere, third = world.remote("elsewhere.test"), world.remote("third.test")
    submit(world, mail("all"), BOB, "eve@elsewhere.test", "mallory@elsewhere.test", "carol@third.test")
    world.settle()
    assert subjects(world, BOB) == ["all"]
    assert [taken.recipients for taken in elsewhere.messages] == [
        ["eve@elsewhere.test", "mallory@elsewhere.test"]
    ]
    assert [taken.recipients for taken in third.messages] == [["carol@third.test"]]


def test_several_messages_go_through_one_submission(world: ThreadedWorld) -> None:
    with submission(world) as client:
        for number in range(5):
            client.sendmail(ADA, [BOB], mail(f"number {number}"))
    assert subjects(world, BOB) == [f"number {number}" for number in range(5)]


def test_submission_with_tls_from_the_first_octet(world: ThreadedWorld) -> None:
    with smtplib.SMTP_SSL("127.0.0.1", world.port("submissions"), context=world.tls()) as client:
        client.login(ADA, "correct horse battery")
        client.sendmail(ADA, [BOB], mail())
    assert subjects(world, BOB) == ["Hello"]


def test_eight_bits_and_utf8_arrive_unchanged(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    octets = mail("8 bits") + "grüße, 你好\r\n".encode() + bytes(range(0x80, 0x100)) + b"\r\n"
    with submission(world) as client:
        client.sendmail(ADA, [BOB, "eve@elsewhere.test"], octets, mail_options=["BODY=8BITMIME"])
    world.settle()
    (here,) = world.mailbox(BOB).messages()
    assert here.octets.endswith(octets.partition(b"\r\n")[2])
    assert elsewhere.messages[0].body.endswith(octets.partition(b"\r\n")[2])
    assert "BODY=8BITMIME" in elsewhere.messages[0].mail


def test_mail_is_still_there_after_a_restart(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "451 4.2.1 not yet", times=1)
    submit(world, mail("kept"), BOB, "eve@elsewhere.test")
    world.settle()
    world.run(world.world.stop_workers())
    world.run(world.world.start())
    assert subjects(world, BOB) == ["kept"]
    assert len(world.queue()) == 1
    world.advance(hours=1)
    assert [taken.recipients for taken in elsewhere.messages] == [["eve@elsewhere.test"]]
