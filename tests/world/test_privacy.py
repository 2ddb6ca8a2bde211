"""Whose mail it is (SAFETY C29): every command of IMAP and POP3, by the owner, another user and a stranger.

What is not yours is answered as what is not there.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from postroad.imap.wire.table import RULES, State
from postroad.testing import ThreadedWorld
from postroad.testing.world import PASSWORD
from tests.world.clients import Raw, imap, mail, raw_submission, submit
from tests.world.conftest import ADA, BOB, no_bugs, peopled

CANARY: Final = b"quince-jelly"
"""Stands in a name, a subject, a text, a keyword and a Message-ID of ada's."""
NAME: Final = b"quince-jelly"
HERS: Final = [
    *(NAME, b"~ada/" + NAME, b"user/ada/" + NAME, b"#user/ada/" + NAME, b"ada@demo.test/" + NAME),
    *(b"../ada/" + NAME, b"/1/" + NAME, b"~ada@demo.test/INBOX", b"user.ada", b"Other Users/ada/INBOX"),
    *(b'"Other Users/ada@demo.test/INBOX"', b'"Other Users/ada@demo.test/' + NAME + b'"'),
]
HELD: Final = b"wanted"
"""Where a command names what it is about."""
HER_URL: Final = b"imap://ada%40demo.test@localhost/INBOX/;UID=1;URLAUTH=authuser"
ARGUMENTS: Final[dict[bytes, list[bytes]]] = {
    b"ID": [b"NIL"],
    b"ENABLE": [b"CONDSTORE"],
    b"SELECT": [HELD],
    b"EXAMINE": [HELD],
    b"DELETE": [HELD],
    b"RENAME": [HELD + b" mine"],
    b"UNSUBSCRIBE": [HELD],
    b"LIST": [b'"" ' + HELD, HELD + b" *", b'"" * RETURN (STATUS (MESSAGES))', b'"" "*"'],
    b"LSUB": [b'"" ' + HELD, HELD + b" *", b'"" *'],
    b"STATUS": [HELD + b" (MESSAGES UIDNEXT UNSEEN)"],
    b"APPEND": [HELD + b" {3+}\r\na: "],
    b"GETQUOTA": [HELD, b'""', b"ada@demo.test", b"@demo.test"],
    b"GETQUOTAROOT": [HELD],
    b"SETQUOTA": [HELD + b" (STORAGE 1)"],
    b"SETACL": [HELD + b" bob@demo.test lrs"],
    b"DELETEACL": [HELD + b" bob@demo.test"],
    b"GETACL": [HELD],
    b"LISTRIGHTS": [HELD + b" bob@demo.test"],
    b"MYRIGHTS": [HELD],
    b"GETMETADATA": [
        HELD + b" /shared/comment",
        b'"" (DEPTH infinity) /private',
        HELD + b" (DEPTH 1) /private",
    ],
    b"SETMETADATA": [HELD + b" (/shared/comment mine)"],
    b"SEARCH": [
        b"ALL",
        b"TEXT quince",
        b"KEYWORD quince-jelly",
        b"HEADER Message-ID quince",
        b'ANNOTATION * value "quince"',
    ],
    b"FETCH": [b"1:* (FLAGS ENVELOPE BODY.PEEK[])", b"99 (BODY.PEEK[])", b"1:* (ANNOTATION (* value))"],
    b"STORE": [b"1:* +FLAGS (\\Deleted)", b'1:* ANNOTATION (/comment (value.shared "x"))'],
    b"COPY": [b"1:* " + HELD],
    b"MOVE": [b"1:* " + HELD],
    b"UID EXPUNGE": [b"1:4294967295"],
    b"UID SEARCH": [b"ALL", b"TEXT quince"],
    b"SORT": [b"(SUBJECT) UTF-8 ALL", b"(DATE) UTF-8 TEXT quince"],
    b"UID SORT": [b"(SUBJECT) UTF-8 ALL"],
    b"THREAD": [b"REFERENCES UTF-8 ALL"],
    b"UID THREAD": [b"REFS UTF-8 TEXT quince"],
    b"ESEARCH": [b"IN (mailboxes " + HELD + b") TEXT quince", b"IN (personal) TEXT quince"],
    b"CANCELUPDATE": [b'"x"'],
    b"UID FETCH": [b"1:4294967295 (FLAGS BODY.PEEK[])"],
    b"UID STORE": [b"1:4294967295 FLAGS (\\Deleted)"],
    b"UID COPY": [b"1:4294967295 " + HELD],
    b"UID MOVE": [b"1:4294967295 " + HELD],
    b"REPLACE": [b"1 " + HELD + b" {3+}\r\na: "],
    b"UID REPLACE": [b"1 " + HELD + b" CATENATE (URL /INBOX/;UID=1)"],
    b"RESETKEY": [HELD],
    b"GENURLAUTH": [HER_URL + b" INTERNAL"],
    b"URLFETCH": [
        HER_URL + b":INTERNAL:" + b"0" * 64,
        b"(" + HER_URL + b":INTERNAL:" + b"0" * 64 + b" BINARY)",
    ],
}
"""What is said to each command of the table; those that are not here take no argument."""
ALONE: Final = {
    *(b"STARTTLS", b"AUTHENTICATE", b"LOGIN", b"LOGOUT", b"IDLE", b"COMPRESS", b"UNAUTHENTICATE"),
    *(b"CREATE", b"SUBSCRIBE"),
}
"""They change the session, or make something of bob's own under the name."""


