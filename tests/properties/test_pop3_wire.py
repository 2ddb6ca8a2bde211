"""Laws of the POP3 wire: cuts change nothing, nothing raises, buffers are bounded."""

import re

from hypothesis import given
from hypothesis import strategies as st

from postroad.pop3.wire.core import MAX_RESPONSE, Pop3Core
from postroad.pop3.wire.events import Auth, AuthResponse, Event, Login, StartTls
from postroad.pop3.wire.multiline import Stuffer, cut_lines

_WORDS = [
    b"USER ada",
    b"PASS demo",
    b"AUTH PLAIN AGEAYQ==",
    b"AUTH LOGIN",
    b"YQ==",
    b"*",
    b"STLS",
    b"CAPA",
    b"STAT",
    b"LIST 1",
    b"RETR 1",
    b"TOP 1 2",
    b"NOOP",
    b"QUIT",
    b"GET / HTTP/1.0",
    b"x" * 700,
    b"",
]
_dialogues = st.lists(
    st.one_of(
        st.sampled_from(_WORDS).map(lambda word: word + b"\r\n"),
        st.sampled_from(_WORDS),
        st.binary(max_size=40),
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"."]),
    ),
    max_size=30,
).map(b"".join)


def _play(slices: list[bytes], *, secure: bool) -> tuple[list[Event], bytes]:
    """A session that lets everybody in, fed in these slices."""
    core = Pop3Core(secure=secure, tls_offered=True, mechanisms=(b"PLAIN", b"LOGIN"))
    events: list[Event] = []
    sent = b""
    for data in slices:
        core.receive(data)
        while (event := core.next_event()) is not None:
            events.append(event)
            match event:
                case Login():
                    core.logged_in()
                    core.ok()
                case Auth(initial=None):
                    core.challenge(b"?")
                case Auth() | AuthResponse(data=bytes()):
                    core.logged_in()
                case AuthResponse():
                    core.login_failed()
                case StartTls():
                    core.ok()
            sent += core.data_to_send()
        assert core.buffered() <= MAX_RESPONSE + len(data)
    return events, sent + core.data_to_send()


@given(_dialogues, st.lists(st.integers(1, 20), max_size=60), st.booleans())
def test_where_the_network_cuts_changes_nothing(wire: bytes, cuts: list[int], secure: bool) -> None:
    slices, at = [], 0
    for cut in cuts:
        slices.append(wire[at : at + cut])
        at += cut
    slices.append(wire[at:])
    assert _play(slices, secure=secure) == _play([wire], secure=secure)


@given(st.binary(max_size=2000), st.booleans())
def test_nothing_that_a_peer_sends_raises(wire: bytes, secure: bool) -> None:
    _, sent = _play([wire], secure=secure)
    assert all(line.startswith((b"+", b"-ERR ")) for line in sent.split(b"\r\n")[:-1] if b"CAPA" not in wire)


_texts = st.lists(st.sampled_from([b"a", b".", b"\r", b"\n", b"\r\n", b"\r\n.", b"\0"]), max_size=40).map(
    b"".join
)


def _reply(slices: list[bytes]) -> bytes:
    stuffer = Stuffer()
    return b"".join([stuffer.feed(data) for data in slices]) + stuffer.finish()


@given(_texts, st.lists(st.integers(0, 5), max_size=30))
def test_where_a_message_is_sliced_changes_nothing(message: bytes, cuts: list[int]) -> None:
    slices, at = [], 0
    for cut in cuts:
        slices.append(message[at : at + cut])
        at += cut
    slices.append(message[at:])
    assert _reply(slices) == _reply([message])


@given(_texts)
def test_a_client_reads_back_the_message(message: bytes) -> None:
    """By lines that end in LF, as most clients read: the strictest reader of the end."""
    expected = re.sub(rb"(?<!\r)\n", b"\r\n", message)
    if expected and not expected.endswith(b"\n"):
        expected += b"\r\n"
    *lines, last = _reply([message]).split(b"\n")[:-1]
    assert last == b".\r"
    assert not any(line == b".\r" for line in lines)
    assert b"".join([line.removeprefix(b".") + b"\n" for line in lines]) == expected


@given(_texts, st.integers(0, 12), st.integers(0, 50))
def test_counting_lines_over_slices_is_counting_them_at_once(message: bytes, lines: int, cut: int) -> None:
    first, left = cut_lines(message[:cut], lines)
    second = cut_lines(message[cut:], left)[0] if left else b""
    assert first + second == cut_lines(message, lines)[0]
