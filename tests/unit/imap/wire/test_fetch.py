"""FETCH (RFC 3501 §6.4.5, RFC 7162 §3.1.4)."""

import pytest

from postroad.imap.wire import fetch_items
from postroad.imap.wire.fetch_items import FetchAttribute as A
from postroad.imap.wire.fetch_items import FetchItem, FetchSection, SectionForm
from postroad.imap.wire.message_commands import Fetch
from postroad.imap.wire.sequence_set import SequenceSet
from tests.unit.imap.wire.dialogue import is_bad, parse


def items(text: bytes) -> tuple[FetchItem, ...]:
    command = parse(b"t FETCH 1 " + text)
    assert isinstance(command, Fetch)
    return command.items


def test_the_example_of_the_rfc() -> None:
    assert parse(b"A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])") == Fetch(
        b"A654",
        SequenceSet(((2, 4),)),
        (
            A.FLAGS,
            FetchSection(b"BODY[HEADER.FIELDS (DATE FROM)]", text="HEADER", fields=(b"DATE", b"FROM")),
        ),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"ALL", (A.FLAGS, A.INTERNALDATE, A.SIZE, A.ENVELOPE)),
        (b"fast", (A.FLAGS, A.INTERNALDATE, A.SIZE)),
        (b"FULL", (A.FLAGS, A.INTERNALDATE, A.SIZE, A.ENVELOPE, A.BODY)),
        (b"FLAGS", (A.FLAGS,)),
        (b"(uid flags)", (A.UID, A.FLAGS)),
        (b"BODYSTRUCTURE", (A.BODYSTRUCTURE,)),
        (b"BODY", (A.BODY,)),
        (b"(MODSEQ)", (A.MODSEQ,)),
        (b"(FLAGS FLAGS BODY[] BODY[])", (A.FLAGS, FetchSection(b"BODY[]"))),
    ],
)
def test_attributes(text: bytes, value: tuple[FetchItem, ...]) -> None:
    assert items(text) == value


def test_macros_are_the_tuples_of_the_module() -> None:
    assert items(b"ALL") is fetch_items.ALL


@pytest.mark.parametrize(
    ("text", "section"),
    [
        (b"RFC822", FetchSection(b"RFC822")),
        (b"RFC822.HEADER", FetchSection(b"RFC822.HEADER", text="HEADER", peek=True)),
        (b"RFC822.TEXT", FetchSection(b"RFC822.TEXT", text="TEXT")),
        (b"BODY[]", FetchSection(b"BODY[]")),
        (b"body.peek[]", FetchSection(b"BODY[]", peek=True)),
        (b"BODY[TEXT]", FetchSection(b"BODY[TEXT]", text="TEXT")),
        (b"BODY[header]", FetchSection(b"BODY[HEADER]", text="HEADER")),
        (b"BODY[1]", FetchSection(b"BODY[1]", (1,))),
        (b"BODY[4.1.MIME]", FetchSection(b"BODY[4.1.MIME]", (4, 1), "MIME")),
        (b"BODY[3.HEADER]", FetchSection(b"BODY[3.HEADER]", (3,), "HEADER")),
        (b"BODY[4.2.2.1]", FetchSection(b"BODY[4.2.2.1]", (4, 2, 2, 1))),
        (b"BINARY[1.2]", FetchSection(b"BINARY[1.2]", (1, 2), form=SectionForm.DECODED)),
        (
            b"binary.peek[]<5.7>",
            FetchSection(b"BINARY[]<5>", peek=True, partial=(5, 7), form=SectionForm.DECODED),
        ),
        (b"BINARY.SIZE[1]", FetchSection(b"BINARY.SIZE[1]", (1,), peek=True, form=SectionForm.DECODED_SIZE)),
        (b"BODY[]<0.2048>", FetchSection(b"BODY[]<0>", partial=(0, 2048))),
        (b"BODY.PEEK[1]<10.1>", FetchSection(b"BODY[1]<10>", (1,), peek=True, partial=(10, 1))),
        (
            b"BODY[2.HEADER.FIELDS.NOT (a B)]",
            FetchSection(b"BODY[2.HEADER.FIELDS.NOT (a B)]", (2,), "HEADER", (b"a", b"B"), True),
        ),
        (
            b'BODY[HEADER.FIELDS ("X-(")]',
            FetchSection(b'BODY[HEADER.FIELDS ("X-(")]', text="HEADER", fields=(b"X-(",)),
        ),
    ],
)
def test_sections(text: bytes, section: FetchSection) -> None:
    assert items(text) == (section,)
    assert items(b"(" + text + b")") == (section,)


