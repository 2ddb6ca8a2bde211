"""Laws of the IMAP core for any bytes whatever."""

from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.wire.table import State
from tests.properties.imap_commands import TAG, commands
from tests.properties.imap_dialogue import MOST_KEPT, SCRAPS, SMALL, Dialogue, check_said

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
    dialogue = Dialogue(state, SMALL)
    for piece in pieces:
        dialogue.hear([piece])
        assert dialogue.core.buffered() <= MOST_KEPT


@given(states, streams)
def test_what_is_said_is_whole_lines(state: State, stream: bytes) -> None:
    dialogue = Dialogue(state, SMALL)
    dialogue.hear([stream])
    check_said(dialogue.said)


@given(states, streams)
def test_after_anything_a_session_goes_on_or_ends(state: State, stream: bytes) -> None:
    # Enough to end a line, a literal, a message, IDLE or an exchange of any length that SMALL allows.
    dialogue = Dialogue(state, SMALL)
    dialogue.hear([stream, b"\r\n" * 3000, b"z NOOP\r\n"])
    last = dialogue.events[-1] if dialogue.events else None
    assert last is not None
    assert type(last).__name__ in {"Noop", "Hangup"}
