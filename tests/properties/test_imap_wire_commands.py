"""Laws of the IMAP grammar: what is written is what is read."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.event import AppendEnd, Event, LiteralChunk
from postroad.imap.wire.mailbox_name import decode_mailbox
from postroad.imap.wire.message_commands import AppendStart
from postroad.imap.wire.responses import compress_uids
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.table import State
from postroad.message.utf7 import decode_utf7, encode_utf7
from tests.properties.imap_annotations import annotated_appends, annotation_commands
from tests.properties.imap_commands import TAG, Written, appends, commands, log_ins, sets
from tests.unit.imap.wire.dialogue import PLAIN


def read(wire: bytes, state: State) -> tuple[list[Event], bytes]:
    core = ImapServerCore(offered=PLAIN)
    core.state = state
    core.receive(TAG + b" " + wire + b"\r\n")
    seen: list[Event] = []
    while (event := core.next_event()) is not None:
        seen.append(event)
        if isinstance(event, AppendStart):
            core.accept_literal()
    return seen, core.data_to_send()


@given(commands | annotation_commands())
def test_a_written_command_is_read_as_its_value(written: Written) -> None:
    wire, value = written
    assert read(wire, State.SELECTED) == ([value], b"")


@given(log_ins())
def test_a_log_in_is_read_as_its_value(written: Written) -> None:
    wire, value = written
    assert read(wire, State.NOT_AUTHENTICATED) == ([value], b"")


@given(appends() | annotated_appends())
def test_an_append_is_read_as_its_value(written: tuple[bytes, AppendStart, bytes]) -> None:
    wire, head, message = written
    chunk: list[Event] = [LiteralChunk(message)] if message else []
    assert read(wire, State.AUTHENTICATED) == ([head, *chunk, AppendEnd(TAG)], b"")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_modified_utf7_round_trip(text: str) -> None:
    wire = encode_utf7(text)
    assert wire.isascii()
    assert decode_utf7(wire) == text


@given(st.binary())
def test_a_name_is_valid_in_one_spelling_only(raw: bytes) -> None:
    name = decode_mailbox(raw)
    if name.valid and name.name != "INBOX":
        assert (encode_utf7(name.name) if raw.isascii() else name.name.encode()) == raw


@given(sets, st.integers(1, 0xFFFFFFFF))
def test_a_resolved_set_ascends_and_is_disjoint(value: SequenceSet, highest: int) -> None:
    resolved = value.resolve(highest)
    assert all(low <= high for low, high in resolved)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(resolved))


def expand(text: bytes) -> list[int]:
    numbers: list[int] = []
    for item in text.decode().split(",") if text else []:
        low, _, high = item.partition(":")
        numbers.extend(range(int(low), int(high or low) + 1))
    return numbers


@given(st.lists(st.integers(1, 60)))
def test_a_compressed_set_holds_the_same_numbers_in_the_same_order(uids: Sequence[int]) -> None:
    assert expand(compress_uids(uids)) == uids
