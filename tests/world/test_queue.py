"""Mail on its way out: tried again, told of, given up (RFC 5321 §4.5.4, RFC 3461, RFC 3464)."""

import email
from email.message import Message
from functools import partial

import pytest

from postroad.directory.accounts import set_quota
from postroad.queue.item import text_id
from postroad.smtp.timeouts import Timeouts
from postroad.testing import ThreadedWorld
from postroad.testing.remote import Drop, Hang
from postroad.trail.sentences import tell
from tests.world.clients import exchange, mail, subjects, submission, submit
from tests.world.conftest import ADA, BOB, peopled

EVE = "eve@elsewhere.test"


def report(octets: bytes) -> tuple[str, Message, Message]:
    """A notice as somebody else's parser sees it: text, fields of the first recipient, what came back."""
    notice = email.message_from_bytes(octets)
    assert notice.get_content_type() == "multipart/report"
    human, status, returned = _parts(notice)
    text = human.get_payload(decode=True)
    assert isinstance(text, bytes)
    return " ".join(text.decode().split()), _parts(status)[1], returned


def _parts(message: Message) -> list[Message]:
    parts = message.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def test_what_is_deferred_is_delivered_at_the_next_attempt(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "451 4.7.1 greylisted, come back", times=1)
    submit(world, mail("later"), EVE)
    world.settle()
    (waiting,) = world.queue()
    (recipient,) = waiting.recipients
    assert recipient.last_words == "451 4.7.1 greylisted, come back"
    assert recipient.attempts == 1
    assert elsewhere.messages == []
    assert 255 <= recipient.due - world.now <= 345  # five minutes, give or take
    world.advance(minutes=4)
    assert elsewhere.messages == []
    world.advance(minutes=2)
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]]
    assert world.queue() == []
    assert subjects(world, ADA) == []


def test_mail_goes_by_ipv6(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test", address="::1")
    submit(world, mail("by six"), EVE)
    world.settle()
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]]
    assert elsewhere.peers == ["::1"]


def test_and_by_ipv4_where_ipv6_leads_nowhere(world: ThreadedWorld) -> None:
    world.resolver.add_address("mx.elsewhere.test", "::1")  # nobody is there
    elsewhere = world.remote("elsewhere.test")
    submit(world, mail("by four"), EVE)
    world.settle()
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]]
    assert world.queue() == []


def test_only_who_was_deferred_is_tried_again(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "452 4.2.2 full", to="mallory@", times=1)
    elsewhere.answer("RCPT", "550 5.1.1 never heard of", to="nobody@")
    submit(world, mail(), EVE, "mallory@elsewhere.test", "nobody@elsewhere.test")
    world.settle()
    world.advance(hours=1)
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE], ["mallory@elsewhere.test"]]
    assert subjects(world, ADA) == ["Undelivered: Hello"]


