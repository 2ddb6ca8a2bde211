"""What users want to go first (RFC 6710)."""

from postroad.testing import ThreadedWorld
from postroad.trail.sentences import tell
from tests.unit.queue.queued import put
from tests.world.clients import exchange, mail, submission
from tests.world.conftest import ADA, BOB

EVE = "eve@elsewhere.test"


def send(world: ThreadedWorld, *recipients: str, priority: int | None = None, sender: str = ADA) -> None:
    """Submit one message."""
    with submission(world) as client:
        options = [] if priority is None else [f"MT-PRIORITY={priority}"]
        assert client.sendmail(sender, list(recipients), mail(), options) == {}


def test_it_is_offered_inside_submission_alone(world: ThreadedWorld) -> None:
    with submission(world) as client:
        client.ehlo()
        assert client.esmtp_features["mt-priority"] == "MIXER"
    with exchange(world) as stranger:
        assert "mt-priority" not in stranger.esmtp_features
        assert stranger.mail("x@far.test", ["MT-PRIORITY=-1"])[0] == 555


def test_servers_that_know_of_priorities_are_told(world: ThreadedWorld) -> None:
    knows, does_not = world.remote("elsewhere.test"), world.remote("plain.test")
    knows.extensions.append("MT-PRIORITY MIXER")
    send(world, EVE, "x@plain.test", priority=4)
    world.settle()
    send(world, EVE)
    world.settle()
    assert [taken.mail.partition("MT-PRIORITY")[2] for taken in knows.messages] == ["=4", "=0"]
    assert "MT-PRIORITY" not in does_not.messages[0].mail


def test_aliases_send_it_on_as_it_came(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.extensions.append("MT-PRIORITY")
    world.add_alias("away@demo.test", EVE)
    send(world, "away@demo.test", priority=-4)
    world.settle()
    assert elsewhere.messages[0].mail.endswith(" MT-PRIORITY=-4")


def test_the_trace_and_the_trail_have_it(world: ThreadedWorld) -> None:
    send(world, BOB, priority=-4)
    (message,) = world.mailbox(BOB).messages()
    (received,) = message.headers("Received")
    assert f"for <{BOB}> PRIORITY -4;" in " ".join(received.split())
    assert tell(world.trail()[0], str).lines[0].text.endswith(", priority -4")
    send(world, BOB)
    assert "PRIORITY" not in world.mailbox(BOB).messages()[-1].headers("Received")[0]


def test_notices_go_like_what_they_are_about(world: ThreadedWorld) -> None:
    elsewhere, far = world.remote("elsewhere.test"), world.remote("far.test")
    elsewhere.answer("RCPT", "550 5.1.1 nobody")
    far.extensions.append("MT-PRIORITY")
    world.change(lambda tx: put(tx, EVE, sender="x@far.test", priority=4))
    world.settle()
    assert [taken.mail.partition("MT-PRIORITY")[2] for taken in far.messages] == ["=4"]
