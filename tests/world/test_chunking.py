"""Servers that offer CHUNKING, and those that had better not (RFC 3030)."""

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.remote import CHUNKING, Drop, RemoteServer
from tests.world.clients import mail, subjects, submit
from tests.world.conftest import ADA, no_bugs, peopled

EVE = "eve@elsewhere.test"


@pytest.fixture
def elsewhere(world: ThreadedWorld) -> RemoteServer:
    """The server of elsewhere.test, which takes chunks."""
    remote = world.remote("elsewhere.test")
    remote.extensions = list(CHUNKING)
    return remote


def send(world: ThreadedWorld, subject: str) -> None:
    """Submit a message and see it tried."""
    submit(world, mail(subject), EVE)
    world.settle()


def test_a_message_goes_by_bdat(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    send(world, "chunk")
    assert len(elsewhere.said("BDAT")) == 1
    assert elsewhere.said("DATA") == []
    assert elsewhere.messages[0].body.endswith(b"Hello.\r\n")


def test_who_does_not_know_bdat_gets_data_at_once_and_later_too() -> None:
    with no_bugs(), ThreadedWorld(workers=1) as world:
        peopled(world)
        elsewhere = world.remote("elsewhere.test")
        elsewhere.extensions = list(CHUNKING)
        elsewhere.answer("BDAT", "502 5.5.1 not implemented", times=1)
        send(world, "first")
        elsewhere.answer("MAIL", Drop(), times=1)  # so that each has a connection of its own
        send(world, "second")
        assert len(elsewhere.messages) == 2
        assert (len(elsewhere.said("BDAT")), len(elsewhere.said("DATA"))) == (1, 2)
        world.advance(hours=25)
        elsewhere.answer("MAIL", Drop(), times=1)
        send(world, "third")
        assert (len(elsewhere.said("BDAT")), len(elsewhere.said("DATA"))) == (2, 2)


def test_a_connection_that_breaks_over_bdat_means_data_the_next_time(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    elsewhere.answer("BDAT", Drop(), times=1)
    send(world, "uncertain")
    assert [r.attempts for queued in world.queue() for r in queued.recipients] == [1]
    world.advance(minutes=6)
    assert len(elsewhere.messages) == 1
    assert (len(elsewhere.said("BDAT")), len(elsewhere.said("DATA"))) == (1, 1)


def test_a_host_that_breaks_off_does_not_keep_the_next_one_from_its_turn(
    world: ThreadedWorld, elsewhere: RemoteServer
) -> None:
    # Over BDAT nobody can know whether the first one has it; over DATA it is sure that it has not.
    backup = world.remote("elsewhere.test", host="backup.elsewhere.test", preference=20)
    elsewhere.answer("MAIL", Drop())
    send(world, "detour")
    assert backup.messages == []
    world.advance(minutes=6)
    assert len(backup.messages) == 1


def test_what_is_refused_by_bdat_comes_back(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    elsewhere.answer("BDAT", "554 5.7.1 no")
    send(world, "spam")
    assert subjects(world, ADA) == ["Undelivered: spam"]
    assert elsewhere.said("DATA") == []
