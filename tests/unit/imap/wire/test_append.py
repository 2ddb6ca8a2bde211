"""APPEND, its message streamed (RFC 3501 §6.3.11)."""

import pytest

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import AppendAborted, AppendEnd, AppendNext, Event, Hangup, LiteralChunk
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.message_commands import AppendStart, AppendText, FlagList, MessageHead
from postroad.imap.wire.session_commands import Noop
from postroad.imap.wire.table import State
from postroad.model.flags import Flag
from tests.unit.imap.wire.dialogue import answer, core_in, events

SMALL = ImapLimits(message_size=1000, discard=3000)


def append(head: bytes, message: bytes = b"abc") -> tuple[list[Event], bytes]:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND %b {%d}\r\n" % (head, len(message)))
    assert core.data_to_send() == b"+ go ahead\r\n"
    seen += events(core, message + b"\r\n")
    return seen, core.data_to_send()


def start_of(head: bytes) -> Event:
    seen, said = append(head)
    assert seen[1:] == [LiteralChunk(b"abc"), AppendEnd(b"t")]
    assert said == b""
    return seen[0]


@pytest.mark.parametrize(
    ("head", "value"),
    [
        (
            b"saved-messages (\\Seen)",
            AppendStart(
                b"t", MailboxName("saved-messages"), (MessageHead(FlagList(Flag.SEEN), None),), AppendText(3)
            ),
        ),
        (b"inbox", AppendStart(b"t", MailboxName("INBOX"), (MessageHead(FlagList(), None),), AppendText(3))),
        (
            b'"a b" () "17-Jul-1996 02:44:25 -0700"',
            AppendStart(b"t", MailboxName("a b"), (MessageHead(FlagList(), 837596665),), AppendText(3)),
        ),
        (
            b'a " 1-Jan-1970 00:00:10 +0000"',
            AppendStart(b"t", MailboxName("a"), (MessageHead(FlagList(), 10),), AppendText(3)),
        ),
        (
            b"a (\\Recent $x \\Flagged)",
            AppendStart(
                b"t",
                MailboxName("a"),
                (MessageHead(FlagList(Flag.FLAGGED, frozenset({"$x"})), None),),
                AppendText(3),
            ),
        ),
    ],
)
def test_heads(head: bytes, value: AppendStart) -> None:
    assert start_of(head) == value


def test_nothing_is_invited_before_the_session_agrees() -> None:
    core = core_in(State.AUTHENTICATED)
    core.receive(b"t APPEND INBOX {3}\r\n")
    assert isinstance(core.next_event(), AppendStart)
    assert core.next_event() is None
    assert core.data_to_send() == b""
    core.accept_literal()
    assert core.data_to_send() == b"+ go ahead\r\n"


def test_a_message_comes_in_the_pieces_of_the_network() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a {6+}\r\nab", b"cd", b"ef", b"\r\nu NOOP\r\n")
    assert seen[1:] == [
        LiteralChunk(b"ab"),
        LiteralChunk(b"cd"),
        LiteralChunk(b"ef"),
        AppendEnd(b"t"),
        Noop(b"u"),
    ]
    assert core.data_to_send() == b""


def test_lines_within_a_message_are_no_commands() -> None:
    message = b"a LOGOUT\r\n{5+}\r\nb LOGOUT\r\n"
    seen, _ = append(b"INBOX", message)
    assert seen[1:] == [LiteralChunk(message), AppendEnd(b"t")]


def test_an_empty_message_has_no_chunk() -> None:
    seen, _ = append(b"INBOX", b"")
    assert seen[1:] == [AppendEnd(b"t")]


def test_the_name_may_be_a_literal() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND {3}\r\n", b"a b (\\Seen) {2+}\r\nxy\r\n")
    assert seen == [
        AppendStart(b"t", MailboxName("a b"), (MessageHead(FlagList(Flag.SEEN), None),), AppendText(2)),
        LiteralChunk(b"xy"),
        AppendEnd(b"t"),
    ]


