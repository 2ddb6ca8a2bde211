"""Messages that go at a time that their sender has named (RFC 4865)."""

import smtplib
from datetime import UTC, datetime
from functools import partial

import pytest

from postroad.config.limits import Limits
from postroad.directory.accounts import remove_account, set_quota
from postroad.queue.verbs import cancel, release
from postroad.testing import ThreadedWorld
from postroad.testing.world import HOSTNAME
from postroad.trail.sentences import Story, tell
from tests.world.clients import exchange, mail, subjects, submission
from tests.world.conftest import ADA, BOB, peopled
from tests.world.test_receipts import fields_of

EVE = "eve@elsewhere.test"


def send_later(
    world: ThreadedWorld, *recipients: str, hold: str = "HOLDFOR=3600", rcpt: tuple[str, ...] = ()
) -> None:
    """Submit a message that is held, by default for an hour."""
    with submission(world) as client:
        assert client.sendmail(ADA, list(recipients), mail("later"), [hold], list(rcpt)) == {}
    world.settle()


def story(world: ThreadedWorld, key: str) -> Story:
    """The oldest trail that has the key, told."""
    began = world.trail(key)[-1].at
    return tell(world.trail(key)[-1], lambda at: f"+{at - began:.0f}")


def test_it_is_offered_inside_submission_alone(world: ThreadedWorld) -> None:
    with submission(world) as client:
        client.ehlo()
        seconds, until = client.esmtp_features["futurerelease"].split()
        assert seconds == str(30 * 86400)
        assert datetime.fromisoformat(until).timestamp() == pytest.approx(world.now + 30 * 86400, abs=60)
    with exchange(world) as stranger:
        assert "futurerelease" not in stranger.esmtp_features
        assert stranger.mail("x@far.test", ["HOLDFOR=60"])[0] == 555


def test_nobody_gets_it_before_its_time_and_everybody_then(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    send_later(world, BOB, EVE)
    (waiting,) = world.queue()
    assert {str(r.address) for r in waiting.recipients} == {BOB, EVE}
    assert [r.due for r in waiting.recipients] == [pytest.approx(world.now + 3600, abs=60)] * 2
    world.advance(minutes=58)
    assert (subjects(world, BOB), elsewhere.commands) == ([], [])
    world.advance(minutes=3)
    assert subjects(world, BOB) == ["later"]
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]]
    assert world.queue() == []
    assert subjects(world, ADA) == []
    (message,) = world.mailbox(BOB).messages()
    assert message.headers("Return-Path") == [f"<{ADA}>"]
    assert message.headers("Delivered-To") == [BOB]
    assert len(message.headers("Received")) == 1


def test_until_is_as_good_as_for(world: ThreadedWorld) -> None:
    until = datetime.fromtimestamp(world.now + 7200, UTC)
    send_later(world, BOB, hold=f"HOLDUNTIL={until:%Y-%m-%dT%H:%M:%SZ}")
    world.advance(minutes=119)
    assert subjects(world, BOB) == []
    world.advance(minutes=2)
    assert subjects(world, BOB) == ["later"]


def test_the_trail_says_when_it_goes_and_where_it_went(world: ThreadedWorld) -> None:
    send_later(world, BOB)
    told = story(world, BOB)
    assert f"as Q000001, for {BOB}, to go at +3600" in told.lines[-1].text
    assert told.lines[-1].text.endswith(" as its sender wishes")
    assert told.conclusion.startswith("waiting in the queue, to go at +3600")
    world.advance(hours=2)
    told = story(world, BOB)
    assert told.lines[-1].label == "filed"
    assert told.conclusion == f"in the mailbox of {BOB}"


def test_it_outlives_the_server(world: ThreadedWorld) -> None:
    send_later(world, BOB)
    world.run(world.world.stop_workers())
    world.run(world.world.start())
    world.advance(hours=2)
    assert subjects(world, BOB) == ["later"]


