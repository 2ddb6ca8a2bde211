"""IMAP messages: APPEND, FETCH, STORE, COPY, MOVE, EXPUNGE (RFC 3501 §6.4; RFC 3502, 4315, 6851)."""

from typing import Final

import pytest

from tests.conformance.imap_client import Imap, Lit

HEADER: Final = (
    b"From: Ada <ada@ours.test>\r\nTo: bob@ours.test\r\nSubject: hello\r\n there\r\n"
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <m1@ours.test>\r\n\r\n"
)
TEXT: Final = b"first line\r\nsecond line\r\n"
MESSAGE: Final = HEADER + TEXT


@pytest.fixture
def one(imap: Imap, box: bytes) -> Imap:
    """A session with MESSAGE selected."""
    imap.append(box, MESSAGE)
    imap.select(box)
    return imap


def octets(imap: Imap, item: bytes) -> bytes | None:
    """What FETCH gives for one section of message 1; it must be called as it was asked for."""
    (fetched,) = imap.fetch(b"1 " + item)
    assert len(fetched.sections) == 1, fetched
    return next(iter(fetched.sections.values()))


@pytest.mark.parametrize(
    ("macro", "items"),
    [
        (b"FAST", b"FLAGS INTERNALDATE RFC822.SIZE"),
        (b"all", b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"),
        (b"Full", b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY"),
    ],
)
def test_fetch_macros(one: Imap, macro: bytes, items: bytes) -> None:
    assert one.fetch(b"1 " + macro)[0].order == items.split()
    one.bad(b"FETCH 1 (" + macro + b")")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (b"BODY[]", MESSAGE),
        (b"BODY.PEEK[]", MESSAGE),
        (b"RFC822", MESSAGE),
        (b"RFC822.HEADER", HEADER),
        (b"BODY[HEADER]", HEADER),
        (b"body.peek[text]", TEXT),
        (b"RFC822.TEXT", TEXT),
        (b"BODY[1]", TEXT),
        (b"BODY[2]", None),
        (b"BODY[1.1]", None),
        (b"BODY[]<0.5>", MESSAGE[:5]),
        (b"BODY[]<5.10>", MESSAGE[5:15]),
        (b"BODY[]<0.4294967295>", MESSAGE),
        (b"BODY[]<99999.5>", b""),
        (b"BODY[TEXT]<20.100>", TEXT[20:]),
        (b"BODY[HEADER.FIELDS (subject FROM nope)]", HEADER[:27] + b"Subject: hello\r\n there\r\n\r\n"),
        (b"BODY[HEADER.FIELDS (Subject)]<3.10>", b"ject: hell"),
        (b"BODY[HEADER.FIELDS (nope)]", b"\r\n"),
        (b'BODY[HEADER.FIELDS.NOT ("To" Subject Date Message-Id)]', HEADER[:27] + b"\r\n"),
    ],
)
def test_fetch_sections(one: Imap, item: bytes, expected: bytes | None) -> None:
    assert octets(one, item) == expected


def test_field_names_may_be_literals(one: Imap) -> None:
    answer = one.ok(b"FETCH 1 BODY.PEEK[HEADER.FIELDS (", Lit(b"to"), b" ", Lit(b"Cc", plus=True), b")]")
    assert list(answer.fetched[0].sections.values()) == [b"To: bob@ours.test\r\n\r\n"]


def test_several_sections_of_one_message(one: Imap) -> None:
    (fetched,) = one.fetch(b"1 (UID BODY.PEEK[]<0.5> BODY.PEEK[]<5.5> BODY.PEEK[TEXT]<0.2> RFC822.SIZE)")
    assert fetched.sections == {
        b"BODY[]<0>": MESSAGE[:5],
        b"BODY[]<5>": MESSAGE[5:10],
        b"BODY[TEXT]<0>": b"fi",
    }
    assert fetched.size == len(MESSAGE)


@pytest.mark.parametrize(
    "item",
    [
        *(
            b"",
            b"()",
            b"(FLAGS",
            b"FLAGS UID",
            b"(FLAGS  UID)",
            b"XFLAGS",
            b"BODY[",
            b"BODY.PEEK",
            b"RFC822[]",
        ),
        *(b"BODY[]<0.0>", b"BODY[]<0>", b"BODY[MIME]", b"BODY[0]", b"BODY[1.]", b"BODY[.1]", b"BODY[X]"),
        *(b"BODY[HEADER.FIELDS]", b"BODY[HEADER.FIELDS ()]", b"BODY[TEXT.FIELDS (a)]", b"BODYSTRUCTURE[]"),
    ],
)
def test_fetch_items_that_are_none(one: Imap, item: bytes) -> None:
    one.bad(b"FETCH 1 " + item)


