"""What an account may send: exact counts, a clear refusal, an alert."""

import smtplib
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest

from postroad.config.limits import Limits
from postroad.directory.send_limits import KNOWN_SECONDS, Own, forget_sent, set_limits
from postroad.testing import ThreadedWorld
from tests.world.clients import mail, submission, submit
from tests.world.conftest import ADA, BOB, no_bugs, peopled

LOW = Limits(
    send_messages_hour=3,
    send_messages_day=5,
    send_recipients_hour=2,
    send_recipients_day=4,
    auth_delay=0,
)


@pytest.fixture
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    with no_bugs() as entries:
        yield entries


@pytest.fixture
def world(logs: list[MutableMapping[str, Any]]) -> Iterator[ThreadedWorld]:
    with ThreadedWorld(limits=LOW) as world:
        yield peopled(world)


def refusal(world: ThreadedWorld, *recipients: str, sender: str = ADA) -> str:
    """What the server says to one message too many."""
    with submission(world, sender) as client, pytest.raises(smtplib.SMTPDataError) as caught:
        client.sendmail(sender, recipients, mail(sender=sender))
    assert caught.value.smtp_code == 452
    said = caught.value.smtp_error
    return said if isinstance(said, str) else said.decode()


def test_messages_within_an_hour(world: ThreadedWorld, logs: list[MutableMapping[str, Any]]) -> None:
    for _ in range(3):
        submit(world, mail(), BOB)
    said = "4.7.1 this account may send 3 messages within an hour; try again later"
    assert refusal(world, BOB) == said
    submit(world, mail(sender=BOB), ADA, sender=BOB)  # another account has its own count
    (alert,) = [entry for entry in logs if entry["event"] == "submission.over_limit"]
    assert (alert["account"], alert["log_level"]) == (ADA, "warning")
    assert len(world.mailbox(BOB).messages()) == 3
    world.advance(minutes=71)
    submit(world, mail(), BOB)


def test_the_postmaster_is_told_once_a_day(world: ThreadedWorld) -> None:
    world.add_account("post@demo.test")
    world.add_alias("postmaster@demo.test", "post@demo.test")
    for _ in range(3):
        submit(world, mail(), BOB)
    for _ in range(2):
        refusal(world, BOB)
    (told,) = world.mailbox("post@demo.test").messages()
    text = told.octets.decode().replace("=\r\n", "")
    assert "Subject: ada@demo.test is sending more than it may" in text
    assert "over the limit on messages within an hour: 4 of 3" in text
    assert "postroad account suspend ada@demo.test" in text
    assert "Auto-Submitted: auto-generated" in text
    world.advance(hours=25)
    for _ in range(3):
        submit(world, mail(), BOB)
    refusal(world, BOB)
    assert len(world.mailbox("post@demo.test").messages()) == 2


def test_messages_within_a_day(world: ThreadedWorld) -> None:
    for _ in range(2):
        for _ in range(2):
            submit(world, mail(), BOB)
        world.advance(minutes=71)
    submit(world, mail(), BOB)
    assert "5 messages within a day" in refusal(world, BOB)
    world.advance(hours=25)
    submit(world, mail(), BOB)


def test_people_who_are_new(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test")
    submit(world, mail(), "a@elsewhere.test", "b@elsewhere.test")
    submit(world, mail(), "a@elsewhere.test", "b@elsewhere.test", BOB)  # neither is new any more
    assert "2 new recipients within an hour" in refusal(world, "a@elsewhere.test", "c@elsewhere.test")
    world.advance(minutes=71)
    submit(world, mail(), "c@elsewhere.test", "d@elsewhere.test")
    world.advance(minutes=71)
    assert "4 new recipients within a day" in refusal(world, "e@elsewhere.test")


def test_one_message_to_too_many_is_refused_whole(world: ThreadedWorld) -> None:
    assert "2 new recipients" in refusal(world, *(f"n{n}@elsewhere.test" for n in range(3)))
    assert world.queue() == []
    submit(world, mail(), "n0@elsewhere.test")


def test_an_account_may_have_limits_of_its_own(world: ThreadedWorld) -> None:
    world.change(lambda tx: set_limits(tx, ADA, Own(messages_hour=1, messages_day=0), who="test"))
    submit(world, mail(), BOB)
    assert "1 messages within an hour" in refusal(world, BOB)
    world.change(lambda tx: set_limits(tx, ADA, Own(messages_hour=0), who="test"))
    for _ in range(4):
        submit(world, mail(), BOB)
    assert "5 messages within a day" in refusal(world, BOB)
    world.change(lambda tx: set_limits(tx, ADA, Own(), who="test"))
    assert "3 messages within an hour" in refusal(world, BOB)


def test_what_was_long_ago_is_forgotten(world: ThreadedWorld) -> None:
    submit(world, mail(), "a@elsewhere.test")
    world.change(lambda tx: tx.run("UPDATE sent_to SET at = at - ?", KNOWN_SECONDS + 10))
    world.change(lambda tx: tx.run("UPDATE sent_count SET slot = slot - 145"))
    world.change(forget_sent)
    assert world.read(lambda reader: reader.value("SELECT count(*) FROM sent_to")) == 0
    assert world.read(lambda reader: reader.value("SELECT count(*) FROM sent_count")) == 0


def test_nothing_is_counted_where_there_is_no_limit() -> None:
    with ThreadedWorld() as world:
        submit(peopled(world), mail(), BOB)
        assert world.read(lambda reader: reader.value("SELECT count(*) FROM sent_count")) == 0
