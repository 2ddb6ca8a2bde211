"""The queue from the command line, without a server: what is queued stays as it is put."""

import json
import time
from typing import Any

import pytest

from postroad.cli.database import open_store
from postroad.cli.here import Here
from postroad.db.transaction import Transaction
from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient, Release
from postroad.queue.item import text_id
from postroad.queue.spool import enqueue
from postroad.store.filing import put_blob
from postroad.store.prepare import prepare_now
from postroad.trail.note import Note
from postroad.trail.record import add, begin
from tests.unit.cli.conftest import Shell


def _submit(tx: Transaction, *recipients: str, release: Release | None = None) -> str:
    prepared = prepare_now(b"Subject: Invoice\r\n\r\nHello\r\n")
    trail_id = begin(tx, kind="out", sender="ada@example.org", recipients=recipients, subject="Invoice")
    item_id = enqueue(
        tx,
        sender=parse_mailbox("ada@example.org"),
        recipients=[Recipient(parse_mailbox(address)) for address in recipients],
        blob=put_blob(tx, prepared, 1),
        prefix=b"",
        size=prepared.size,
        account_id=1,
        trail_id=trail_id,
        ret="",
        envid="",
        body="7BIT",
        smtputf8=False,
        release=release,
    )
    add(tx, trail_id, [Note("queued", {"queue": text_id(item_id), "recipients": list(recipients)})])
    return text_id(item_id)


@pytest.fixture
def queued(populated: Shell) -> Shell:
    """Two messages, one of them to two domains."""
    with open_store(Here()) as database:
        assert database.write(lambda tx: _submit(tx, "lu@client.example")) == "Q000001"
        assert database.write(lambda tx: _submit(tx, "a@one.example", "b@two.example")) == "Q000002"
    return populated


def _item(shell: Shell, item_id: str) -> Any:
    return json.loads(shell.ok("queue", "show", item_id, "--json"))


def test_an_empty_queue_is_said(populated: Shell) -> None:
    assert populated.ok("queue", "list") == "Nothing is waiting.\n"


def test_the_list_names_who_waits(queued: Shell) -> None:
    lines = queued.ok("queue", "list").split("\n")
    assert lines[0].split() == ["ID", "AGE", "FROM", "TO", "TRIES", "NEXT", "WHY"]
    assert lines[1].split()[0] == "Q000001"
    assert "a@one.example +1" in lines[2]
    assert len(json.loads(queued.ok("queue", "list", "--json"))) == 2
    (only,) = json.loads(queued.ok("queue", "list", "--json", "--destination", "Two.example"))
    assert only["id"] == "Q000002"


def test_one_message_is_shown_with_each_recipient(queued: Shell) -> None:
    out = queued.ok("queue", "show", "q000002")
    assert "from   ada@example.org" in out
    assert out.count("state  due now") == 2
    assert [r["address"] for r in _item(queued, "Q000002")["recipients"]] == [
        "a@one.example",
        "b@two.example",
    ]


def test_holding_releasing_and_the_trail_of_it(queued: Shell) -> None:
    assert "Held for 2 recipients." in queued.ok("queue", "hold", "Q000002")
    assert all(r["held"] for r in _item(queued, "Q000002")["recipients"])
    assert "held" in queued.ok("queue", "list")
    assert "held in the queue until it is released" in queued.ok("trace", "Q000002")
    assert queued.ok("queue", "release", "Q000002") == "Released for 2 recipients.\n"
    assert queued.ok("queue", "release", "Q000002") == "Nothing of that was held.\n"


def test_retrying_by_id_by_destination_and_all(queued: Shell) -> None:
    assert queued.ok("queue", "retry", "Q000001", "Q000002") == "Trying 3 recipients now.\n"
    assert queued.ok("queue", "retry", "--destination", "one.example") == "Trying 1 recipient now.\n"
    assert queued.ok("queue", "retry", "--all") == "Trying 3 recipients now.\n"
    assert queued("queue", "retry").status == 2
    assert queued("queue", "retry", "Q000001", "--all").status == 2


def test_cancelling(queued: Shell) -> None:
    assert queued.ok("queue", "cancel", "Q000001") == "Cancelled for lu@client.example.\n"
    ran = queued("queue", "show", "Q000001")
    assert (ran.status, ran.err) == (
        1,
        "postroad: Q000001 is not in the queue any more; see postroad trace Q000001\n",
    )
    assert "cancelled at" in queued.ok("trace", "Q000001")
    assert "the sender is being told" in queued.ok("queue", "cancel", "Q000002", "--bounce")
    assert all(r["cancelled"] for r in _item(queued, "Q000002")["recipients"])


def test_what_is_no_id_is_told(queued: Shell) -> None:
    ran = queued("queue", "show", "T000001")
    assert ran.status == 2
    assert '"T000001" is not an id of the queue' in ran.err


def test_what_is_meant_can_be_said_in_many_ways(queued: Shell) -> None:
    assert queued.ok("queue", "hold", "--destination", "one.example") == "Held for 1 recipient.\n"
    held = {r["address"]: r["held"] for r in _item(queued, "Q000002")["recipients"]}
    assert held == {"a@one.example": True, "b@two.example": False}
    assert queued.ok("queue", "release", "--all") == "Released for 1 recipient.\n"
    assert queued.ok("queue", "hold", "--from", "@nowhere.example") == "Nothing is waiting for that.\n"
    said = queued.ok("queue", "reschedule", "--to", "lu@client.example", "--in", "2 hours")
    assert said.startswith("Trying 1 recipient at ")
    assert "Trying 3 recipients now." in queued.ok("queue", "retry", "--from", "ada@example.org")
    assert "Cancelled for b@two.example." in queued.ok("queue", "cancel", "--destination", "two.example")
    for command in ("hold", "release", "retry", "cancel"):
        assert queued("queue", command).status == 2, "everything has to be asked for in so many words"
        assert queued("queue", command, "--all", "Q000001").status == 2


def test_mail_is_redirected_elsewhere(queued: Shell) -> None:
    said = queued.ok("queue", "redirect", "new@third.example", "Q000002")
    assert said == "Going to new@third.example in place of 2 recipients.\n"
    (one,) = _item(queued, "Q000003")["recipients"]
    assert one["address"] == "new@third.example"
    told = queued.ok("trace", "Q000003")
    assert "redirected" in told
    assert "to new@third.example" in told
    ran = queued("queue", "redirect", "bob@example.org", "Q000003")
    assert (ran.status, "is an address of this server" in ran.err) == (1, True)


def test_what_its_sender_has_put_off_says_so(queued: Shell) -> None:
    later = Release(time.time() + 86400, "for;86400")
    with open_store(Here()) as database:
        database.write(lambda tx: _submit(tx, "x@one.example", release=later))
    assert _item(queued, "Q000003")["release"] == later.at
    assert _item(queued, "Q000001")["release"] is None
    assert "as its sender wishes" in queued.ok("queue", "show", "Q000003")
    assert "Released for 1 recipient." in queued.ok("queue", "release", "Q000003")
    assert "due now" in queued.ok("queue", "show", "Q000003")