@pytest.mark.parametrize(
    "numbers", [b"0", b"1:", b":1", b"a", b"2", b"1,,1", b"1,", b"-1", b"4294967296", b"01", b"1:2", b"$x"]
)
def test_message_numbers_that_are_none(one: Imap, numbers: bytes) -> None:
    one.bad(b"FETCH " + numbers + b" FLAGS")
    one.bad(b"STORE " + numbers + b" FLAGS (\\Seen)")


@pytest.mark.parametrize("numbers", [b"1", b"*", b"1:*", b"*:1", b"*:*", b"1,1,*"])
def test_all_ways_to_name_the_one_message(one: Imap, numbers: bytes) -> None:
    assert [fetched.uid for fetched in one.fetch(numbers + b" UID")] == [1]


@pytest.mark.parametrize(
    ("uids", "found"),
    [(b"1", [1]), (b"7", []), (b"7:9", []), (b"7:*", [1]), (b"*:7", [1]), (b"1:4294967295", [1])],
)
def test_unknown_uids_are_nobody_s_fault(one: Imap, uids: bytes, found: list[int]) -> None:
    assert [fetched.uid for fetched in one.fetch(b"UID FETCH " + uids + b" FLAGS")] == found
    assert one.ok(b"UID STORE " + uids + b" +FLAGS ()").status == b"OK"


@pytest.mark.parametrize("item", [b"BODY[]", b"RFC822", b"RFC822.TEXT", b"BODY[1]", b"BODY[TEXT]<0.1>"])
def test_reading_sets_seen(one: Imap, item: bytes) -> None:
    answer = one.ok(b"FETCH 1 " + item)
    flags = [fetched.flags for fetched in answer.fetched if fetched.flags is not None]
    assert flags == [[b"\\Seen", b"\\Recent"]]
    assert all(fetched.flags is None for fetched in one.fetch(b"1 " + item))


def test_peeking_does_not_set_seen(one: Imap) -> None:
    one.ok(b"FETCH 1 (RFC822.HEADER BODY.PEEK[] BODY.PEEK[TEXT] ENVELOPE BODY BODYSTRUCTURE)")
    assert one.fetch(b"1 FLAGS")[0].flags == [b"\\Recent"]


def test_an_empty_mailbox_has_no_numbers(imap: Imap, box: bytes) -> None:
    imap.select(box)
    for command in (
        b"FETCH 1 FLAGS",
        b"FETCH 1:* FLAGS",
        b"FETCH * FLAGS",
        b"STORE * FLAGS ()",
        b"COPY 1:* x",
    ):
        imap.bad(command)
    for command in (
        b"UID FETCH 1:* FLAGS",
        b"UID STORE * FLAGS ()",
        b"UID COPY 1:* INBOX",
        b"UID MOVE 1 INBOX",
    ):
        assert imap.ok(command).untagged == []
    for command in (b"SEARCH ALL", b"SEARCH 1:*", b"UID SEARCH UID *"):
        assert imap.ok(command).one(b"SEARCH") == []
    assert imap.ok(b"EXPUNGE").untagged == imap.ok(b"UID EXPUNGE 1:*").untagged == []


# -- STORE -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "flags"),
    [
        (b"FLAGS (\\Seen \\Answered)", [b"\\Answered", b"\\Seen"]),
        (b"FLAGS \\Flagged \\Draft", [b"\\Flagged", b"\\Draft"]),
        (b"flags ()", []),
        (b"+FLAGS (\\DELETED)", [b"\\Deleted", b"$Kept"]),
        (b"-FLAGS ($KEPT)", []),
        (b"+FLAGS ($kept)", [b"$Kept"]),
        (b"FLAGS (NonJunk $Forwarded a.b)", [b"NonJunk", b"$Forwarded", b"a.b"]),
    ],
)
def test_store(one: Imap, items: bytes, flags: list[bytes]) -> None:
    one.ok(b"STORE 1 FLAGS.SILENT ($Kept)")
    (told,) = one.ok(b"STORE 1 " + items).fetched
    assert told.flags is not None
    stored = one.fetch(b"1 FLAGS")[0].flags
    assert stored == told.flags
    assert {flag.lower() for flag in stored} - {b"\\recent"} == {flag.lower() for flag in flags}


def test_a_new_keyword_is_announced(one: Imap) -> None:
    answer = one.ok(b"STORE 1 +FLAGS.SILENT (brandnew)")
    assert answer.fetched == []
    assert b"brandnew" in answer.one(b"FLAGS")
    permanent = answer.coded(b"PERMANENTFLAGS")
    assert permanent is not None
    assert permanent.argument.endswith(b" brandnew \\*)")


