"""Commands of ACL, METADATA and QUOTA (RFC 4314 §7, RFC 5464 §5, RFC 9208 §7)."""

import pytest

from postroad.imap.wire.acl_commands import GetAcl, ListRights, MyRights, SetAcl
from postroad.imap.wire.acl_responses import acl, list_rights, my_rights
from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_commands import List
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.metadata import DEPTH_INFINITY, GetMetadata, SetMetadata
from postroad.imap.wire.metadata_responses import metadata, metadata_changed
from postroad.imap.wire.quota_commands import SetQuota
from postroad.imap.wire.table import State
from postroad.model.rights import ALL_RIGHTS, NO_RIGHTS, parse_rights
from tests.unit.imap.wire.dialogue import is_bad, parse

AFTER = State.AUTHENTICATED
INBOX = MailboxName("INBOX")


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (b"a SETACL INBOX bob@x.test lrs", SetAcl(b"a", INBOX, "bob@x.test", False, frozenset("lrs"))),
        (b"a setacl inbox -bob@x.test +cd", SetAcl(b"a", INBOX, "bob@x.test", True, frozenset("kxte"), "+")),
        (b'a SETACL INBOX {3+}\r\nbob "-w"', SetAcl(b"a", INBOX, "bob", False, frozenset("w"), "-")),
        (b'a SETACL INBOX "b\xc3\xb6b" ""', SetAcl(b"a", INBOX, "böb", False, NO_RIGHTS)),
        # SASLprep: a ligature is its letters (RFC 4013 §2.2).
        (b'a SETACL INBOX "\xef\xac\x81n" r', SetAcl(b"a", INBOX, "fin", False, frozenset("r"))),
        (b"a DELETEACL INBOX -anyone", SetAcl(b"a", INBOX, "anyone", True, None)),
        (b"a GETACL INBOX", GetAcl(b"a", INBOX)),
        (b"a LISTRIGHTS INBOX -smith", ListRights(b"a", INBOX, "smith", b"-smith")),
        (b"a MYRIGHTS INBOX", MyRights(b"a", INBOX)),
        (b"a GETMETADATA INBOX /shared/a", GetMetadata(b"a", INBOX, ("/shared/a",))),
        (b"a GETMETADATA INBOX /shared/a /private/c", GetMetadata(b"a", INBOX, ("/shared/a", "/private/c"))),
        (
            b'a GETMETADATA "" (MAXSIZE 10 DEPTH infinity) ("/shared/a" /private)',
            GetMetadata(b"a", MailboxName(""), ("/shared/a", "/private"), 10, DEPTH_INFINITY),
        ),
        (
            b"a GETMETADATA (depth 1) INBOX (/shared/a)",
            GetMetadata(b"a", INBOX, ("/shared/a",), None, 1),
        ),
        (
            b'a SETMETADATA INBOX (/shared/a "x" /private/B nil /shared/c ~{3+}\r\n\0\r\n)',
            SetMetadata(b"a", INBOX, (("/shared/a", b"x"), ("/private/B", None), ("/shared/c", b"\0\r\n"))),
        ),
        (
            b'a LIST "" % RETURN (METADATA (/shared/a /private/b) MYRIGHTS)',
            List(
                b"a",
                "",
                ("%",),
                returns=frozenset({"METADATA", "MYRIGHTS"}),
                metadata=("/shared/a", "/private/b"),
                extended=True,
            ),
        ),
        (b'a SETQUOTA "" ()', SetQuota(b"a", "", ())),
        (
            b"a SETQUOTA x (storage 9223372036854775807 MESSAGE 0)",
            SetQuota(b"a", "x", ((b"STORAGE", 2**63 - 1), (b"MESSAGE", 0))),
        ),
    ],
)
def test_commands(command: bytes, value: Command) -> None:
    assert parse(command, AFTER) == value


@pytest.mark.parametrize(
    "command",
    [
        b"SETACL INBOX bob",
        b"SETACL INBOX bob l r",
        b"SETACL INBOX - r",
        b'SETACL INBOX "a\x07" r',
        b'SETACL INBOX "\xff" r',
        b"SETACL INBOX bob *r",
        b"GETACL",
        b"MYRIGHTS INBOX x",
        b"GETMETADATA INBOX",
        b"GETMETADATA INBOX ()",
        b"GETMETADATA INBOX (/shared/a) /shared/b",
        b"GETMETADATA INBOX /shared/a (/shared/b)",
        b"GETMETADATA INBOX (MAXSIZE) /shared/a",
        b"GETMETADATA (DEPTH 0) INBOX (DEPTH 0) /shared/a",
        b"GETMETADATA INBOX /shared/" + b"a" * 250,
        b'GETMETADATA INBOX "/shared/\xc3\xa4"',
        b"SETMETADATA INBOX /shared/a NIL",
        b"SETMETADATA INBOX (/shared/a x)",
        b'SETMETADATA INBOX (/shared/a "x"/shared/b NIL)',
        b'LIST "" % RETURN (METADATA)',
        b"SETQUOTA x",
        b"SETQUOTA x (STORAGE -1)",
        b"SETQUOTA x (STORAGE 9223372036854775808)",
    ],
)
def test_bad_arguments(command: bytes) -> None:
    assert is_bad(command, AFTER)


def test_responses() -> None:
    assert acl(b"a b", [("ada", ALL_RIGHTS), ("-bob", frozenset("w"))]) == (
        b'ACL "a b" ada lrswipkxtencda -bob w'
    )
    assert acl(b"x", [("bob", NO_RIGHTS)]) == b'ACL x bob ""'
    told = list_rights(b"x", b"bob", NO_RIGHTS, ALL_RIGHTS)
    assert told == b'LISTRIGHTS x bob "" l r s w i p k x t e n a c d'
    assert list_rights(b"x", b"anyone", NO_RIGHTS, NO_RIGHTS) == b'LISTRIGHTS x anyone ""'
    assert my_rights(b"x", parse_rights("lrsd")) == b"MYRIGHTS x lrsted"
    assert metadata(b"", {"/shared/a": b"\0", "/private/b": None}) == (
        b'METADATA "" (/shared/a ~{1}\r\n\0 /private/b NIL)'
    )
    assert metadata_changed(b"x", ["/shared/a", "/private/b c"]) == b'METADATA x /shared/a "/private/b c"'
