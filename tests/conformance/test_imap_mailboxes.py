"""IMAP mailboxes: names, lists, subscriptions (RFC 3501 §5.1, §6.3; RFC 3348, 5258, 5819, 6154)."""

from collections.abc import Callable, Iterator

import pytest

from tests.conformance.imap_client import Answer, Imap, Lit

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture
def tree(imap: Imap) -> Iterator[Imap]:
    """A session with L, L/a, L/a/x, L/b, L/b/y and L/b/y/z, the last made in one go."""
    for name in (b"L", b"L/a", b"L/a/x", b"L/b/y/z"):
        imap.ok(b"CREATE " + name)
    yield imap
    for name in (b"L/b/y/z", b"L/b/y", b"L/b", b"L/a/x", b"L/a", b"L"):
        imap.ok(b"DELETE " + name)


def names(answer: Answer) -> list[bytes]:
    """The names listed, in order."""
    return [listed.name for listed in answer.listed]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (b'"" L', b"L"),
        (b'"" L/%', b"L/a L/b"),
        (b'"" L*', b"L L/a L/a/x L/b L/b/y L/b/y/z"),
        (b'"" L%', b"L"),
        (b'"" L/*', b"L/a L/a/x L/b L/b/y L/b/y/z"),
        (b'"" L/%/%', b"L/a/x L/b/y"),
        (b'"" %/%/%/%', b"L/b/y/z"),
        (b'"" "L/*/z"', b"L/b/y/z"),
        (b'"" L/%b*', b"L/b L/b/y L/b/y/z"),
        (b"L/ %", b"L/a L/b"),
        (b"L/b/ *", b"L/b/y L/b/y/z"),
        (b'"" l/a', b""),
        (b'"" L/', b""),
        (b'"" inbox', b"INBOX"),
        (b'"" iNb%', b"INBOX"),
        (b'"" nonesuch', b""),
    ],
)
def test_list_patterns(tree: Imap, arguments: bytes, found: bytes) -> None:
    assert names(tree.ok(b"LIST " + arguments)) == found.split()


def test_list_has_a_delimiter_and_a_root(imap: Imap) -> None:
    for reference in (b'""', b"foo", b'"L/"'):
        (root,) = imap.ok(b"LIST " + reference + b' ""').listed
        assert root.delimiter == b"/"
        assert b"\\Noselect" in root.attributes


def test_children(tree: Imap) -> None:
    attributes = {listed.name: listed.attributes for listed in tree.ok(b'LIST "" L*').listed}
    for name, listed in attributes.items():
        has = any(other.startswith(name + b"/") for other in attributes)
        assert (b"\\HasChildren" in listed) is has
        assert (b"\\HasNoChildren" in listed) is not has


def test_extended_list(tree: Imap) -> None:
    tree.ok(b"SUBSCRIBE L/a/x")
    assert names(tree.ok(b'LIST (SUBSCRIBED) "" L*')) == [b"L/a/x"]
    (above,) = tree.ok(b'LIST (RECURSIVEMATCH SUBSCRIBED) "" L').listed
    assert above.extended == [b"CHILDINFO", [b"SUBSCRIBED"]]
    assert names(tree.ok(b'LIST "" (L "L/b")')) == [b"L", b"L/b"]
    (subscribed,) = tree.ok(b'LIST "" L/a/x RETURN (SUBSCRIBED CHILDREN)').listed
    assert set(subscribed.attributes) == {b"\\Subscribed", b"\\HasNoChildren"}
    answer = tree.ok(b'LIST "" L/% RETURN (STATUS (MESSAGES UIDNEXT))')
    assert answer.data(b"STATUS") == [
        [b"L/a", {b"MESSAGES": 0, b"UIDNEXT": 1}],
        [b"L/b", {b"MESSAGES": 0, b"UIDNEXT": 1}],
    ]
    tree.ok(b"UNSUBSCRIBE L/a/x")
    for refused in (b'(X) "" *', b'(RECURSIVEMATCH) "" *', b'"" * RETURN (X)', b'"" ()', b'"" (a'):
        tree.bad(b"LIST " + refused)


def test_inbox_is_one_name_in_any_case(imap: Imap) -> None:
    imap.ok(b"CREATE iNbOx/below")
    for arguments in (b'"" inbox/%', b"InBox/ %", b'inbox "/*"', b'"" INBOX/below'):
        assert names(imap.ok(b"LIST " + arguments)) == [b"INBOX/below"]
    imap.select(b"inbox/below")
    imap.ok(b"DELETE INBOX/below")


def test_no_status_of_what_is_no_mailbox(imap: Imap) -> None:
    imap.ok(b"CREATE N/k")
    imap.ok(b"DELETE N")
    imap.ok(b"SUBSCRIBE absent")
    answer = imap.ok(b'LIST "" N* RETURN (STATUS (MESSAGES))')
    assert names(answer) == [b"N", b"N/k"]
    assert answer.data(b"STATUS") == [[b"N/k", {b"MESSAGES": 0}]]
    answer = imap.ok(b'LIST (SUBSCRIBED) "" absent RETURN (STATUS (MESSAGES))')
    assert b"\\NonExistent" in answer.listed[0].attributes
    assert answer.data(b"STATUS") == []
    imap.ok(b"UNSUBSCRIBE absent")
    imap.ok(b"DELETE N/k")


