"""One message is one message, read back here and at the far end (SAFETY C1, C2)."""

import re
import smtplib
from collections.abc import Iterator

import pytest

from postroad.testing import ThreadedWorld
from postroad.testing.remote import RemoteServer
from tests.unit.smtp.test_smuggling import BARE, HARMLESS, NUL
from tests.world.clients import Raw, imap, submission
from tests.world.conftest import ADA, BOB, no_bugs, peopled

EVE = "eve@elsewhere.test"
HIDDEN = (
    b"MAIL FROM:<bob@demo.test>\r\nRCPT TO:<ada@demo.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nhidden\r\n"
)
ALL = {**BARE, **NUL, **HARMLESS}


@pytest.fixture(scope="module")
def world() -> Iterator[ThreadedWorld]:
    """One server for all of them."""
    with no_bugs(), ThreadedWorld() as world:
        yield peopled(world)


@pytest.fixture(scope="module")
def elsewhere(world: ThreadedWorld) -> RemoteServer:
    """The far end."""
    return world.remote("elsewhere.test")


def carrier(name: str, look_alike: bytes) -> bytes:
    """A message with a look-alike of its end in it, and what an attacker hopes is read as commands."""
    head = f"From: <{ADA}>\r\nSubject: {name}\r\nMIME-Version: 1.0\r\n\r\nbody".encode()
    return head + look_alike + HIDDEN


def read_back(world: ThreadedWorld, address: str) -> list[bytes]:
    """Every message as IMAP gives it."""
    with imap(world, address) as client:
        _, (count,) = client.select()
        if count == b"0":
            return []
        _, parts = client.fetch("1:*", "(BODY.PEEK[])")
    return [part[1] for part in parts if isinstance(part, tuple)]


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_smuggled_in(world: ThreadedWorld, name: str) -> None:
    before = len(read_back(world, ADA))
    with Raw(world.port("smtp")) as client:
        client.reply()
        for line in (b"EHLO x.test", b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>", b"DATA"):
            client.say(line)
        wire = carrier(name, ALL[name])
        if not name.startswith("CRLF .. ") and name in HARMLESS:
            wire = wire.replace(b"\r\n.", b"\r\n..")
        client.send(wire + b"\r\n.\r\nQUIT\r\n")
        replies = [client.reply(), client.reply()]
        assert client.rest() == b""
    # One answer for the message and one for QUIT: nothing in between was taken for a command.
    assert replies[1].startswith(b"221 ")
    taken = read_back(world, ADA)[before:]
    if name in HARMLESS:
        assert replies[0].startswith(b"250 ")
        (message,) = taken
        assert message.endswith(HIDDEN + b"\r\n")
    else:
        assert replies[0].startswith(b"550 5.")
        assert taken == []


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_smuggled_out(world: ThreadedWorld, elsewhere: RemoteServer, name: str) -> None:
    before, sent = len(read_back(world, BOB)), len(elsewhere.messages)
    octets = carrier(name, ALL[name])
    with submission(world) as client:
        client.mail(ADA)
        client.rcpt(EVE)
        client.rcpt(BOB)
        client.docmd("DATA")
        # smtplib would mend the line ends; an attacker does not.
        client.send(re.sub(rb"(?<=\r\n)\.(?!\.\r\n)", b"..", octets) if name in HARMLESS else octets)
        client.send(b"\r\n.\r\n")
        code, _ = client.getreply()
        assert client.noop()[0] == 250
    world.settle()
    here, there = read_back(world, BOB)[before:], elsewhere.messages[sent:]
    if name in HARMLESS:
        assert code == 250
        assert len(here) == len(there) == 1
        assert there[0].recipients == [EVE]
        for copy in (here[0], there[0].body):
            assert copy.endswith(HIDDEN + b"\r\n")
            assert not re.search(rb"(?<!\r)\n|\r(?!\n)", copy)
        assert here[0].partition(b"Subject:")[2] == there[0].body.partition(b"Subject:")[2]
    else:
        assert code == 550
        assert not here
        assert not there


@pytest.mark.parametrize("name", [*BARE, *NUL])
def test_no_chunk_smuggles_either(world: ThreadedWorld, name: str) -> None:
    before = len(read_back(world, ADA))
    octets = carrier(name, ALL[name])
    with Raw(world.port("smtp")) as client:
        client.reply()
        for line in (b"EHLO x.test", b"MAIL FROM:<eve@elsewhere.test>", b"RCPT TO:<ada@demo.test>"):
            client.say(line)
        client.send(b"BDAT %d LAST\r\n" % len(octets) + octets + b"QUIT\r\n")
        assert client.reply().startswith(b"550 5.")
        assert client.rest().startswith(b"221 ")
    assert len(read_back(world, ADA)) == before


@pytest.mark.parametrize("dots", [b".", b"..", b"...", b".x", b"..x"])
def test_lines_that_begin_with_dots_arrive_as_they_were(
    world: ThreadedWorld, elsewhere: RemoteServer, dots: bytes
) -> None:
    text = b"\r\n".join([b"Subject: dots", b"", dots, b"middle", dots, dots, b""])
    with submission(world) as client:
        client.sendmail(ADA, [BOB, EVE], text)
    world.settle()
    assert read_back(world, BOB)[-1].endswith(text)
    assert elsewhere.messages[-1].body.endswith(text)


def test_nobody_got_anything_that_was_hidden(world: ThreadedWorld, elsewhere: RemoteServer) -> None:
    for address in (ADA, BOB):
        for octets in read_back(world, address):
            assert not octets.partition(b"\r\n\r\n")[0].endswith(b"Subject: smuggled")
            assert b"Return-Path: <bob@demo.test>" not in octets
    assert {taken.sender for taken in elsewhere.messages} == {ADA}


def test_smtplib_agrees_about_what_it_sends(world: ThreadedWorld) -> None:
    with smtplib.SMTP("127.0.0.1", world.port("smtp")) as client:
        client.sendmail("eve@elsewhere.test", [ADA], b"Subject: end\r\n\r\n.\r\n..\r\n")
    assert read_back(world, ADA)[-1].endswith(b"\r\n\r\n.\r\n..\r\n")
