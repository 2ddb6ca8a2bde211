"""APPEND of messages that are put together (RFC 4469, RFC 6855 §4), and REPLACE (RFC 8508)."""

import pytest

from postroad.imap.wire.event import AppendAborted, AppendEnd, AppendNext, LiteralChunk
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.message_commands import (
    AppendStart,
    AppendText,
    FlagList,
    MessageHead,
    ReplaceStart,
    UrlPart,
    Within,
)
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.session_commands import Noop
from postroad.imap.wire.table import State
from postroad.model.flags import Flag
from tests.unit.imap.wire.dialogue import answer, core_in, events

LAST = SequenceSet(((None, None),))


def test_a_message_of_parts() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(
        core,
        b't APPEND a (\\Seen) CATENATE (URL "/b/;UID=1" TEXT {2+}\r\nxy'
        b" URL {3+}\r\n/cd TEXT ~{1+}\r\nz) {1+}\r\nq\r\n",
    )
    assert seen == [
        AppendStart(
            b"t",
            MailboxName("a"),
            (MessageHead(FlagList(Flag.SEEN)), UrlPart(b"/b/;UID=1")),
            AppendText(2, within=Within.CATENATE),
        ),
        LiteralChunk(b"xy"),
        AppendNext(b"t", (UrlPart(b"/cd"),), AppendText(1, binary=True, within=Within.CATENATE)),
        LiteralChunk(b"z"),
        AppendNext(b"t", (MessageHead(),), AppendText(1)),
        LiteralChunk(b"q"),
        AppendEnd(b"t"),
    ]


def test_a_message_of_urls_alone_is_there_at_once() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a CATENATE (URL x URL y) CATENATE (URL {1+}\r\nz)\r\nu NOOP\r\n")
    pieces = (MessageHead(), UrlPart(b"x"), UrlPart(b"y"), MessageHead(), UrlPart(b"z"))
    assert seen == [AppendStart(b"t", MailboxName("a"), pieces, None), Noop(b"u")]


def test_utf8_data() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a UTF8 (~{1+}\r\nx) CATENATE (UTF8 (~{1+}\r\ny))\r\n")
    assert seen == [
        AppendStart(b"t", MailboxName("a"), (MessageHead(),), AppendText(1, binary=True, within=Within.UTF8)),
        LiteralChunk(b"x"),
        AppendNext(b"t", (MessageHead(),), AppendText(1, binary=True, within=Within.CATENATE_UTF8)),
        LiteralChunk(b"y"),
        AppendEnd(b"t"),
    ]


@pytest.mark.parametrize(
    "rest",
    [
        b"x\r\n",
        b"x UTF8 (~{1+}\r\ny\r\n",
        b"x URL\r\n",
        b"x TEXT y)\r\n",
        b"x) y\r\n",
        b"x)) {1+}\r\ny\r\n",
        b"x {1+}\r\ny)\r\n",
    ],
)
def test_parts_that_do_not_end_well(rest: bytes) -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a CATENATE (TEXT {1+}\r\nx" + rest + b"u NOOP\r\n")
    assert AppendAborted(b"t") in seen
    assert seen[-1] == Noop(b"u")
    assert core.data_to_send().startswith(b"t BAD ")


def test_a_url_that_is_too_long_a_literal_ends_all() -> None:
    core = core_in(State.AUTHENTICATED, ImapLimits(literal=10))
    seen = events(core, b"t APPEND a CATENATE (TEXT {1+}\r\nx URL {11+}\r\n12345678901)\r\nu NOOP\r\n")
    assert seen[1:] == [LiteralChunk(b"x"), AppendAborted(b"t"), Noop(b"u")]
    assert core.data_to_send() == b"t NO [TOOBIG] the literal is too long\r\n"


def test_one_message_replaces_one() -> None:
    core = core_in()
    seen = events(core, b"t UID REPLACE 7 a (\\Seen) {1+}\r\nx\r\nu REPLACE * {1+}\r\nb CATENATE (URL y)\r\n")
    assert seen == [
        ReplaceStart(
            b"t",
            MailboxName("a"),
            (MessageHead(FlagList(Flag.SEEN)),),
            AppendText(1),
            SequenceSet(((7, 7),)),
            uid=True,
        ),
        LiteralChunk(b"x"),
        AppendEnd(b"t"),
        ReplaceStart(
            b"u", MailboxName("b"), (MessageHead(), UrlPart(b"y")), None, SequenceSet(((None, None),))
        ),
    ]
    assert events(core, b"t REPLACE 7 a {1+}\r\nx {1+}\r\ny\r\n")[1:] == [
        LiteralChunk(b"x"),
        AppendAborted(b"t"),
    ]


@pytest.mark.parametrize("message", [b"1:2", b"1,2", b"1:1", b"$", b"0", b"x"])
def test_what_is_not_one_message(message: bytes) -> None:
    assert answer(b"t REPLACE %b a {3}\r\n" % message).startswith(b"t BAD ")
