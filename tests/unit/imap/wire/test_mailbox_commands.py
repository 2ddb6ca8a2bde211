"""Commands about mailboxes (RFC 3501 §6.3)."""

import pytest

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_commands import (
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    List,
    Lsub,
    QuickResync,
    Rename,
    Select,
    Status,
    Subscribe,
)
from postroad.imap.wire.mailbox_name import MailboxName
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.status_item import StatusItem
from postroad.imap.wire.table import State
from tests.unit.imap.wire.dialogue import is_bad, parse

AFTER = State.AUTHENTICATED
INBOX = MailboxName("INBOX")


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (b"A142 SELECT INBOX", Select(b"A142", INBOX)),
        (b'A142 select "inbox"', Select(b"A142", INBOX)),
        (b"A932 EXAMINE blurdybloop", Select(b"A932", MailboxName("blurdybloop"), read_only=True)),
        (b'a SELECT "a \\"b\\""', Select(b"a", MailboxName('a "b"'))),
        (b"a SELECT Entw&APw-rfe", Select(b"a", MailboxName("Entwürfe"))),
        (b"a SELECT &AGE-", Select(b"a", MailboxName("&AGE-", valid=False))),
        (b"a SELECT INBOX (CONDSTORE)", Select(b"a", INBOX, condstore=True)),
        (
            b"A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
            Select(
                b"A02",
                INBOX,
                qresync=QuickResync(
                    67890007, 20050715194045000, SequenceSet(((41, 41), (43, 211), (214, 541)))
                ),
            ),
        ),
        (
            b"a SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211 (1 5)) CONDSTORE)",
            Select(
                b"a",
                INBOX,
                condstore=True,
                qresync=QuickResync(
                    67890007,
                    90060115194045000,
                    SequenceSet(((41, 211),)),
                    SequenceSet(((1, 1),)),
                    SequenceSet(((5, 5),)),
                ),
            ),
        ),
        (
            b"a SELECT INBOX (QRESYNC (1 2 (1:3 5:7)))",
            Select(
                b"a",
                INBOX,
                qresync=QuickResync(1, 2, None, SequenceSet(((1, 3),)), SequenceSet(((5, 7),))),
            ),
        ),
        (b"A003 CREATE owatagusiam/", Create(b"A003", MailboxName("owatagusiam/"))),
        (
            b"t1 CREATE MySpecial (USE (\\Drafts \\Sent))",
            Create(b"t1", MailboxName("MySpecial"), ("\\Drafts", "\\Sent")),
        ),
        (b"t1 CREATE Plain (USE ())", Create(b"t1", MailboxName("Plain"))),
        (b"A683 DELETE blurdybloop", Delete(b"A683", MailboxName("blurdybloop"))),
        (
            b"Z432 RENAME INBOX old-mail",
            Rename(b"Z432", INBOX, MailboxName("old-mail")),
        ),
        (
            b"A002 SUBSCRIBE #news.comp.mail.mime",
            Subscribe(b"A002", MailboxName("#news.comp.mail.mime")),
        ),
        (
            b"A002 UNSUBSCRIBE #news.comp.mail.mime",
            Subscribe(b"A002", MailboxName("#news.comp.mail.mime"), on=False),
        ),
        (b'A002 LSUB "#news." "comp.mail.*"', Lsub(b"A002", "#news.", "comp.mail.*")),
        (b'A002 LSUB "" %', Lsub(b"A002", "", "%")),
        (
            b"A042 STATUS blurdybloop (UIDNEXT MESSAGES)",
            Status(b"A042", MailboxName("blurdybloop"), (StatusItem.UIDNEXT, StatusItem.MESSAGES)),
        ),
        (
            b"a status inbox (recent recent size)",
            Status(b"a", INBOX, (StatusItem.RECENT, StatusItem.SIZE)),
        ),
        (b'A003 GETQUOTA ""', GetQuota(b"A003", "")),
        (b"A003 GETQUOTAROOT INBOX", GetQuotaRoot(b"A003", INBOX)),
    ],
)
def test_commands(command: bytes, value: Command) -> None:
    assert parse(command, AFTER) == value


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (b'A101 LIST "" ""', List(b"A101", "", ("",))),
        (b"A202 LIST ~/Mail/ %", List(b"A202", "~/Mail/", ("%",))),
        (b'a LIST "" *', List(b"a", "", ("*",))),
        (b'a LIST "" "Entw&APw-rfe/%"', List(b"a", "", ("Entwürfe/%",))),
        (
            b'A02 LIST (SUBSCRIBED) "" "*"',
            List(b"A02", "", ("*",), frozenset({"SUBSCRIBED"}), extended=True),
        ),
        (b'a LIST () "" "%"', List(b"a", "", ("%",), extended=True)),
        (
            b'A03 LIST () "" "%" RETURN (CHILDREN)',
            List(b"A03", "", ("%",), returns=frozenset({"CHILDREN"}), extended=True),
        ),
        (
            b'A04 list (remote subscribed recursivematch) "" "%" return (subscribed)',
            List(
                b"A04",
                "",
                ("%",),
                frozenset({"REMOTE", "SUBSCRIBED", "RECURSIVEMATCH"}),
                frozenset({"SUBSCRIBED"}),
                extended=True,
            ),
        ),
        (
            b'BBB LIST "" ("INBOX" "Drafts" Sent/%)',
            List(b"BBB", "", ("INBOX", "Drafts", "Sent/%"), extended=True),
        ),
        (
            b't1 LIST (SPECIAL-USE) "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN))',
            List(
                b"t1",
                "",
                ("*",),
                frozenset({"SPECIAL-USE"}),
                frozenset({"SPECIAL-USE", "STATUS"}),
                (StatusItem.MESSAGES, StatusItem.UNSEEN),
                extended=True,
            ),
        ),
        (b'a LIST "" "%" RETURN ()', List(b"a", "", ("%",), extended=True)),
    ],
)
def test_list(command: bytes, value: Command) -> None:
    assert parse(command, AFTER) == value