def test_a_binary_literal_may_hold_nul() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a ~{3+}\r\na\0b\r\n")
    assert seen == [
        AppendStart(b"t", MailboxName("a"), (MessageHead(FlagList(), None),), AppendText(3, binary=True)),
        LiteralChunk(b"a\0b"),
        AppendEnd(b"t"),
    ]


def test_any_other_literal_must_not() -> None:
    seen, said = append(b"a", b"a\0b")
    assert seen[1:] == [LiteralChunk(b"a\0b"), AppendAborted(b"t")]
    assert said == b"t NO a message must not hold NUL\r\n"


def test_nul_is_seen_in_any_piece() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a {4+}\r\n\0", b"abc", b"\r\n")
    assert seen[1:] == [LiteralChunk(b"\0"), LiteralChunk(b"abc"), AppendAborted(b"t")]


def test_another_message_may_follow() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a {1+}\r\nx (\\Seen) {2}\r\n", b"yz\r\n")
    assert seen == [
        AppendStart(b"t", MailboxName("a"), (MessageHead(FlagList(), None),), AppendText(1)),
        LiteralChunk(b"x"),
        AppendNext(b"t", (MessageHead(FlagList(Flag.SEEN)),), AppendText(2)),
        LiteralChunk(b"yz"),
        AppendEnd(b"t"),
    ]
    assert core.data_to_send() == b"+ go ahead\r\n"


@pytest.mark.parametrize("said", [b"", b"() ", b"(\\Seen) "])
def test_of_another_message_nothing_has_to_be_said(said: bytes) -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a {1+}\r\nx %b{2+}\r\n" % said, b"yz {0000000001}\r\n", b"u\r\n")
    flags = FlagList(Flag.SEEN) if b"Seen" in said else FlagList()
    assert seen[1:] == [
        LiteralChunk(b"x"),
        AppendNext(b"t", (MessageHead(flags),), AppendText(2)),
        LiteralChunk(b"yz"),
        AppendNext(b"t", (MessageHead(),), AppendText(1)),
        LiteralChunk(b"u"),
        AppendEnd(b"t"),
    ]
    assert core.data_to_send() == b"+ go ahead\r\n"


def test_the_size_of_another_message_has_ten_digits_at_most() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a {1+}\r\nx {00000000001+}\r\ny\r\nu NOOP\r\n")
    assert seen[1:] == [LiteralChunk(b"x"), AppendAborted(b"t"), Noop(b"u")]
    assert core.data_to_send().startswith(b"t BAD ")


def test_a_further_message_that_is_refused_ends_all() -> None:
    core = core_in(State.AUTHENTICATED)
    core.receive(b"t APPEND a {1+}\r\nx {4+}\r\nquit {3+}\r\nyes\r\nu NOOP\r\n")
    assert isinstance(core.next_event(), AppendStart)
    core.accept_literal()
    assert core.next_event() == LiteralChunk(b"x")
    assert isinstance(core.next_event(), AppendNext)
    core.refuse_literal(b"NO", b"enough")
    assert events(core) == [Noop(b"u")]
    assert core.data_to_send() == b"t NO enough\r\n"


def test_a_further_message_over_the_limit_ends_all() -> None:
    core = core_in(State.AUTHENTICATED, SMALL)
    seen = events(core, b"t APPEND a {1+}\r\nx {1001}\r\nu NOOP\r\n")
    assert seen[1:] == [LiteralChunk(b"x"), AppendAborted(b"t"), Noop(b"u")]
    assert core.data_to_send() == b"t NO [TOOBIG] the message is too big\r\n"


