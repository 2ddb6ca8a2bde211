"""Messages that are to be delivered by a time (RFC 2852)."""

import pytest

from postroad.db.transaction import Transaction
from postroad.queue.verbs import hold
from postroad.testing import ThreadedWorld
from postroad.testing.remote import RemoteServer
from tests.world.clients import exchange, mail, subjects, submission
from tests.world.conftest import ADA, BOB
from tests.world.test_queue import report

EVE = "eve@elsewhere.test"


def send(world: ThreadedWorld, by: str, *recipients: str, rcpt: tuple[str, ...] = ()) -> None:
    """Submit a message with a time."""
    with submission(world) as client:
        assert (
            client.sendmail(ADA, list(recipients or (EVE,)), mail("urgent"), [f"BY={by}"], list(rcpt)) == {}
        )
    world.settle()


@pytest.fixture
def elsewhere(world: ThreadedWorld) -> RemoteServer:
    """A server that goes by such times, with a minute as its least."""
    remote = world.remote("elsewhere.test")
    remote.extensions.append("DELIVERBY 60")
    return remote


def told(world: ThreadedWorld) -> list[str]:
    """What Ada was told."""
    return subjects(world, ADA)


def test_it_is_offered_inside_submission_alone(world: ThreadedWorld) -> None:
    with submission(world) as client:
        client.ehlo()
        assert client.esmtp_features["deliverby"] == "60"
    with exchange(world) as stranger:
        assert "deliverby" not in stranger.esmtp_features


