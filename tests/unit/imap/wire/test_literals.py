"""Literals that are strings, and their limits (RFC 3501 §4.3, RFC 7888)."""

import pytest

from postroad.imap.wire.event import Hangup
from postroad.imap.wire.limits import ImapLimits
from postroad.imap.wire.literal import LiteralHead, literal_head
from postroad.imap.wire.session_commands import Login, Noop
from postroad.imap.wire.table import State
from tests.unit.imap.wire.dialogue import answer, core_in, events

BEFORE = State.NOT_AUTHENTICATED
TOO_LONG = b"NO [TOOBIG] the literal is too long\r\n"


@pytest.mark.parametrize(
    ("line", "head"),
    [
        (b"a LOGIN {11}", LiteralHead(11, True)),
        (b"a LOGIN {11+}", LiteralHead(11, False)),
        (b"{0}", LiteralHead(0, True)),
        (b"~{5+}", LiteralHead(5, False)),
        (b"{00000000000000000000007}", LiteralHead(7, True)),
        (b"{99999999999}", LiteralHead(1 << 63, True)),
        (b"{" + b"9" * 100_000 + b"+}", LiteralHead(1 << 63, False)),
        (b"a {1}{2}", LiteralHead(2, True)),
        (b"a", None),
        (b"}", None),
        (b"{}", None),
        (b"{+}", None),
        (b"{1", None),
        (b"{1} ", None),
        (b"{-1}", None),
        (b"{1-}", None),
        (b"{1++}", None),
        (b"{ 1}", None),
        (b"1}", None),
    ],
)
def test_heads(line: bytes, head: LiteralHead | None) -> None:
    assert literal_head(line) == head


def test_the_example_of_the_rfc() -> None:
    core = core_in(BEFORE)
    assert events(core, b"A001 LOGIN {11}\r\n") == []
    assert core.data_to_send() == b"+ go ahead\r\n"
    assert events(core, b"FRED FOOBAR {7}\r\n") == []
    assert core.data_to_send() == b"+ go ahead\r\n"
    assert events(core, b"fat man\r\n") == [Login(b"A001", "FRED FOOBAR", "fat man")]
    assert core.data_to_send() == b""


def test_the_example_without_waiting() -> None:
    core = core_in(BEFORE)
    wire = b"A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man\r\n"
    assert events(core, wire) == [Login(b"A001", "FRED FOOBAR", "fat man")]
    assert core.data_to_send() == b""


def test_a_literal_may_hold_line_ends_and_heads() -> None:
    core = core_in(BEFORE)
    wire = b"a LOGIN {9+}\r\nx\r\ny {3+} {3+}\r\n{1} \r\n"
    assert events(core, wire) == []
    assert core.data_to_send() == b"a BAD too many arguments\r\n"
    assert events(core, b"a LOGIN {9+}\r\nx\r\ny {3+} z\r\n") == [Login(b"a", "x\r\ny {3+}", "z")]


def test_an_empty_literal() -> None:
    assert events(core_in(BEFORE), b'a LOGIN {0+}\r\n ""\r\n') == [Login(b"a", "", "")]


@pytest.mark.parametrize("line", [b"a FOO {5}", b"a FETCH {5}", b"{5}", b"+ {5}", b"a  LOGIN {5}"])
def test_a_literal_that_serves_nothing_is_not_invited(line: bytes) -> None:
    said = answer(line + b"\r\n", BEFORE)
    assert b"+" not in said
    assert b" BAD " in said


@pytest.mark.parametrize("line", [b"a FOO {5+}", b"a FETCH {5+}", b"{5+}", b'a NOOP " {5+}'])
def test_a_literal_that_serves_nothing_is_dropped_with_its_line(line: bytes) -> None:
    core = core_in(BEFORE)
    assert events(core, line + b"\r\nx BYEx y {2+}\r\n..{1+}\r\n.\r\nu NOOP\r\n") == [Noop(b"u")]
    assert core.data_to_send().count(b"BAD") == 1


