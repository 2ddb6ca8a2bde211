"""Laws of the client's half of SMTP: replies however they are cut, octets that survive the dots."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from postroad.smtp.wire.client import LINE_OCTETS, DataEncoder, Garbage, ReplyReader
from postroad.smtp.wire.data import DotReader
from postroad.smtp.wire.replies import Reply, encode

SCRAPS = [b"250 OK\r\n", b"250-a\r\n", b"550 5.1.1 no\r\n", b"220", b"\r", b"\n", b"2", b"-", b" "]
WIRE = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(SCRAPS)).map(b"".join))
LINES = [b"\r\n", b".", b"..", b"a", b"\r\n.\r\n", b"x" * 50, b"\xff"]
TEXT = st.lists(st.sampled_from(LINES), max_size=30).map(b"".join)
RUDE = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a", b"\0"]), max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 2000), max_size=5)
WORDS = st.text("abc XYZ<>@.-", min_size=1)


def cut(octets: bytes, cuts: list[int]) -> list[bytes]:
    """The octets in pieces."""
    places = [0, *sorted(place % (len(octets) + 1) for place in cuts), len(octets)]
    return [octets[start:end] for start, end in pairwise(places)]


def replies(pieces: list[bytes]) -> list[Reply | str]:
    """What a reader makes of pieces, up to its first garbage."""
    reader = ReplyReader()
    read: list[Reply | str] = []
    for piece in pieces:
        reader.receive(piece)
        while (reply := reader.next_reply()) is not None:
            if isinstance(reply, Garbage):
                return [*read, "garbage"]
            read.append(reply)
    return read


def on_the_wire(pieces: list[bytes]) -> bytes:
    """What DATA is followed by."""
    encoder = DataEncoder()
    return b"".join(encoder.encode(piece) for piece in pieces) + encoder.finish()


@given(WIRE, CUTS)
def test_where_the_network_cuts_replies_changes_nothing(wire: bytes, cuts: list[int]) -> None:
    assert replies(cut(wire, cuts)) == replies([wire])


@given(st.binary(max_size=50))
def test_a_server_without_line_ends_is_not_heard_out(noise: bytes) -> None:
    reader = ReplyReader()
    reader.receive(noise.replace(b"\n", b"") + b"x" * LINE_OCTETS)
    assert isinstance(reader.next_reply(), Garbage)
    reader.receive(b"250 OK\r\n")
    assert isinstance(reader.next_reply(), Garbage)


@given(code=st.integers(200, 599), lines=st.lists(WORDS, min_size=1, max_size=9))
def test_what_a_server_encodes_a_client_reads(code: int, lines: list[str]) -> None:
    reply = Reply(code, "", "\n".join(lines))
    (read,) = replies([encode(reply)])
    assert isinstance(read, Reply)
    assert (read.code, read.text) == (code, reply.text)


@given(TEXT, CUTS)
def test_a_server_gets_the_octets_that_were_sent(text: bytes, cuts: list[int]) -> None:
    inbox = bytearray(on_the_wire(cut(text, cuts)))
    reader = DotReader(inbox)
    got = b""
    while not reader.ended:
        piece = reader.read(inbox)
        assert piece or reader.ended
        got += piece
    assert inbox == b""
    assert got == (text if text.endswith(b"\r\n") or not text else text + b"\r\n")


@given(RUDE, CUTS)
def test_no_bare_cr_or_lf_ever_leaves_and_the_dot_is_alone(text: bytes, cuts: list[int]) -> None:
    wire = on_the_wire(cut(text, cuts))
    assert re.search(rb"\r(?!\n)|(?<!\r)\n", wire) is None
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3
