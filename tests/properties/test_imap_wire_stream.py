"""Laws of the IMAP core for any bytes whatever."""

from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.wire.table import State
from tests.properties.imap_commands import TAG, commands
from tests.properties.imap_dialogue import SMALL, Dialogue

# Scraps of the protocol, so that what is put together from them gets far before it goes wrong.
SCRAPS = (
    *(
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b" ",
        b"a ",
        b"b ",
        b"* ",
        b"+ ",
        b"(",
        b")",
        b"()",
    ),
    *(
        b"{3}\r\n",
        b"{3+}\r\n",
        b"{0+}\r\n",
        b"~{5+}\r\n",
        b"{99}\r\n",
        b"{60+}\r\n",
        b"{200+}\r\n",
        b"{7001+}",
    ),
    *(
        b"{301+}\r\n",
        b"{4000+}\r\n",
        b"{99999999999}\r\n",
        b'"',
        b'"x"',
        b"\\",
        b"abc",
        b"DONE\r\n",
        b"*\r\n",
    ),
    *(
        b"a NOOP\r\n",
        b"a IDLE\r\n",
        b"a LOGIN ",
        b"a LOGIN x y\r\n",
        b"a AUTHENTICATE PLAIN\r\n",
        b"YWdhaW4=\r\n",
    ),
    *(
        b"a SELECT ",
        b"a APPEND INBOX ",
        b"a APPEND INBOX (\\Seen) {5+}\r\n",
        b"a APPEND {5+}\r\nINBOX {7}\r\n",
    ),
    *(
        b"a SEARCH ",
        b"OR ",
        b"NOT ",
        b"ALL",
        b"TEXT ",
        b"CHARSET x ",
        b"a FETCH 1 ",
        b"BODY[",
        b"]",
        b"<0.1>",
    ),
    *(
        b"a UID STORE 1:* +FLAGS ",
        b"GET / HTTP/1.0\r\n",
        b"x" * 150,
        b"\xff",
        b"1:*",
        b"UID ",
        b"a STARTTLS\r\n",
    ),
)
scrappy = st.lists(st.sampled_from(SCRAPS) | st.binary(max_size=5), max_size=40).map(b"".join)
streams = st.one_of(
    st.binary(max_size=200),
    scrappy,
    st.lists(commands.map(lambda written: TAG + b" " + written[0] + b"\r\n"), max_size=4).map(b"".join),
)
states = st.sampled_from(State)


@st.composite
def cuts(draw: st.DrawFn, of: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    """A stream, whole and in pieces."""
    stream = draw(of)
    at = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return stream, [stream[low:high] for low, high in zip([0, *at], [*at, len(stream)], strict=True)]


@given(states, cuts(streams))
def test_where_the_network_cuts_changes_nothing(state: State, cut: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = cut
    whole, parts, octets = Dialogue(state, SMALL), Dialogue(state, SMALL), Dialogue(state, SMALL)
    whole.hear([stream])
    parts.hear(pieces)
    octets.hear([stream[at : at + 1] for at in range(len(stream))])
    assert whole.events == parts.events == octets.events
    assert whole.said == parts.said == octets.said


@given(states, st.lists(streams, max_size=4))
def test_little_is_kept_of_anything(state: State, pieces: list[bytes]) -> None:
    # An unfinished line, the literals of the command it belongs to, and their heads.
    bound = SMALL.line + 2 + SMALL.literals_size + SMALL.literals * 20
    dialogue = Dialogue(state, SMALL)
    for piece in pieces:
        dialogue.hear([piece])
        assert dialogue.core.buffered() <= bound


@given(states, streams)
def test_what_is_said_is_whole_lines(state: State, stream: bytes) -> None:
    dialogue = Dialogue(state, SMALL)
    dialogue.hear([stream])
    assert dialogue.said == b"" or dialogue.said.endswith(b"\r\n")
    for line in dialogue.said.split(b"\r\n")[:-1]:
        assert b"\r" not in line
        assert b"\n" not in line
        assert b" " in line


@given(states, streams)
def test_after_anything_a_session_goes_on_or_ends(state: State, stream: bytes) -> None:
    # Enough to end a line, a literal, a message, IDLE or an exchange of any length that SMALL allows.
    dialogue = Dialogue(state, SMALL)
    dialogue.hear([stream, b"\r\n" * 3000, b"z NOOP\r\n"])
    last = dialogue.events[-1] if dialogue.events else None
    assert last is not None
    assert type(last).__name__ in {"Noop", "Hangup"}