@pytest.mark.parametrize(
    "items",
    [
        b"FLAGS",
        b"FLAGS ",
        b"FLAG (\\Seen)",
        b"FLAGS (\\Seen",
        b"*FLAGS ()",
        b"FLAGS (\\Bogus)",
        b"FLAGS (\\*)",
    ],
)
def test_store_items_that_are_none(one: Imap, items: bytes) -> None:
    one.bad(b"STORE 1 " + items)


# -- APPEND ----------------------------------------------------------------


def test_append_keeps_flags_date_and_octets(imap: Imap, box: bytes) -> None:
    imap.ok(b"APPEND " + box + b' (\\Seen kw) " 7-Feb-1994 23:52:25 -0800" ', Lit(MESSAGE + b"\xff\xfe\n\r"))
    imap.select(box)
    (fetched,) = imap.fetch(b"1 (FLAGS INTERNALDATE BODY.PEEK[])")
    assert fetched.flags == [b"\\Seen", b"kw", b"\\Recent"]
    assert fetched.internaldate == b'" 8-Feb-1994 07:52:25 +0000"'
    assert fetched.sections[b"BODY[]"] == MESSAGE + b"\xff\xfe\n\r"


@pytest.mark.parametrize(
    "name", [b"%b", b'"%b"', b"{%d}", b"{%d+}"], ids=["atom", "quoted", "literal", "literal-plus"]
)
def test_append_names_the_mailbox_in_any_form(imap: Imap, box: bytes, name: bytes) -> None:
    if name.startswith(b"{"):
        answer = imap.ok(b"APPEND ", Lit(box, b"+" in name), b" ", Lit(MESSAGE, b"+" in name))
    else:
        answer = imap.ok(b"APPEND " + name % box + b" ", Lit(MESSAGE))
    assert answer.code == b"APPENDUID"


@pytest.mark.parametrize("plus", [False, True])
def test_append_to_nowhere_helps_to_create(imap: Imap, plus: bool) -> None:
    answer = imap.do(b"APPEND nonesuch ", Lit(MESSAGE, plus))
    assert (answer.status, answer.code) == (b"NO", b"TRYCREATE")
    imap.ok(b"NOOP")


@pytest.mark.parametrize(
    "middle",
    [b'"32-Jan-2020 00:00:00 +0000" ', b'"1" ', b"(\\Seen ", b"(\\Bogus) ", b"\\Seen ", b"NIL ", b" "],
)
def test_append_with_bad_arguments(imap: Imap, box: bytes, middle: bytes) -> None:
    assert imap.do(b"APPEND " + box + b" " + middle, Lit(MESSAGE, plus=True)).status == b"BAD"
    imap.ok(b"NOOP")


@pytest.mark.parametrize("tail", [b" ", b" x", b" (\\Seen)", b" {1+}\r\nx ", b"{1+}\r\nx", b" x {1+}\r\nx"])
def test_append_with_something_behind_the_message(imap: Imap, box: bytes, tail: bytes) -> None:
    imap.bad(b"APPEND " + box + b" ", Lit(MESSAGE), tail)
    assert imap.ok(b"STATUS " + box + b" (MESSAGES)").one(b"STATUS")[1] == {b"MESSAGES": 0}


def test_many_messages_in_one_append(imap: Imap, box: bytes) -> None:
    """RFC 3502: all of them, in their order; an empty one cancels all."""
    imap.no(b"APPEND " + box + b" ", Lit(MESSAGE), b" ", Lit(b""))
    assert imap.ok(b"STATUS " + box + b" (MESSAGES)").one(b"STATUS")[1] == {b"MESSAGES": 0}
    answer = imap.ok(b"APPEND " + box + b" ", Lit(MESSAGE), b" (\\Seen) ", Lit(MESSAGE, plus=True))
    assert answer.argument.split()[1] == b"1:2"


def test_nul_has_no_place_in_a_message(imap: Imap, box: bytes) -> None:
    imap.no(b"APPEND " + box + b" ", Lit(b"Subject: x\r\n\r\na\0b\r\n"))


def test_a_message_that_is_too_big_is_not_invited(imap: Imap, box: bytes) -> None:
    imap.send(b"a APPEND " + box + b" {52428801}\r\nb NOOP\r\n")
    assert imap.raw().startswith(b"a NO [TOOBIG]")
    assert imap.raw().startswith(b"b OK")


def test_an_append_that_breaks_off_leaves_nothing(imap: Imap, box: bytes) -> None:
    imap.send(b"a APPEND " + box + b" {100}\r\n")
    assert imap.raw().startswith(b"+ ")
    imap.send(b"half")
    imap.end_writing()
    imap.to_end()


