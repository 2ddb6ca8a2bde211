"""`postroad trace` and `postroad status` over trails in a database."""

import json

import pytest

from postroad.cli.database import open_store
from postroad.cli.here import Here
from postroad.trail.note import Note
from postroad.trail.record import begin
from tests.unit.cli.conftest import Shell


@pytest.fixture
def traced(populated: Shell) -> Shell:
    """Two messages that came in."""
    with open_store(Here()) as database:
        for number, subject in enumerate(["Hello", "evil\x1b[2J\r\nnews"]):
            database.write(
                lambda tx, n=number, s=subject: begin(  # type: ignore[misc]  # no type for a default
                    tx,
                    kind="in",
                    sender="bob@elsewhere.test",
                    recipients=["ada@example.org"],
                    message_id=f"m{n}@elsewhere.test",
                    subject=s,
                    notes=[
                        Note("received", {"address": "192.0.2.1", "helo": "mx.elsewhere.test", "size": 100}),
                        Note("filed", {"account": "ada@example.org", "mailbox": "INBOX", "uid": n + 1}),
                        Note("queued", {"queue": f"Q00000{n}", "recipients": ["eve@elsewhere.test"]}),
                    ],
                )
            )
    return populated


@pytest.mark.parametrize("what", ["ada@example.org", "ADA@example.org", "bob@elsewhere.test"])
def test_by_address_the_latest_last(traced: Shell, what: str) -> None:
    out = traced.ok("trace", what)
    assert out.index('"Hello"') < out.index('"evil')
    assert out.count("  → in the mailbox of ada@example.org") == 2


@pytest.mark.parametrize("what", ["<m0@elsewhere.test>", "m0@elsewhere.test", "Q000000", "t000001"])
def test_by_message_id_queue_id_and_id(traced: Shell, what: str) -> None:
    (found,) = json.loads(traced.ok("trace", what, "--json"))
    assert (found["id"], found["subject"]) == ("T000001", "Hello")
    assert found["story"][0] == "from mx.elsewhere.test 192.0.2.1, in clear, 100 B"


def test_by_time(traced: Shell) -> None:
    assert len(json.loads(traced.ok("trace", "--since", "1h", "--json"))) == 2
    assert "latest 1 are shown" in traced.ok("trace", "--since", "1h", "--limit", "1")
    ran = traced("trace", "--since", "yesterday")
    assert ran.status == 2
    assert "is not a duration" in ran.err


def test_nothing_found_is_said(traced: Shell) -> None:
    ran = traced("trace", "nobody@example.org")
    assert (ran.status, ran.out) == (1, "Nothing is known of nobody@example.org in the last 30 days.\n")


def test_what_strangers_write_does_not_reach_the_terminal(traced: Shell) -> None:
    out = traced.ok("trace", "ada@example.org")
    assert "\x1b" not in out
    assert "\r" not in out


def test_the_status_of_a_server_that_does_not_run(traced: Shell) -> None:
    ran = traced("status")
    assert ran.status == 3
    assert "does not run" in ran.out
    assert "2 in 1 domain, 0 messages" in ran.out
    assert "2 received, 0 submitted, 0 refused" in ran.out
    assert json.loads(traced("status", "--json").out)["running"] is False


@pytest.mark.parametrize(
    "words", [("reload",), ("stop",), ("send", "--to", "ada@example.org", "--subject", "x")]
)
def test_what_needs_a_server_says_so_with_status_3(populated: Shell, words: tuple[str, ...]) -> None:
    ran = populated(*words)
    assert ran.status == 3
    assert "no server runs on" in ran.err