def test_a_bounce_has_the_words_of_the_remote_server(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("RCPT", "550 5.1.1 <eve@elsewhere.test> moved\nto the moon")
    submit(world, mail("far away"), EVE)
    world.settle()
    (bounce,) = world.mailbox(ADA).messages()
    assert bounce.headers("Return-Path") == ["<>"]
    assert bounce.headers("Auto-Submitted") == ["auto-replied"]
    text, fields, returned = report(bounce.octets)
    assert "could not be delivered" in text
    assert "mx.elsewhere.test said: 550 5.1.1 <eve@elsewhere.test> moved to the moon" in text
    assert fields["Final-Recipient"] == f"rfc822; {EVE}"
    assert fields["Action"] == "failed"
    assert fields["Status"] == "5.1.1"
    assert fields["Remote-MTA"] == "dns; mx.elsewhere.test"
    assert (
        fields["Diagnostic-Code"].replace("\r\n", "").startswith("smtp; 550 5.1.1 <eve@elsewhere.test> moved")
    )
    assert returned.get_content_type() == "message/rfc822"
    assert b"Subject: far away" in bounce.octets
    assert world.queue() == []


def test_one_bounce_tells_of_all_who_failed_at_once(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("RCPT", "550 5.1.1 no", to="@elsewhere.test")
    submit(world, mail(), *(f"nobody{n}@elsewhere.test" for n in range(3)))
    world.settle()
    (bounce,) = world.mailbox(ADA).messages()
    assert bounce.octets.count(b"Final-Recipient:") == 3


def test_the_sender_hears_of_a_delay_once_after_four_hours(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("MAIL", "451 4.3.0 tired")
    submit(world, mail("slow"), EVE)
    world.advance(hours=3, minutes=59)
    assert subjects(world, ADA) == []
    world.advance(minutes=1)
    assert subjects(world, ADA) == ["Delayed: slow"]
    world.advance(days=4)
    assert subjects(world, ADA) == ["Delayed: slow"]
    text, fields, _ = report(world.mailbox(ADA).messages()[0].octets)
    assert "has not been delivered yet" in text
    assert fields["Action"] == "delayed"
    assert fields["Will-Retry-Until"]


def test_after_five_days_it_goes_back(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("MAIL", "451 4.3.0 tired")
    submit(world, mail("slow"), EVE)
    world.advance(days=4, hours=23)
    assert len(world.queue()) == 1
    attempts = len(elsewhere.said("MAIL"))
    assert 25 <= attempts <= 60  # 5 min doubling to 4 h
    world.advance(hours=1)
    assert world.queue() == []
    assert subjects(world, ADA) == ["Delayed: slow", "Undelivered: slow"]
    _, fields, _ = report(world.mailbox(ADA).messages()[1].octets)
    assert (fields["Action"], fields["Status"]) == ("failed", "4.4.7")
    world.advance(days=5)
    assert subjects(world, ADA) == ["Delayed: slow", "Undelivered: slow"]


def test_nobody_is_told_about_mail_from_nobody(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("RCPT", "550 5.1.1 no such user")
    world.add_alias("out@demo.test", EVE)
    world.deliver("out@demo.test", sender="", subject="a bounce")
    world.settle()
    world.advance(days=6)
    assert world.queue() == []
    assert subjects(world, ADA) == subjects(world, BOB) == []
    assert "postmaster" not in str(world.trail(EVE))


def test_a_bounce_to_elsewhere_that_fails_is_the_end_of_it(world: ThreadedWorld) -> None:
    elsewhere, third = world.remote("elsewhere.test"), world.remote("third.test")
    elsewhere.answer("RCPT", "550 5.1.1 no such user")
    third.answer("RCPT", "550 5.1.1 no such user either")
    world.add_alias("out@demo.test", EVE)
    world.deliver("out@demo.test", sender="carol@third.test")
    world.settle()
    assert third.said("MAIL")[0].startswith("MAIL FROM:<>")
    assert world.queue() == []
    world.advance(days=6)
    assert len(third.said("MAIL")) == 1


@pytest.mark.parametrize(
    ("notify", "told"),
    [("NEVER", []), ("DELAY", ["Delayed"]), ("FAILURE", ["Undelivered"]), ("SUCCESS", [])],
)
def test_the_sender_is_told_what_they_asked_for(world: ThreadedWorld, notify: str, told: list[str]) -> None:
    world.remote("elsewhere.test").answer("RCPT", "451 4.3.0 not now")
    with submission(world) as client:
        client.sendmail(ADA, [EVE], mail(), rcpt_options=[f"NOTIFY={notify}"])
    world.advance(days=6)
    assert [subject.partition(":")[0] for subject in subjects(world, ADA)] == told


def test_a_server_without_dsn_is_reported_as_such(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.extensions.remove("DSN")
    with submission(world) as client:
        client.sendmail(ADA, [EVE], mail(), rcpt_options=["NOTIFY=SUCCESS"])
    world.settle()
    text, fields, _ = report(world.mailbox(ADA).messages()[0].octets)
    assert fields["Action"] == "relayed"
    assert "handed on" in text


def test_a_server_with_dsn_gets_what_was_asked_for(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    with submission(world) as client:
        client.sendmail(
            *(ADA, [EVE], mail(), ["RET=HDRS", "ENVID=QQ314159"]),
            rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;eve+2Dx@elsewhere.test"],
        )
    world.settle()
    (taken,) = elsewhere.messages
    assert "RET=HDRS" in taken.mail
    assert "ENVID=QQ314159" in taken.mail
    assert "NOTIFY=FAILURE,SUCCESS" in taken.rcpts[0] or "NOTIFY=SUCCESS,FAILURE" in taken.rcpts[0]
    assert "ORCPT=rfc822;eve+2Dx@elsewhere.test" in taken.rcpts[0]
    assert subjects(world, ADA) == []


def test_only_the_header_comes_back_when_that_was_asked_for(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("RCPT", "550 5.1.1 no")
    with submission(world) as client:
        client.sendmail(ADA, [EVE], mail() + b"secret body\r\n", ["RET=HDRS"])
    world.settle()
    (bounce,) = world.mailbox(ADA).messages()
    assert report(bounce.octets)[2].get_content_type() == "text/rfc822-headers"
    assert b"secret body" not in bounce.octets


def test_a_bounce_that_does_not_fit_is_not_lost_sight_of(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("RCPT", "550 5.1.1 no")
    world.change(partial(set_quota, address=ADA, who="test", quota_bytes=10, quota_messages=None))
    submit(world, mail(), EVE)
    world.settle()
    assert world.queue() == []
    assert subjects(world, ADA) == []
    assert any(note.kind == "notice" and "problem" in note.facts for _, note in world.trail(EVE)[0].notes)


def test_mail_to_many_goes_in_one_transaction_for_each_destination(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    submit(world, mail(), *(f"user{n}@elsewhere.test" for n in range(150)))
    world.settle()
    assert sorted(len(taken.recipients) for taken in elsewhere.messages) == [50, 100]


def test_a_hundred_messages_use_few_connections(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    with submission(world) as client:
        for number in range(100):
            client.sendmail(ADA, [EVE], mail(f"{number}"))
    world.settle()
    assert len(elsewhere.messages) == 100
    assert len({taken.body for taken in elsewhere.messages}) == 100
    assert elsewhere.connections <= 40


def test_the_trail_tells_of_each_attempt_in_the_remotes_words(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "451 4.2.1 busy", times=1)
    submit(world, mail("told"), EVE)
    queue_id = text_id(world.queue()[0].item.id)
    world.advance(hours=1)
    (trail,) = world.trail(queue_id)
    attempts = [note.facts for _, note in trail.notes if note.kind == "attempt"]
    assert [facts["result"] for facts in attempts] == ["deferred", "delivered"]
    assert attempts[0]["reply"] == "451 4.2.1 busy"
    assert attempts[1]["reply"] == "250 2.0.0 taken"
    assert str(attempts[1]["tls"]).startswith("TLSv1.3")
    story = " ".join(line.text for line in tell(trail, str).lines)
    assert "451 4.2.1 busy" in story
    assert "mx.elsewhere.test" in story


def test_a_message_that_is_refused_behind_the_dot_goes_back(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test").answer("END", "550 5.7.1 spam, go away")
    submit(world, mail(), EVE)
    world.settle()
    assert b"550 5.7.1 spam, go away" in world.mailbox(ADA).messages()[0].octets


def test_internationalized_mail_does_not_go_where_it_is_not_understood(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.extensions.remove("SMTPUTF8")
    with submission(world) as client:
        client.ehlo()
        client.mail(ADA, ["SMTPUTF8"])
        client.rcpt("jörg@elsewhere.test")
        assert client.data(mail("grüße").decode().encode())[0] == 250
    world.settle()
    assert elsewhere.messages == []
    (bounce,) = world.mailbox(ADA).messages()
    assert b"5.6.7" in bounce.octets


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "END"])
def test_a_421_in_the_middle_is_tried_again(world: ThreadedWorld, step: str) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer(step, "421 4.3.2 shutting down", times=1)
    submit(world, mail(), EVE)
    world.settle()
    assert len(world.queue()) == 1
    world.advance(hours=1)
    assert len(elsewhere.messages) == 1
    assert world.queue() == []


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "BODY", "END"])
@pytest.mark.parametrize("after", [b"", b"25", b"250-half a reply\r\n"], ids=["nothing", "half", "part"])
def test_a_connection_that_breaks_is_tried_again(world: ThreadedWorld, step: str, after: bytes) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer(step, Drop(after), times=1)
    submit(world, mail(), EVE)
    world.settle()
    world.advance(hours=1)
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]]
    assert world.queue() == []
    assert subjects(world, ADA) == []


def test_an_odd_address_is_written_as_it_was_said(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "550 5.1.1 no")
    submit(world, mail(), '"odd name"@elsewhere.test')
    world.settle()
    assert elsewhere.said("RCPT")[0].startswith('RCPT TO:<"odd name"@elsewhere.test>')
    (bounce,) = world.mailbox(ADA).messages()
    assert report(bounce.octets)[1]["Final-Recipient"] == 'rfc822; "odd name"@elsewhere.test'


def test_mail_that_an_alias_sends_on_keeps_its_sender(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    world.add_alias("out@demo.test", EVE)
    with exchange(world) as client:
        client.sendmail("carol@third.test", ["out@demo.test"], mail("through"))
    world.settle()
    assert elsewhere.messages[0].sender == "carol@third.test"


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "DATA", "BODY", "END"])
def test_a_server_that_falls_silent_is_left_and_tried_again(logs: object, step: str) -> None:
    impatient = Timeouts(connect=1, tls=1, greeting=0.2, command=0.2, data=0.2, block=0.2, end=0.2)
    with ThreadedWorld(timeouts=impatient) as world:
        peopled(world)
        elsewhere = world.remote("elsewhere.test")
        elsewhere.answer(step, Hang(), times=1)
        submit(world, mail(), EVE)
        world.settle()
        assert len(world.queue()) == 1
        world.advance(hours=2)
        assert elsewhere.messages
        assert world.queue() == []


def test_a_server_that_falls_silent_when_tls_is_to_begin_gets_it_in_clear(logs: object) -> None:
    with ThreadedWorld(timeouts=Timeouts(command=0.2)) as world:
        peopled(world)
        elsewhere = world.remote("elsewhere.test")
        elsewhere.answer("STARTTLS", Hang(), times=1)
        submit(world, mail(), EVE)
        world.settle()
        assert [taken.tls for taken in elsewhere.messages] == [False]


def test_a_destination_that_complains_is_left_alone_for_a_while(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    server.answer("CONNECT", "421 4.3.2 too busy", times=1)
    for number in range(3):
        submit(world, mail(f"n{number}"), f"r{number}@elsewhere.test")
    world.settle()
    tried = server.connections
    world.advance(seconds=20)
    assert server.connections == tried
    world.advance(minutes=10)
    assert len(server.messages) == 3