@pytest.mark.parametrize(
    "command",
    [
        b"SELECT",
        b"SELECT ",
        b"SELECT a b",
        b"SELECT INBOX ()",
        b"SELECT INBOX (FOO)",
        b"SELECT INBOX (CONDSTORE",
        b"SELECT INBOX (CONDSTORE) ",
        b"SELECT INBOX (QRESYNC)",
        b"SELECT INBOX (QRESYNC (1))",
        b"SELECT INBOX (QRESYNC (1 2 *))",
        b"SELECT INBOX (QRESYNC (1 2 1:5 (1:* 1:5)))",
        b"SELECT INBOX (QRESYNC (1 2 1:5 (1:2)))",
        b"SELECT a*",
        b"SELECT \xc3\xbc",
        b"CREATE",
        b"CREATE a (USE)",
        b"CREATE a (USE (Sent))",
        b"CREATE a (FOO (\\Sent))",
        b"DELETE a b",
        b"RENAME a",
        b"RENAME a b c",
        b"SUBSCRIBE",
        b'LIST ""',
        b'LIST "" ()',
        b'LIST "" (a',
        b'LIST (FOO) "" *',
        b'LIST (RECURSIVEMATCH) "" *',
        b'LIST "" * RETURN',
        b'LIST "" * RETURN (FOO)',
        b'LIST "" * RETURN (STATUS)',
        b'LIST "" * RETURN (STATUS ())',
        b'LIST "" * RETRUN (CHILDREN)',
        b'LIST "" * *',
        b"LSUB %",
        b"STATUS a",
        b"STATUS a ()",
        b"STATUS a MESSAGES",
        b"STATUS a (MESSAGES FOO)",
        b"STATUS a (MESSAGES",
        b"GETQUOTA",
        b"NAMESPACE x",
        b"IDLE x",
        b"ENABLE",
        b"ENABLE ",
        b"APPEND INBOX",
        b"APPEND",
    ],
)
def test_what_is_refused(command: bytes) -> None:
    assert is_bad(command, AFTER)