def test_special_use(imap: Imap) -> None:
    uses = {
        listed.name: [use for use in listed.attributes if use.startswith(b"\\") and b"Children" not in use]
        for listed in imap.ok(b'LIST (SPECIAL-USE) "" *').listed
    }
    assert uses == {name: [b"\\" + name] for name in (b"Archive", b"Drafts", b"Junk", b"Sent", b"Trash")}
    assert imap.no(b"CREATE another (USE (\\Sent))").code == b"USEATTR"


@pytest.mark.parametrize(
    "name",
    [
        b"with space",
        b'q"uote',
        b"back\\slash",
        b"(paren)",
        b"{5}",
        b"]",
        b"x&-y",
        b"&AOk-t&AOk-",
        b"&2D3eAA-",
        b"#hash",
        b"~tilde",
        b"INBOX/child",
        b"NIL",
        b"trailing ",
        b"n" * 200,
    ],
)
def test_odd_names_come_back_as_they_went(imap: Imap, name: bytes) -> None:
    imap.ok(b"CREATE ", Lit(name))
    assert name in names(imap.ok(b'LIST "" *'))
    assert imap.ok(b"STATUS ", Lit(name), b" (MESSAGES)").one(b"STATUS")[0] == name
    imap.ok(b"APPEND ", Lit(name), b" ", Lit(MESSAGE))
    imap.select(b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
    imap.ok(b"CLOSE")
    imap.ok(b"DELETE ", Lit(name))


@pytest.mark.parametrize(
    "name",
    [
        *(b"", b"/", b"/lead", b"a//b", b"p%", b"s*", b"..", b"a/../b", b"inbox"),
        *(b"&", b"&AOk", b"&AGE-", b"&2D0-", b"&AOk-&AOk-", b"&AAA-", b"&AA0-", b"a\x01"),
    ],
)
def test_names_that_cannot_be(imap: Imap, name: bytes) -> None:
    assert imap.do(b"CREATE ", Lit(name)).status in (b"NO", b"BAD")


def test_a_trailing_delimiter_says_that_children_will_follow(imap: Imap) -> None:
    imap.ok(b"CREATE tmp/")
    assert names(imap.ok(b'LIST "" tmp*')) == [b"tmp"]
    imap.ok(b"DELETE tmp")


def test_lsub_shows_subscriptions_and_what_is_above_them(imap: Imap) -> None:
    imap.ok(b"CREATE S/k/m")
    imap.ok(b"SUBSCRIBE S/k/m")
    assert names(imap.ok(b'LSUB "" S/*')) == [b"S/k/m"]
    (above,) = imap.ok(b'LSUB "" S').listed or imap.ok(b'LSUB "" S%').listed[:1]
    assert above.name == b"S"
    assert b"\\Noselect" in above.attributes
    for name in (b"S/k/m", b"S/k", b"S"):
        imap.ok(b"DELETE " + name)
    # RFC 3501 §6.3.6: a subscription outlives its mailbox.
    assert names(imap.ok(b'LSUB "" S/*')) == [b"S/k/m"]
    imap.ok(b"UNSUBSCRIBE S/k/m")
    assert names(imap.ok(b'LSUB "" S*')) == [b"Sent"]


def test_a_mailbox_with_children_is_deleted_to_a_level(imap: Imap) -> None:
    imap.ok(b"CREATE D/k")
    imap.ok(b"DELETE D")
    (level,) = imap.ok(b'LIST "" D').listed
    assert {b"\\Noselect", b"\\HasChildren"} <= set(level.attributes)
    imap.no(b"SELECT D")
    imap.no(b"DELETE D")
    imap.no(b"STATUS D (MESSAGES)")
    imap.ok(b"CREATE D")
    for name in (b"D/k", b"D"):
        imap.ok(b"DELETE " + name)


def test_rename_takes_children_and_messages_along(imap: Imap) -> None:
    imap.ok(b"CREATE R/a/b")
    imap.append(b"R/a", MESSAGE)
    before = imap.ok(b"STATUS R/a (MESSAGES UIDNEXT)").one(b"STATUS")[1]
    imap.ok(b"RENAME R Q/deep")
    assert names(imap.ok(b'LIST "" R*')) == []
    assert names(imap.ok(b'LIST "" Q*')) == [b"Q", b"Q/deep", b"Q/deep/a", b"Q/deep/a/b"]
    assert imap.ok(b"STATUS Q/deep/a (MESSAGES UIDNEXT)").one(b"STATUS")[1] == before
    for target in (b"Q/deep", b"Q/deep/x", b"INBOX", b"Sent"):
        imap.no(b"RENAME Q/deep " + target)
    imap.no(b"RENAME nonesuch x")
    for name in (b"Q/deep/a/b", b"Q/deep/a", b"Q/deep", b"Q"):
        imap.ok(b"DELETE " + name)


def test_renaming_inbox_moves_its_messages(imap: Imap, box: bytes) -> None:
    imap.ok(b"CREATE INBOX/kept")
    imap.append(b"INBOX", MESSAGE)
    count = imap.ok(b"STATUS INBOX (MESSAGES)").one(b"STATUS")[1]
    imap.ok(b"RENAME INBOX " + box + b"x")
    assert imap.ok(b"STATUS INBOX (MESSAGES)").one(b"STATUS")[1] == {b"MESSAGES": 0}
    assert imap.ok(b"STATUS " + box + b"x (MESSAGES)").one(b"STATUS")[1] == count
    assert names(imap.ok(b'LIST "" INBOX*')) == [b"INBOX", b"INBOX/kept"]
    imap.ok(b"DELETE INBOX/kept")
    imap.no(b"DELETE INBOX")


def test_a_name_made_anew_has_another_uidvalidity(imap: Imap, box: bytes) -> None:
    first = imap.ok(b"STATUS " + box + b" (UIDVALIDITY)").one(b"STATUS")
    imap.no(b"CREATE " + box)
    imap.ok(b"DELETE " + box)
    imap.no(b"DELETE " + box)
    imap.ok(b"CREATE " + box)
    assert imap.ok(b"STATUS " + box + b" (UIDVALIDITY)").one(b"STATUS") != first


def test_status(imap: Imap, box: bytes) -> None:
    imap.append(box, MESSAGE)
    imap.append(box, MESSAGE, b"(\\Seen)")
    (name, items) = imap.ok(b"STATUS " + box + b" (SIZE MESSAGES RECENT UIDNEXT UNSEEN)").one(b"STATUS")
    assert name == box
    size = 2 * len(MESSAGE)
    assert items == {b"SIZE": size, b"MESSAGES": 2, b"RECENT": 2, b"UIDNEXT": 3, b"UNSEEN": 1}
    imap.no(b"STATUS nonesuch (MESSAGES)")


def test_more_of_status(imap: Imap, box: bytes) -> None:
    imap.append(box, MESSAGE, b"(\\Deleted)")
    items = imap.ok(b"STATUS " + box + b" (DELETED DELETED-STORAGE APPENDLIMIT)").one(b"STATUS")[1]
    assert items == {b"DELETED": 1, b"DELETED-STORAGE": len(MESSAGE), b"APPENDLIMIT": 52428800}


def test_uids_are_never_used_again(imap: Imap, box: bytes) -> None:
    for _ in range(3):
        imap.append(box, MESSAGE, b"(\\Deleted)")
    imap.select(box)
    imap.ok(b"CLOSE")
    assert imap.append(box, MESSAGE) == 4


def test_a_select_that_fails_leaves_nothing_selected(imap: Imap, box: bytes) -> None:
    imap.select(box)
    imap.no(b"SELECT nonesuch")
    imap.bad(b"FETCH 1:* FLAGS")


def test_select_tells_the_first_unseen(imap: Imap, box: bytes) -> None:
    for flags in (b"(\\Seen)", b"(\\Seen)", b"()", b"(\\Seen)"):
        imap.append(box, MESSAGE, flags)
    unseen = imap.select(box).coded(b"UNSEEN")
    assert unseen is not None
    assert unseen.argument == b"3"


def test_recent_goes_to_one_session_and_examine_takes_it_from_none(
    imap: Imap, log_in: Callable[[], Imap], box: bytes
) -> None:
    imap.append(box, MESSAGE)
    other = log_in()
    other.select(box, examine=True)
    assert other.recent == 1
    imap.select(box)
    assert imap.recent == 1
    other.select(box)
    assert other.recent == 0
    assert imap.search(b"RECENT") == imap.search(b"NEW") == [1]
    assert other.search(b"OLD") == [1]


def test_examine_changes_nothing(imap: Imap, box: bytes) -> None:
    imap.append(box, MESSAGE, b"(\\Deleted)")
    imap.select(box, examine=True)
    for command in (b"STORE 1 +FLAGS (\\Seen)", b"EXPUNGE", b"UID EXPUNGE 1", b"MOVE 1 INBOX"):
        imap.no(command)
    imap.ok(b"FETCH 1 BODY[]")
    imap.ok(b"CLOSE")
    imap.select(box)
    assert imap.exists == 1
    assert imap.fetch(b"1 FLAGS")[0].flags == [b"\\Deleted", b"\\Recent"]


def test_close_expunges_silently_and_unselect_does_not(imap: Imap, box: bytes) -> None:
    imap.append(box, MESSAGE, b"(\\Deleted)")
    imap.select(box)
    assert imap.ok(b"UNSELECT").untagged == []
    imap.select(box)
    assert imap.exists == 1
    assert imap.ok(b"CLOSE").untagged == []
    imap.select(box)
    assert imap.exists == 0
