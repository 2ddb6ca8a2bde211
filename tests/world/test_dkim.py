"""Mail of our domains is signed once the DNS shows the keys, and not before (RFC 6376 §5)."""

import pytest

from postroad.directory.dkim_keys import keys
from postroad.mailauth.dkim.result import Result
from postroad.testing import ThreadedWorld
from postroad.trail.sentences import tell
from tests.world.clients import mail, submission, submit
from tests.world.conftest import ADA, BOB
from tests.world.signing import judged, make_keys, publish

EVE = "eve@elsewhere.test"


@pytest.fixture
def keyed(world: ThreadedWorld) -> ThreadedWorld:
    """With keys of demo.test that the DNS does not show yet."""
    make_keys(world, "demo.test")
    return world


def test_nothing_is_signed_before_the_dns_shows_the_keys(keyed: ThreadedWorld) -> None:
    elsewhere = keyed.remote("elsewhere.test")
    keyed.advance(minutes=31)
    submit(keyed, mail(), EVE)
    keyed.settle()
    [taken] = elsewhere.messages
    assert b"DKIM-Signature" not in taken.body
    assert [key.state for key in keyed.read(keys)] == ["waiting", "waiting"]


def test_both_keys_sign_once_the_dns_shows_them(keyed: ThreadedWorld) -> None:
    elsewhere = keyed.remote("elsewhere.test")
    publish(keyed)
    submit(keyed, mail(), EVE, BOB)
    keyed.settle()
    [taken] = elsewhere.messages
    [local] = keyed.mailbox(BOB).messages()
    for octets in (taken.body, local.octets):
        results = judged(keyed, octets).results
        assert [one.algorithm for one in results] == ["rsa-sha256", "ed25519-sha256"]
        assert all(one.result is Result.PASS and one.domain == "demo.test" for one in results)
    words = {line.label: line.text for line in tell(keyed.trail()[0], str).lines}
    assert words["signed"].startswith("as demo.test, with r")
    assert words["signed"].endswith("(ed25519)")
    # Date, Message-ID and what else we added is signed too; Received stands above.
    assert taken.body.startswith(b"Received:")
    assert b"\r\nDate:" in taken.body.partition(b"DKIM-Signature")[2]


def test_a_held_message_is_still_signed_when_it_goes(keyed: ThreadedWorld) -> None:
    elsewhere = keyed.remote("elsewhere.test")
    publish(keyed)
    with submission(keyed) as client:
        client.sendmail(ADA, [EVE, BOB], mail(), [f"HOLDFOR={20 * 86400}"])
    keyed.advance(days=20, minutes=5)
    [taken] = elsewhere.messages
    [local] = keyed.mailbox(BOB).messages()
    for octets in (taken.body, local.octets):
        assert [one.result for one in judged(keyed, octets).results] == [Result.PASS] * 2
    keyed.advance(days=10)
    assert Result.PASS not in [one.result for one in judged(keyed, taken.body).results]


def test_a_large_message_is_signed(keyed: ThreadedWorld) -> None:
    elsewhere = keyed.remote("elsewhere.test")
    publish(keyed)
    submit(keyed, mail() + b"A line  of text. \r\n" * 40_000, EVE)
    keyed.settle()
    assert judged(keyed, elsewhere.messages[0].body).vouching == ("demo.test",)


def test_notices_are_signed_by_the_domain_of_the_server(keyed: ThreadedWorld) -> None:
    keyed.add_domain("world.test")
    make_keys(keyed, "world.test")
    publish(keyed)
    keyed.remote("elsewhere.test").answer("RCPT", "550 5.1.1 no", to="@elsewhere.test")
    submit(keyed, mail(), EVE)
    keyed.settle()
    [notice] = keyed.mailbox(ADA).messages()
    assert notice.subject == "Undelivered: Hello"
    assert judged(keyed, notice.octets).vouching == ("world.test",)


def test_what_others_send_is_not_signed(keyed: ThreadedWorld) -> None:
    publish(keyed)
    keyed.deliver(BOB, sender=EVE)
    [taken] = keyed.mailbox(BOB).messages()
    assert b"DKIM-Signature" not in taken.octets
