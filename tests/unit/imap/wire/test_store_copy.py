"""STORE, COPY, MOVE, EXPUNGE and the other commands of a selected mailbox (RFC 3501 §6.4)."""

import pytest

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_commands import Check, Close, Unselect
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.message_commands import Copy, Expunge, FlagList, Move, Store, StoreMode
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.model.flags import Flag
from tests.unit.imap.wire.dialogue import is_bad, parse

TWO_TO_FOUR = SequenceSet(((2, 4),))
MEETING = MailboxName("MEETING")


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (b"FXXZ CHECK", Check(b"FXXZ")),
        (b"A341 CLOSE", Close(b"A341")),
        (b"a UNSELECT", Unselect(b"a")),
        (b"A202 EXPUNGE", Expunge(b"A202")),
        (b"A003 UID EXPUNGE 3000:3002", Expunge(b"A003", SequenceSet(((3000, 3002),)))),
        (b"A003 COPY 2:4 MEETING", Copy(b"A003", TWO_TO_FOUR, MEETING)),
        (b"A003 uid copy 2:4 MEETING", Copy(b"A003", TWO_TO_FOUR, MEETING, uid=True)),
        (b"a MOVE 2:4 MEETING", Move(b"a", TWO_TO_FOUR, MEETING)),
        (b"a UID MOVE 2:4 MEETING", Move(b"a", TWO_TO_FOUR, MEETING, uid=True)),
        (
            b"A003 STORE 2:4 +FLAGS (\\Deleted)",
            Store(b"A003", TWO_TO_FOUR, "add", FlagList(Flag.DELETED)),
        ),
        (
            b"d105 UID STORE 2:4 (UNCHANGEDSINCE 121230045) flags.silent ()",
            Store(b"d105", TWO_TO_FOUR, "set", FlagList(), True, True, 121230045),
        ),
        (
            b"a STORE 2:4 (UNCHANGEDSINCE 0) -FLAGS x",
            Store(b"a", TWO_TO_FOUR, "remove", FlagList(0, frozenset({"x"})), unchanged_since=0),
        ),
    ],
)
def test_commands(command: bytes, value: Command) -> None:
    assert parse(command) == value


@pytest.mark.parametrize(
    ("item", "mode", "silent"),
    [
        (b"FLAGS", "set", False),
        (b"FLAGS.SILENT", "set", True),
        (b"+flags", "add", False),
        (b"+FLAGS.SILENT", "add", True),
        (b"-FLAGS", "remove", False),
        (b"-Flags.Silent", "remove", True),
    ],
)
def test_store_items(item: bytes, mode: StoreMode, silent: bool) -> None:
    assert parse(b"a STORE 2:4 " + item + b" (\\Seen)") == Store(
        b"a", TWO_TO_FOUR, mode, FlagList(Flag.SEEN), silent
    )


@pytest.mark.parametrize(
    ("flags", "value"),
    [
        (b"()", FlagList()),
        (b"\\Seen", FlagList(Flag.SEEN)),
        (b"\\seen \\FLAGGED", FlagList(Flag.SEEN | Flag.FLAGGED)),
        (b"(\\Answered \\Flagged \\Deleted \\Seen \\Draft)", FlagList(31)),
        (b"($MDNSent foo \\Seen)", FlagList(Flag.SEEN, frozenset({"$MDNSent", "foo"}))),
        (b"(\\Recent)", FlagList()),
        (b"(\\Recent \\Seen)", FlagList(Flag.SEEN)),
    ],
)
def test_flags(flags: bytes, value: FlagList) -> None:
    command = parse(b"a STORE 1 FLAGS " + flags)
    assert isinstance(command, Store)
    assert command.flags == value


@pytest.mark.parametrize(
    "command",
    [
        b"CHECK x",
        b"CLOSE x",
        b"EXPUNGE 1",
        b"UID EXPUNGE",
        b"COPY",
        b"COPY 1",
        b"COPY x y",
        b"COPY 1 y z",
        b"MOVE 1",
        b"STORE",
        b"STORE 1",
        b"STORE 1 FLAGS",
        b"STORE 1 FLAGS ",
        b"STORE 1 FLAGS (\\Foo)",
        b"STORE 1 FLAGS (\\)",
        b"STORE 1 FLAGS (a",
        b"STORE 1 FLAGS (a )",
        b"STORE 1 FLAGS a)",
        b"STORE 1 FLAGS (a) b",
        b'STORE 1 FLAGS ("a")',
        b"STORE 1 FLAGS (\\*)",
        b"STORE 1 FLAGS (a]b)",
        b"STORE 1 FLAG (a)",
        b"STORE 1 *FLAGS (a)",
        b"STORE 1 FLAGS.LOUD (a)",
        b"STORE 1 () FLAGS (a)",
        b"STORE 1 (FOO 1) FLAGS (a)",
        b"STORE 1 (UNCHANGEDSINCE x) FLAGS (a)",
        b"STORE 1 FLAGS (\xc3\xbc)",
    ],
)
def test_what_is_refused(command: bytes) -> None:
    assert is_bad(command)