def test_the_next_server_is_told_what_is_left(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("RCPT", "451 4.7.1 later", times=1)
    send(world, "3600;R")
    world.advance(minutes=6)
    assert len(elsewhere.messages) == 1
    first, second = [command.partition(" BY=")[2] for command in elsewhere.said("MAIL")]
    assert first in ("3600;R", "3599;R", "3598;R", "3597;R")
    assert 3000 < int(second.partition(";")[0]) < 3400
    assert told(world) == []


def test_people_here_get_it_at_once(world: ThreadedWorld) -> None:
    send(world, "60;RT", BOB)
    assert subjects(world, BOB) == ["urgent"]
    assert told(world) == []


def test_it_comes_back_when_its_time_is_over(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("RCPT", "451 4.7.1 later")
    send(world, "1800;R")
    world.advance(minutes=29)
    attempts = len(elsewhere.said("RCPT"))
    assert told(world) == []
    world.advance(minutes=2)
    assert told(world) == ["Undelivered: urgent"]
    assert len(elsewhere.said("RCPT")) == attempts  # none behind the time
    text, fields, _ = report(world.mailbox(ADA).messages()[0].octets)
    assert fields["Status"] == "5.4.7"
    assert fields["Action"] == "failed"
    assert "was to be delivered by" in text
    assert "451 4.7.1 later" in text
    assert b"Deliver-By-Date: " in world.mailbox(ADA).messages()[0].octets
    assert world.queue() == []


def test_a_rest_of_the_destination_does_not_keep_it(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("CONNECT", "421 4.3.2 busy")
    send(world, "60;R")
    world.advance(seconds=70)
    assert told(world) == ["Undelivered: urgent"]


def test_what_an_operator_holds_stays(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("RCPT", "451 4.7.1 later")
    send(world, "600;R")
    (queued,) = world.queue()

    def held(tx: Transaction) -> None:
        hold(tx, queued.item.id, who="test")

    world.change(held)
    world.advance(hours=1)
    assert told(world) == []


def test_who_wants_no_notices_gets_none(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("RCPT", "451 4.7.1 later")
    send(world, "600;RT", rcpt=("NOTIFY=NEVER",))
    world.advance(minutes=11)
    assert (told(world), world.queue()) == ([], [])


def test_a_server_without_it_is_not_handed_what_has_to_come_back(world: ThreadedWorld) -> None:
    plain = world.remote("elsewhere.test")
    backup = world.remote("elsewhere.test", host="backup.elsewhere.test", preference=20)
    backup.extensions.append("DELIVERBY")
    send(world, "600;R")
    assert plain.said("MAIL") == []
    assert len(backup.messages) == 1
    # And the one that has been passed over is not taken for silent.
    with submission(world) as client:
        client.sendmail(ADA, [EVE], mail("plain"))
    world.settle()
    assert len(plain.messages) == 1


@pytest.mark.parametrize("extensions", [[], ["DELIVERBY 900"]])
def test_where_nobody_has_it_or_can_it_comes_back_at_once(
    world: ThreadedWorld, extensions: list[str]
) -> None:
    world.remote("elsewhere.test").extensions += extensions
    send(world, "600;R")
    assert told(world) == ["Undelivered: urgent"]
    assert b"Status: 5.4.7" in world.mailbox(ADA).messages()[0].octets


def test_in_mode_n_its_sender_is_told_and_it_goes_on(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("RCPT", "451 4.7.1 later")
    send(world, "1800;N")
    world.advance(minutes=29)
    assert told(world) == []
    world.advance(minutes=2)
    assert told(world) == ["Delayed: urgent"]
    elsewhere.forget_rules()
    world.advance(hours=1)
    assert told(world) == ["Delayed: urgent"]
    (taken,) = elsewhere.messages
    assert " BY=-" in taken.mail
    assert taken.mail.partition(";")[2].startswith("N")


def test_in_mode_n_its_sender_hears_where_the_time_is_lost(world: ThreadedWorld) -> None:
    # RFC 2852 §4.1.4.2
    world.remote("elsewhere.test")
    send(world, "1800;N")
    assert told(world) == ["Delivered: urgent"]
    text, fields, _ = report(world.mailbox(ADA).messages()[0].octets)
    assert fields["Action"] == "relayed"
    assert "does not know of the time" in text
    send(world, "1800;N", rcpt=("NOTIFY=NEVER",))
    assert told(world) == ["Delivered: urgent"]


def test_with_trace_its_sender_hears_of_the_next_server(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    send(world, "1800;RT")
    assert told(world) == ["Delivered: urgent"]
    _, fields, _ = report(world.mailbox(ADA).messages()[0].octets)
    assert fields["Action"] == "relayed"
    assert fields["Remote-MTA"] == "dns; mx.elsewhere.test"
    assert elsewhere.messages[0].mail.endswith(";RT")


def test_what_goes_later_is_to_be_delivered_by_a_time_counted_from_now(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    world.add_alias("team@demo.test", BOB, EVE)
    with submission(world) as client:
        for wanted in (["BY=7200;R", "HOLDFOR=3600"], ["BY=60;N", "HOLDFOR=3600"]):
            assert client.sendmail(ADA, [EVE, "team@demo.test"], mail("later"), wanted) == {}
    world.settle()
    world.advance(minutes=58)
    assert elsewhere.messages == []
    world.advance(minutes=4)
    assert subjects(world, BOB) == ["later"] * 2
    left = sorted(int(command.partition(" BY=")[2].partition(";")[0]) for command in elsewhere.said("MAIL"))
    assert len(left) == 4
    assert all(-3700 <= seconds <= -3480 for seconds in left[:2])  # mode N: it may be over (RFC 2852)
    assert all(3400 < seconds <= 3600 for seconds in left[2:])
    assert told(world) == []


def test_what_is_held_comes_back_at_its_time(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("RCPT", "451 4.7.1 later")
    with submission(world) as client:
        assert client.sendmail(ADA, [EVE], mail("later"), ["BY=5400;R", "HOLDFOR=3600"]) == {}
    world.advance(minutes=89)
    assert told(world) == []
    world.advance(minutes=2)
    (subject,) = told(world)
    assert subject.startswith("Undeliver")


def test_what_would_be_back_before_it_may_go_is_refused(world: ThreadedWorld) -> None:
    with submission(world) as client:
        client.ehlo()
        refused = (501, b"5.5.4 it would have to be back before it may go")
        assert client.mail(ADA, ["BY=600;R", "HOLDFOR=600"]) == refused
        assert client.mail(ADA, ["BY=601;R", "HOLDFOR=600"])[0] == 250