def test_operators_can_let_it_go_and_take_it_out(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    world.add_alias("both@demo.test", BOB, EVE)
    send_later(world, "both@demo.test")
    send_later(world, BOB)
    first, second = (queued.item.id for queued in world.queue())
    world.change(lambda tx: cancel(tx, second, who="root"))
    world.change(lambda tx: release(tx, first, who="root"))
    world.settle()
    assert subjects(world, BOB) == ["later"]
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]], "nothing waits a second time"
    world.advance(hours=2)
    assert subjects(world, BOB) == ["later"]


def test_held_mail_does_not_age(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("RCPT", "451 4.7.1 come back", times=1)
    send_later(world, EVE, hold=f"HOLDFOR={6 * 86400}")
    world.advance(days=6, minutes=2)
    assert subjects(world, ADA) == []
    world.advance(minutes=10)
    assert [taken.recipients for taken in elsewhere.messages] == [[EVE]]


def test_who_is_gone_by_then_makes_a_notice_that_says_what_was_asked_for(world: ThreadedWorld) -> None:
    send_later(world, BOB, ADA)
    world.change(partial(remove_account, address=BOB, who="test"))
    world.advance(hours=2)
    assert sorted(subjects(world, ADA)) == ["Undelivered: later", "later"]
    (notice,) = [m for m in world.mailbox(ADA).messages() if m.subject.startswith("Undelivered")]
    fields = fields_of(notice.octets)
    assert fields["Status"] == "5.1.1"
    assert fields["Final-Recipient"] == f"rfc822; {BOB}"
    assert fields["Future-Release-Request"] == "for;3600"


def test_a_full_mailbox_is_tried_again(world: ThreadedWorld) -> None:
    world.change(lambda tx: set_quota(tx, BOB, who="test", quota_bytes=1, quota_messages=None))
    send_later(world, BOB)
    world.advance(minutes=62)
    ((recipient,),) = [queued.recipients for queued in world.queue()]
    assert recipient.last_words == "452 4.2.2 mailbox full"
    world.change(lambda tx: set_quota(tx, BOB, who="test", quota_bytes=None, quota_messages=None))
    world.advance(minutes=10)
    assert subjects(world, BOB) == ["later"]
    assert subjects(world, ADA) == []


def test_a_receipt_comes_when_it_has_arrived(world: ThreadedWorld) -> None:
    send_later(world, BOB, rcpt=("NOTIFY=SUCCESS",))
    assert subjects(world, ADA) == []
    world.advance(hours=2)
    (receipt,) = world.mailbox(ADA).messages()
    fields = fields_of(receipt.octets)
    assert (fields["Action"], fields["Future-Release-Request"]) == ("delivered", "for;3600")


@pytest.mark.parametrize("postmaster", ["postmaster", f"postmaster@{HOSTNAME}"])
def test_the_servers_postmaster_is_somebody(world: ThreadedWorld, postmaster: str) -> None:
    send_later(world, postmaster)
    world.advance(hours=2)
    assert subjects(world, ADA) == ["later"]


def test_nobody_is_held_longer_than_may_be() -> None:
    with ThreadedWorld(limits=Limits(hold_time=3600)) as world:
        peopled(world)
        send_later(world, BOB, hold="HOLDFOR=3600")
        with submission(world) as client:
            client.ehlo()
            assert client.esmtp_features["futurerelease"].split()[0] == "3600"
            code, said = client.mail(ADA, ["HOLDFOR=3601"])
            assert (code, said[:6]) == (501, b"5.5.4 ")
    with ThreadedWorld(limits=Limits(hold_time=0)) as world:
        peopled(world)
        with submission(world) as client:
            client.ehlo()
            assert "futurerelease" not in client.esmtp_features
            assert client.mail(ADA, ["HOLDFOR=1"])[0] == 555


def test_an_account_has_so_many_held_and_no_more() -> None:
    with ThreadedWorld(limits=Limits(hold_messages=1)) as world:
        peopled(world)
        send_later(world, BOB)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send_later(world, BOB)
        assert refused.value.smtp_code == 554
        assert "5.7.16 " in str(refused.value)
        world.advance(hours=2)
        send_later(world, BOB)
