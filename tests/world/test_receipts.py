"""Receipts for mail that is delivered here, to those who asked for one (RFC 3461 §5.2)."""

import email

import pytest

from postroad.testing import ThreadedWorld
from tests.world.clients import mail, subjects, submission
from tests.world.conftest import ADA, BOB

EVE = "eve@elsewhere.test"


def send(world: ThreadedWorld, recipient: str, *options: str) -> None:
    """Submit one message with DSN parameters of RCPT."""
    with submission(world) as client:
        assert "dsn" in client.esmtp_features
        client.sendmail(ADA, [recipient], mail("hello"), ["ENVID=QQ+2B1"], list(options))
    world.settle()


def fields_of(octets: bytes) -> dict[str, str]:
    """What the machine-readable part of a notice says."""
    status = next(
        part
        for part in email.message_from_bytes(octets).walk()
        if part.get_content_type() == "message/delivery-status"
    )
    return {name: value for group in status.walk() for name, value in group.items()}


def test_who_asks_is_told_of_delivery(world: ThreadedWorld) -> None:
    send(world, BOB, "NOTIFY=SUCCESS", "ORCPT=rfc822;bob+2Bx@demo.test")
    (receipt,) = world.mailbox(ADA).messages()
    assert receipt.subject == "Delivered: hello"
    assert receipt.headers("Return-Path") == ["<>"]
    fields = fields_of(receipt.octets)
    assert fields["Action"] == "delivered"
    assert fields["Status"].startswith("2.")
    assert fields["Final-Recipient"] == f"rfc822; {BOB}"
    assert fields["Original-Recipient"] == "rfc822; bob+x@demo.test"
    assert fields["Original-Envelope-Id"] == "QQ+1"
    assert subjects(world, BOB) == ["hello"]


@pytest.mark.parametrize("options", [[], ["NOTIFY=NEVER"], ["NOTIFY=FAILURE,DELAY"]])
def test_who_does_not_ask_is_not_told(world: ThreadedWorld, options: list[str]) -> None:
    send(world, BOB, *options)
    assert subjects(world, ADA) == []
    assert subjects(world, BOB) == ["hello"]


def test_an_alias_of_one_address_leaves_it_to_the_server_there(world: ThreadedWorld) -> None:
    world.add_alias("away@demo.test", EVE)
    elsewhere = world.remote("elsewhere.test")
    send(world, "away@demo.test", "NOTIFY=SUCCESS,FAILURE")
    (taken,) = elsewhere.messages
    assert "SUCCESS" in taken.rcpts[0]
    assert subjects(world, ADA) == []


@pytest.mark.parametrize(("asked", "passed"), [("SUCCESS,FAILURE", "FAILURE"), ("SUCCESS", "NEVER")])
def test_an_alias_of_several_is_confirmed_once(world: ThreadedWorld, asked: str, passed: str) -> None:
    world.add_alias("team@demo.test", BOB, EVE)
    elsewhere = world.remote("elsewhere.test")
    send(world, "team@demo.test", f"NOTIFY={asked}")
    (taken,) = elsewhere.messages
    assert f"NOTIFY={passed}" in taken.rcpts[0]
    (receipt,) = world.mailbox(ADA).messages()
    assert fields_of(receipt.octets)["Action"] == "expanded"


def test_a_full_mailbox_loses_the_receipt_and_not_the_message(world: ThreadedWorld) -> None:
    world.add_account("full@demo.test", quota_messages=0)
    with submission(world, "full@demo.test") as client:
        sent = mail("hello", sender="full@demo.test")
        client.sendmail("full@demo.test", [BOB], sent, rcpt_options=["NOTIFY=SUCCESS"])
    world.settle()
    assert subjects(world, "full@demo.test") == []
    assert subjects(world, BOB) == ["hello"]
