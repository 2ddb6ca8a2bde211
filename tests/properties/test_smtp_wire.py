"""Laws of the SMTP server core."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from postroad.smtp.wire import params
from postroad.smtp.wire.data import DotReader, Inspector
from postroad.smtp.wire.events import DataChunk, Event
from postroad.smtp.wire.lines import LineReader
from postroad.smtp.wire.replies import Reply, encode, parse_line
from postroad.smtp.wire.server import SmtpServerCore
from tests.unit.smtp.core import TERMS, core_at, core_in_data, feed

LIMITED = replace(TERMS, mechanisms=("PLAIN", "LOGIN"), message_size=400, data_line=80, junk_commands=10**6)

# What a dialogue is made of, whole and broken. EHLO and DATA are left out: nothing may follow them.
PIECES = st.sampled_from(
    [
        *(b"MAIL FROM:<a@bar.test>\r\n", b"MAIL FROM:<> SIZE=9\r\n", b"RCPT TO:<b@ours.test>\r\n"),
        *(b"BDAT 7\r\n", b"BDAT 0 LAST\r\n", b"BDAT 12 LAST\r\n", b"BDAT 300\r\n", b"RSET\r\n", b"NOOP\r\n"),
        *(b"AUTH PLAIN\r\n", b"AUTH LOGIN YQ==\r\n", b"YQ==\r\n", b"*\r\n", b"VRFY x\r\n", b"FOO\r\n"),
        *(b"\r\n", b"\r", b"\n", b"\0", b".", b" ", b"x" * 90, b"BDAT x", b"GET / \r\n", b"Host: x\r\n"),
        *(b"MAIL FROM:<a", b"@bar.test>", b"\xff\xfe", b"=", b"<>", b"x" * 5000, b"STARTTLSX\r\n"),
    ]
)
OCTETS = st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=40).map(b"".join)
TEXT = st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"\0", b"x", b"x" * 30]), max_size=40).map(
    b"".join
)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)


def pieces(octets: bytes, cuts: Sequence[int]) -> list[bytes]:
    points = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    return [octets[start:end] for start, end in itertools.pairwise(points)]


def ready() -> SmtpServerCore:
    core = core_at(terms=LIMITED)
    core.dialogue.secure = True
    return core


def outcome(core: SmtpServerCore, parts: Sequence[bytes]) -> tuple[list[Event], bytes, bytes]:
    """Events without the chunks, the octets of the chunks, and what was said."""
    events: list[Event] = []
    octets = b""
    for part in parts:
        for event in feed(core, part):
            if isinstance(event, DataChunk):
                octets += event.data
            else:
                events.append(event)
    return events, octets, core.data_to_send()


@given(OCTETS, CUTS)
def test_where_the_network_cuts_a_dialogue_changes_nothing(octets: bytes, cuts: list[int]) -> None:
    whole = outcome(ready(), [octets])
    cut = outcome(ready(), pieces(octets, cuts))
    assert whole[0] == cut[0]
    assert whole[2] == cut[2]


@given(TEXT, CUTS)
def test_where_the_network_cuts_a_message_changes_nothing(text: bytes, cuts: list[int]) -> None:
    octets = text + b"\r\n.\r\nNOOP\r\n"
    whole = outcome(core_in_data(LIMITED), [octets])
    cut = outcome(core_in_data(LIMITED), pieces(octets, cuts))
    assert whole[0] == cut[0]
    assert whole[2] == cut[2]


@given(OCTETS, CUTS)
def test_a_core_keeps_little_and_never_raises(octets: bytes, cuts: list[int]) -> None:
    core = ready()
    for part in pieces(octets, cuts):
        for _ in feed(core, part):
            pass
        assert core.buffered() <= 12288


@given(OCTETS)
def test_what_is_said_is_reply_lines_and_echoes_nothing(octets: bytes) -> None:
    core = ready()
    for _ in feed(core, octets):
        pass
    said = core.data_to_send()
    assert said == b"" or said.endswith(b"\r\n")
    for line in said.split(b"\r\n")[:-1]:
        assert parse_line(line) is not None
        assert len(line) <= 510


def stuffed(message: bytes) -> bytes:
    """The message as a client sends it (RFC 5321 §4.5.2)."""
    return (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


@given(st.lists(st.binary(max_size=30).map(lambda line: line.translate(None, b"\r\n"))), CUTS, st.binary())
def test_a_message_comes_out_as_it_went_in(lines: list[bytes], cuts: list[int], behind: bytes) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    inbox = bytearray()
    reader = DotReader(inbox)
    out = b""
    for part in pieces(stuffed(message) + behind, cuts):
        inbox += part
        out += reader.read(inbox)
    out += reader.read(inbox)
    assert reader.ended
    assert out == message
    assert inbox == behind


@given(TEXT, CUTS)
def test_what_is_judged_does_not_depend_on_the_cuts(text: bytes, cuts: list[int]) -> None:
    whole, cut = Inspector(400, 80), Inspector(400, 80)
    whole.look(text)
    for part in pieces(text, cuts):
        cut.look(part)
    assert whole.verdict() == cut.verdict()
    paired = text.replace(b"\r\n", b"")
    well = not any(octet in paired for octet in (b"\r", b"\n", b"\0"))
    lines = text.split(b"\n")
    short = all(len(line) + 1 <= 80 for line in lines[:-1]) and len(lines[-1]) <= 80
    assert (whole.verdict() is None) == (well and short and len(text) <= 400)


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"\0", b"x" * 30]), max_size=30), CUTS)
def test_where_the_network_cuts_lines_changes_nothing(parts: list[bytes], cuts: list[int]) -> None:
    def lines(cut: Sequence[bytes]) -> list[bytes | Reply]:
        inbox, reader, found = bytearray(), LineReader(), []
        for part in cut:
            inbox += part
            while (line := reader.take(inbox, 50)) is not None:
                found.append(line)
            assert len(inbox) <= 50
        return found

    octets = b"".join(parts)
    assert lines([octets]) == lines(pieces(octets, cuts))


@given(st.binary(max_size=200))
def test_arguments_never_raise(argument: bytes) -> None:
    params.parse_mail(argument, extended=True, secure=True, size_limit=1000)
    params.parse_mail(b"<a@bar.test> " + argument, extended=True, secure=True, size_limit=1000)
    params.parse_rcpt(b"<a@bar.test> " + argument, extended=True, smtputf8=True)
    params.is_greeting_name(argument)
    params.parse_chunk_size(argument)


@given(st.binary())
def test_xtext_there_and_back(octets: bytes) -> None:
    assert params.decode_xtext(params.encode_xtext(octets)) == octets


@given(st.integers(200, 599), st.text())
def test_a_reply_is_lines_whatever_its_text(code: int, text: str) -> None:
    lines = encode(Reply(code, "5.0.0", text)).split(b"\r\n")
    assert lines.pop() == b""
    parsed = [parse_line(line) for line in lines]
    assert [found and found[1] for found in parsed] == [False] * (len(lines) - 1) + [True]
