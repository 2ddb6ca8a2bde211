"""Servers that break off anywhere in the dialogue: nothing is lost, nothing comes twice that need not."""

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.remote import CHUNKING, EXTENSIONS, Act, Drop, Raw
from tests.world.clients import mail, subjects, submit
from tests.world.conftest import ADA

EVE = "eve@elsewhere.test"
ACTS: list[Act] = [Drop(), Drop(b"250-half\r\n"), Raw(b"\xffgarbage\r\n"), "421 4.3.2 not now"]
STEPS = ["CONNECT", "EHLO", "STARTTLS", "MAIL", "RCPT", "BODY", "END"]


@pytest.mark.parametrize(
    ("extensions", "steps"),
    [
        (EXTENSIONS, [*STEPS, "DATA", "RSET"]),
        (CHUNKING, [*STEPS[:-1], "BDAT"]),
        ([word for word in EXTENSIONS if word != "PIPELINING"], ["MAIL", "RCPT", "DATA", "END"]),
    ],
    ids=["data", "bdat", "one by one"],
)
def test_what_breaks_off_is_delivered_later_and_once(
    world: ThreadedWorld, extensions: list[str], steps: list[str]
) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.extensions = list(extensions)
    sent = 0
    for step in steps:
        # Who goes on to take a message that it has refused in the middle is beyond knowing.
        for act in ACTS[:2] if step == "BODY" else ACTS:
            elsewhere.forget_rules()
            if step == "RSET":  # needs a connection that is kept from a message which was not taken
                elsewhere.answer("MAIL", "451 4.3.0 later", times=1)
                submit(world, mail("before"), EVE)
                sent += 1
                world.settle()
            elsewhere.answer(step, act, times=1)
            submit(world, mail(f"{step} {act}"), EVE)
            sent += 1
            world.settle()
            world.advance(hours=1)
            assert world.queue() == [], (step, act)
            assert len(elsewhere.messages) == sent, (step, act)
    assert subjects(world, ADA) == []


def test_who_greets_twice_has_taken_nothing(world: ThreadedWorld) -> None:
    elsewhere = world.remote("elsewhere.test")
    elsewhere.answer("CONNECT", Raw(b"220 elsewhere.test\r\n220 elsewhere.test\r\n"), times=1)
    submit(world, mail(), EVE)
    world.settle()
    assert len(world.queue()) == 1, "its second greeting is not taken for an answer about the message"
    world.advance(hours=1)
    assert world.queue() == []
    assert len(elsewhere.messages) == 1