def test_a_broken_string_does_not_hide_the_literal_behind_it() -> None:
    # Framing and grammar must agree on what is a literal (RFC 7888 §3).
    core = core_in(State.AUTHENTICATED)
    assert events(core, b'a SELECT "x {8+}\r\nb LOGOUT\r\nu NOOP\r\n') == [Noop(b"u")]
    assert core.data_to_send() == b"a BAD expected a string\r\n"


def test_a_binary_literal_has_no_place_in_a_name() -> None:
    assert answer(b"a SELECT ~{1+}\r\nx\r\n") == b"a BAD expected (\r\n"


def test_nul_has_no_place_in_a_string() -> None:
    assert answer(b"a SELECT {1+}\r\n\0\r\n") == b"a BAD a literal must not hold NUL\r\n"


@pytest.mark.parametrize("plus", [b"", b"+"])
def test_a_long_literal_is_refused(plus: bytes) -> None:
    core = core_in(State.AUTHENTICATED)
    wire = b"a SELECT {65537%b}\r\n" % plus
    if plus:
        wire += b"x" * 65537 + b"\r\n"
    assert events(core, wire + b"u NOOP\r\n") == [Noop(b"u")]
    assert core.data_to_send() == b"a " + TOO_LONG


def test_the_longest_literal_is_taken() -> None:
    core = core_in(State.AUTHENTICATED)
    assert len(events(core, b"a SELECT {65536+}\r\n" + b"x" * 65536 + b"\r\n")) == 1


def test_the_literals_of_a_command_are_counted_together() -> None:
    limits = ImapLimits(literal=100, literals_size=250)
    text = b"TEXT {100+}\r\n" + b"x" * 100
    assert answer(b"a SEARCH " + b" ".join([text] * 3) + b"\r\n", limits=limits) == b"a " + TOO_LONG
    assert len(events(core_in(limits=limits), b"a SEARCH " + b" ".join([text] * 2) + b"\r\n")) == 1


def test_the_number_of_literals_is_bounded() -> None:
    text = b"TEXT {1+}\r\nx"
    assert len(events(core_in(), b"a SEARCH " + b" ".join([text] * 100) + b"\r\n")) == 1
    assert answer(b"a SEARCH " + b" ".join([text] * 101) + b"\r\n") == b"a " + TOO_LONG


def test_before_log_in_only_small_ones_come_uninvited() -> None:
    # RFC 7888 §5 LITERAL-
    assert len(events(core_in(BEFORE), b"a LOGIN {4096+}\r\n" + b"x" * 4096 + b" y\r\n")) == 1
    core = core_in(BEFORE)
    assert events(core, b"a LOGIN {4097+}\r\n" + b"x" * 4097 + b" y\r\nu NOOP\r\n") == [Noop(b"u")]
    assert core.data_to_send() == b"a " + TOO_LONG
    assert events(core, b"a LOGIN {4097}\r\n") == []
    assert core.data_to_send() == b"+ go ahead\r\n"


def test_before_log_in_nothing_large_is_dropped_for_anyone() -> None:
    core = core_in(BEFORE)
    assert events(core, b"a LOGIN {99999999+}\r\n") == [Hangup("too big")]
    assert core.data_to_send().endswith(b"* BYE that is too much to be dropped\r\n")


def test_a_bad_command_does_not_go_on_for_ever() -> None:
    core = core_in(State.AUTHENTICATED, ImapLimits(discard=1000))
    assert events(core, b"a FOO" + b" {0+}\r\n" * 190 + b"\r\na NOOP\r\n") == [Noop(b"a")]
    assert events(core, b"a FOO" + b" {0+}\r\n" * 210 + b"\r\na NOOP\r\n") == [Hangup("too big")]


def test_what_is_dropped_is_not_kept() -> None:
    core = core_in(State.AUTHENTICATED)
    assert events(core, b"a SELECT {10000000+}\r\n") == []
    for _ in range(100):
        assert events(core, b"x" * 100_000) == []
        assert core.buffered() == 0
    assert events(core, b"\r\nu NOOP\r\n") == [Noop(b"u")]