def test_what_follows_the_message_must_be_the_end_or_another_message() -> None:
    core = core_in(State.AUTHENTICATED)
    seen = events(core, b"t APPEND a {1+}\r\nxyz {5+}\r\nab NOOP\r\nu NOOP\r\n")
    assert seen[1:] == [LiteralChunk(b"x"), AppendAborted(b"t"), Noop(b"u")]
    assert core.data_to_send() == b"t BAD an argument is missing\r\n"
    assert events(core, b"t APPEND a {1+}\r\nxyz\r\n")[1:] == [LiteralChunk(b"x"), AppendAborted(b"t")]
    assert core.data_to_send() == b"t BAD an argument is missing\r\n"


@pytest.mark.parametrize(
    "head",
    [b"", b"INBOX", b"INBOX (\\Seen", b"INBOX (\\Foo)", b"INBOX x", b'INBOX "x"', b'INBOX "1-Feb-1994"',
     b'INBOX " 7-Foo-1994 21:52:25 -0800"', b'INBOX " 7-Feb-1994 21:52:25 -0800" (\\Seen)'],
)  # fmt: skip
def test_what_is_refused_is_not_invited(head: bytes) -> None:
    literal = b"{3}x" if head == b"INBOX" else b"{3}"
    assert answer(b"t APPEND " + head + b" " + literal + b"\r\n").startswith(b"t BAD")


def refuse(core: ImapServerCore) -> None:
    assert isinstance(core.next_event(), AppendStart)
    core.refuse_literal(b"NO", b"no such mailbox", b"TRYCREATE")


def test_a_refused_literal_is_not_waited_for() -> None:
    core = core_in(State.AUTHENTICATED)
    core.receive(b"t APPEND nowhere {3}\r\nu NOOP\r\n")
    refuse(core)
    assert core.data_to_send() == b"t NO [TRYCREATE] no such mailbox\r\n"
    assert events(core) == [Noop(b"u")]


def test_a_refused_literal_that_comes_anyway_is_dropped() -> None:
    core = core_in(State.AUTHENTICATED)
    core.receive(b"t APPEND nowhere {12+}\r\nx")
    refuse(core)
    assert core.data_to_send() == b"t NO [TRYCREATE] no such mailbox\r\n"
    assert events(core, b" LOGOUT\r\n", b"yz tail {3+}\r\n", b"abc\r\nu NOOP\r\n") == [Noop(b"u")]
    assert core.data_to_send() == b""


@pytest.mark.parametrize("size", [b"1001", b"99999999999", b"0" * 5000 + b"1001", b"9" * 5000])
def test_a_message_over_the_limit_is_refused_before_it_comes(size: bytes) -> None:
    said = answer(b"t APPEND a {%b}\r\n" % size, limits=SMALL)
    assert said.startswith((b"t NO [TOOBIG]", b"t BAD "))


def test_a_message_over_the_limit_that_comes_anyway_is_dropped() -> None:
    core = core_in(State.AUTHENTICATED, SMALL)
    seen = events(core, b"t APPEND a {2000+}\r\n", b"x" * 1000, b"\n" * 1000 + b"\r\nu NOOP\r\n")
    assert seen == [Noop(b"u")]
    assert core.data_to_send() == b"t NO [TOOBIG] the message is too big\r\n"


def test_what_is_too_big_to_be_dropped_ends_the_session() -> None:
    core = core_in(State.AUTHENTICATED, SMALL)
    assert events(core, b"t APPEND a {3001+}\r\nxxx") == [Hangup("too big")]
    assert core.data_to_send() == (
        b"t NO [TOOBIG] the message is too big\r\n* BYE that is too much to be dropped\r\n"
    )


def test_a_message_is_not_kept() -> None:
    core = core_in(State.AUTHENTICATED)
    core.receive(b"t APPEND a {50000000+}\r\n")
    assert isinstance(core.next_event(), AppendStart)
    core.accept_literal()
    for _ in range(100):
        core.receive(b"x" * 100_000)
        assert core.next_event() == LiteralChunk(b"x" * 100_000)
        assert core.buffered() == 0