def test_append_to_the_selected_mailbox_is_told_at_once(one: Imap, box: bytes) -> None:
    one.append(box, MESSAGE)
    assert one.exists == 2


def test_fifty_megabytes(imap: Imap, box: bytes) -> None:
    message = HEADER + b"".join([b"%065d\r\n" % n for n in range(50 * 1024 * 1024 // 67 - 10)])
    imap.append(box, message)
    imap.select(box)
    (fetched,) = imap.fetch(b"1 (RFC822.SIZE BODY.PEEK[])")
    assert fetched.size == len(message)
    assert fetched.sections[b"BODY[]"] == message
    end = len(message) - 100
    assert octets(imap, b"BODY.PEEK[]<%d.500>" % end) == message[-100:]
    imap.ok(b"STORE 1 +FLAGS (\\Deleted)")
    imap.ok(b"CLOSE")


# -- COPY, MOVE, EXPUNGE ---------------------------------------------------


@pytest.fixture
def five(imap: Imap, box: bytes) -> Imap:
    """A session with five messages selected; Sent is empty."""
    for number in range(5):
        imap.append(box, b"Subject: %d\r\n\r\n" % number, b"(\\Seen kw)" if number % 2 else b"")
    imap.select(b"Sent")
    if imap.exists:
        imap.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    imap.ok(b"CLOSE")
    imap.select(box)
    return imap


def _uids(copyuid: bytes) -> tuple[bytes, int]:
    _, source, target = copyuid.split(b" ")
    return source, sum(int(last or first) - int(first) + 1 for first, _, last in
                       [part.partition(b":") for part in target.split(b",")])  # fmt: skip


def test_copy_keeps_flags_and_tells_uids(five: Imap) -> None:
    answer = five.ok(b"COPY 1,3:4 Sent")
    assert answer.code == b"COPYUID"
    assert _uids(answer.argument) == (b"1,3:4", 3)
    assert _uids(five.ok(b"UID COPY 2,99 Sent").argument) == (b"2", 1)
    five.select(b"Sent")
    told = [(fetched.flags or [])[:-1] for fetched in five.fetch(b"1:* FLAGS")]
    assert told == [[], [], [b"\\Seen", b"kw"], [b"\\Seen", b"kw"]]


def test_copy_into_the_same_mailbox(five: Imap, box: bytes) -> None:
    five.ok(b"COPY 1:2 " + box)
    assert five.exists == 7
    assert [fetched.uid for fetched in five.fetch(b"1:* UID")] == [1, 2, 3, 4, 5, 6, 7]


def test_copy_and_move_to_nowhere_help_to_create(five: Imap) -> None:
    for command in (b"COPY 1 nonesuch", b"UID COPY 1 nonesuch", b"MOVE 1 nonesuch", b"UID MOVE 1 nonesuch"):
        assert five.no(command).code == b"TRYCREATE"


def test_move_tells_copyuid_before_expunge(five: Imap) -> None:
    answer = five.ok(b"MOVE 2:3 Sent")
    coded = answer.coded(b"COPYUID")
    assert coded is not None
    assert _uids(coded.argument) == (b"2:3", 2)
    assert answer.untagged.index(coded) == 0
    assert sorted(answer.expunged) in ([2, 2], [2, 3])
    assert [fetched.uid for fetched in five.fetch(b"1:* UID")] == [1, 4, 5]
    five.ok(b"UID MOVE 4,99 Sent")
    assert five.exists == 2
    assert five.ok(b"UID MOVE 99 Sent").untagged == []


def test_move_into_the_same_mailbox(five: Imap, box: bytes) -> None:
    five.ok(b"MOVE 1 " + box)
    assert [fetched.uid for fetched in five.fetch(b"1:* UID")] == [2, 3, 4, 5, 6]


def test_expunge_removes_what_is_deleted_and_numbers_follow(five: Imap) -> None:
    five.ok(b"STORE 1,3:4 +FLAGS.SILENT (\\Deleted)")
    assert len(five.ok(b"EXPUNGE").expunged) == 3
    assert [fetched.uid for fetched in five.fetch(b"1:* UID")] == [2, 5]


def test_uid_expunge_removes_no_others(five: Imap) -> None:
    five.ok(b"STORE 1:4 +FLAGS.SILENT (\\Deleted)")
    assert len(five.ok(b"UID EXPUNGE 2:3,5,77:99").expunged) == 2
    assert [fetched.uid for fetched in five.fetch(b"1:* UID")] == [1, 4, 5]
    assert five.ok(b"UID EXPUNGE 88").expunged == []
    five.bad(b"UID EXPUNGE")
    five.bad(b"EXPUNGE 1")