def test_uid_fetch_has_the_uid() -> None:
    command = parse(b"A999 UID FETCH 4827313:4828442 FLAGS")
    assert command == Fetch(b"A999", SequenceSet(((4827313, 4828442),)), (A.UID, A.FLAGS), uid=True)


def test_uid_is_not_doubled() -> None:
    command = parse(b"a UID FETCH 1 (FLAGS UID)")
    assert isinstance(command, Fetch)
    assert command.items == (A.FLAGS, A.UID)


def test_changed_since() -> None:
    assert parse(b"s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)") == Fetch(
        b"s100", SequenceSet(((1, None),)), (A.UID, A.FLAGS, A.MODSEQ), True, 12345
    )


def test_changed_since_nothing_known_is_everything() -> None:
    command = parse(b"s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 0)")
    assert isinstance(command, Fetch)
    assert command.changed_since == 0


def test_vanished() -> None:
    command = parse(b"s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)")
    assert isinstance(command, Fetch)
    assert (command.changed_since, command.vanished) == (12345, True)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"()",
        b"(FLAGS",
        b"FLAGS)",
        b"(FLAGS )",
        b"( FLAGS)",
        b"(FLAGS  UID)",
        b"FLAGS UID",
        b"(ALL)",
        b"(ALL FLAGS)",
        b"FOO",
        b"(FLAGS FOO)",
        b"FLAGS[]",
        b"RFC822[]",
        b"BODY.PEEK",
        b"BODYSTRUCTURE[]",
        b"BODY[",
        b"BODY[0]",
        b"BODY[1.0]",
        b"BODY[01]",
        b"BODY[1.]",
        b"BODY[.1]",
        b"BODY[1..2]",
        b"BODY[.TEXT]",
        b"BODY[1TEXT]",
        b"BODY[MIME]",
        b"BODY[FOO]",
        b"BODY[HEADERS]",
        b"BODY[TEXT.FIELDS (a)]",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS (a]",
        b"BODY[HEADER.FIELDS (a:)]",
        b'BODY[HEADER.FIELDS ("a b")]',
        b'BODY[HEADER.FIELDS ("")]',
        b"BODY[]<0>",
        b"BINARY",
        b"BINARY[TEXT]",
        b"BINARY.PEEK[1.MIME]",
        b"BINARY.SIZE[HEADER]",
        b"BINARY[1]<0>",
        b"BINARY.SIZE[1]<0.1>",
        b"BODY[]<0.0>",
        b"BODY[]<1.4294967296>",
        b"BODY[]<-1.5>",
        b"BODY[]<0.5",
        b"BODY []",
        b"FLAGS (CHANGEDSINCE)",
        b"FLAGS (CHANGEDSINCE 9223372036854775808)",
        b"FLAGS (FOO 1)",
        b"FLAGS ()",
        b"FLAGS (CHANGEDSINCE 1) x",
        b"FLAGS (CHANGEDSINCE 1 VANISHED)",
        b"FLAGS\x00",
    ],
)
def test_what_is_refused(text: bytes) -> None:
    assert is_bad(b"FETCH 1 " + text)


def test_vanished_needs_changed_since() -> None:
    assert is_bad(b"UID FETCH 1 FLAGS (VANISHED)")


def test_a_header_name_from_a_literal_cannot_break_the_response() -> None:
    assert is_bad(b"FETCH 1 BODY[HEADER.FIELDS ({6+}\r\nA\r\nB: )]")