@pytest.fixture(scope="module")
def world() -> Iterator[ThreadedWorld]:
    """ada has mail that nobody else is to see; bob has none."""
    with no_bugs(), ThreadedWorld() as world:
        peopled(world)
        text = mail(CANARY.decode(), more=b"Message-ID: <" + CANARY + b"@demo.test>\r\n") + CANARY + b"\r\n"
        submit(world, text, ADA)
        with imap(world, ADA) as client:
            client.create(NAME.decode())
            client.subscribe(NAME.decode())
            client.select()
            client.store("1", "+FLAGS", f"({NAME.decode()})")
            client.store("1", "ANNOTATION", f'(/comment (value.shared "{NAME.decode()}"))')
            client.copy("1", NAME.decode())
        yield world


def hers(world: ThreadedWorld) -> list[object]:
    """All that ada has, as she sees it."""
    with imap(world, ADA) as client:
        seen: list[object] = [client.list(), client.lsub(), client.response("FLAGS")]
        for name in ("INBOX", NAME.decode()):
            seen += [
                client.select(name, readonly=True),
                client.fetch("1:*", "(UID FLAGS MODSEQ BODY.PEEK[])"),
            ]
    return seen


def session(world: ThreadedWorld, who: str) -> Raw:
    """IMAP under TLS, perhaps logged in, with INBOX open."""
    client = Raw(world.port("imaps"), world.tls())
    client.line()
    if who:
        client.send(f'a LOGIN {who} "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
        client.until(b"b")
    return client


def nobodys(wanted: bytes) -> bytes:
    """A name of the same shape of which nothing is there."""
    return wanted.replace(b"ada", b"eve").replace(NAME, b"no-such-thing")


def lines_about(wanted: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every command of the table, aimed at `wanted`."""
    for command, rule in RULES.items():
        if command not in ALONE:
            for arguments in ARGUMENTS.get(command, [b""]):
                line = b" ".join(filter(None, (command, arguments.replace(HELD, b'"%b"' % wanted))))
                yield (b"SELECTED" if State.AUTHENTICATED not in rule.states else b""), line


def answers(world: ThreadedWorld, who: str, wanted: bytes) -> list[bytes]:
    """What is said to all of them, without the name that was asked for."""
    told = []
    everything = list(lines_about(wanted))
    for start in range(0, len(everything), 8):  # bad commands count, and strangers may say few
        with session(world, who) as client:
            for needs, line in everything[start : start + 8]:
                if needs and who:
                    client.send(b"s SELECT INBOX\r\n")
                    client.until(b"s")
                client.send(b"t " + line + b"\r\n")
                told.append(b"\n".join(client.until(b"t")).replace(wanted, HELD))
    return told


def test_every_command_is_asked() -> None:
    asked = {line.split(b" ")[0] for _, line in lines_about(b"x")} | ALONE
    assert {command.split(b" ")[0] for command in RULES} == asked


@pytest.mark.parametrize("who", [BOB, ""], ids=["another", "a stranger"])
@pytest.mark.parametrize("wanted", HERS)
def test_what_is_hers_is_answered_as_what_is_not_there(world: ThreadedWorld, who: str, wanted: bytes) -> None:
    before = hers(world)
    told = answers(world, who, wanted)
    assert told == answers(world, who, nobodys(wanted))
    assert CANARY not in b"".join(told)
    assert hers(world) == before


def test_the_owner_finds_it_all(world: ThreadedWorld) -> None:
    """The words that must not show elsewhere do show here, so the test above can fail."""
    told = b"\n".join(answers(world, ADA, b"INBOX"))
    assert told.count(CANARY) > 5
    submit(world, mail("again"), BOB)


@pytest.mark.parametrize(
    "command", ["RETR 1", "TOP 1 9", "LIST", "LIST 1", "UIDL", "UIDL 1", "STAT", "DELE 1"]
)
def test_no_stranger_reads_by_pop3(world: ThreadedWorld, command: str) -> None:
    with Raw(world.port("pop3s"), world.tls()) as client:
        client.line()
        client.send(f"USER {ADA}\r\n{command}\r\nQUIT\r\n".encode())
        assert [client.line()[:4] for _ in range(3)] == [b"+OK ", b"-ERR", b"+OK "]


def test_bob_reads_his_own_by_pop3(world: ThreadedWorld) -> None:
    with Raw(world.port("pop3s"), world.tls()) as client:
        client.line()
        client.send(f"USER {BOB}\r\nPASS {PASSWORD}\r\n".encode())
        client.send(b"STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 1 99\r\nRETR 99\r\nUIDL 99\r\nQUIT\r\n")
        said = client.rest()
    assert said.count(b"\r\n+OK") >= 5
    assert CANARY not in said


@pytest.mark.parametrize("sender", [ADA, "postmaster@demo.test", "nobody@demo.test"])
def test_another_cannot_send_as_her_and_cannot_tell_her_from_nobody(
    world: ThreadedWorld, sender: str
) -> None:
    with raw_submission(world, BOB) as client:
        said = client.say(f"MAIL FROM:<{sender}>".encode())
    assert said.startswith(b"550 5.7.1 ")
    with raw_submission(world, BOB) as client:
        assert client.say(b"MAIL FROM:<no.one.at.all@demo.test>") == said
