"""Seeded nonsense that looks a little like the protocols: what fuzzers and broken clients send."""

import random
from collections.abc import Callable
from typing import Final

_SMTP: Final = [
    *(
        b"EHLO x.test",
        b"HELO x",
        b"MAIL FROM:<a@x.test>",
        b"MAIL FROM:<>",
        b"RCPT TO:<ada@demo.test>",
        b"DATA",
    ),
    *(b"BDAT 10", b"BDAT 5 LAST", b"RSET", b"NOOP", b"VRFY ada", b"EXPN x", b"HELP", b"QUIT", b"."),
    *(b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH PLAIN =", b"STARTTLS", b"SIZE=99999999999", b"BODY=8BITMIME"),
    *(b"SMTPUTF8", b"NOTIFY=NEVER", b"RET=FULL", b"ENVID=x", b"ORCPT=rfc822;x", b"Subject: x", b"XCLIENT x"),
]
_IMAP: Final = [
    *(b"a NOOP", b"a LOGIN", b"a SELECT INBOX", b"a EXAMINE x", b"a FETCH 1:* (FLAGS BODY[])", b"a LOGOUT"),
    *(
        b"a UID FETCH",
        b"a SEARCH",
        b"(OR SEEN NOT (FROM x))",
        b"CHARSET utf-8",
        b"a STORE 1",
        b"+FLAGS (\\Seen)",
    ),
    *(
        b"a APPEND INBOX",
        b"{5}",
        b"{5+}",
        b"{99999999999}",
        b"{0+}",
        b'"x"',
        b"NIL",
        b"(",
        b")",
        b"((((",
        b"*",
    ),
    *(b'a LIST "" *', b"a STATUS INBOX (MESSAGES)", b"a IDLE", b"DONE", b"a AUTHENTICATE PLAIN", b"AGEAYg=="),
    *(b"a CREATE", b"&AOk-", b"&!", b"a RENAME x y", b"a COPY 1 x", b"a MOVE 1:4294967295 x", b"a EXPUNGE"),
    *(b"BODY.PEEK[HEADER.FIELDS (X)]<0.10>", b"1:*,3,*:4", b"a ENABLE CONDSTORE", b"a ID NIL", b"a UNSELECT"),
]
_POP3: Final = [
    *(b"USER ada@demo.test", b"PASS x", b"STAT", b"LIST", b"LIST 1", b"RETR 1", b"DELE 1", b"NOOP", b"RSET"),
    *(
        b"TOP 1 0",
        b"TOP 1 99999999999",
        b"UIDL",
        b"UIDL 0",
        b"CAPA",
        b"AUTH",
        b"AUTH PLAIN",
        b"AGEAYg==",
        b"*",
    ),
    *(b"APOP x y", b"QUIT", b"STLS", b"UTF8", b"LANG"),
]
WORDS: Final = {"smtp": _SMTP, "submission": _SMTP, "imap": _IMAP, "pop3": _POP3}
_ENDS: Final = [b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\r\n.\r\n", b" ", b""]
_ODD: Final = [
    b"\0",
    b"\xff",
    b"\x80",
    b"\t",
    b"\x1b",
    b"<",
    b">",
    b"@",
    b":",
    b'"',
    b"\\",
    b"%",
    b"=",
    b"+",
    b"{",
    b"}",
]


def nonsense(chance: random.Random, protocol: str) -> bytes:
    """One input: some lines, most of them nearly right."""
    words = WORDS[protocol]
    return b"".join(
        chance.choice(_LINES)(chance, words) + chance.choice(_ENDS) for _ in range(chance.randint(1, 12))
    )


def _right(chance: random.Random, words: list[bytes]) -> bytes:
    return chance.choice(words)


def _several(chance: random.Random, words: list[bytes]) -> bytes:
    return b" ".join(chance.choice(words) for _ in range(chance.randint(2, 6)))


def _bent(chance: random.Random, words: list[bytes]) -> bytes:
    line = bytearray(_several(chance, words))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(line) + 1)
        match chance.randrange(3):
            case 0:
                line[at:at] = chance.choice(_ODD)
            case 1:
                del line[at : at + chance.randint(1, 5)]
            case _:
                line[at : at + 1] = chance.randbytes(1)
    return bytes(line)


def _long(chance: random.Random, words: list[bytes]) -> bytes:
    return (
        chance.choice(words)
        + b" "
        + chance.choice([*_ODD, b"(", b"a", b" "]) * chance.choice([300, 5000, 70000])
    )


def _noise(chance: random.Random, words: list[bytes]) -> bytes:
    return chance.randbytes(chance.randint(1, 200))


_LINES: Final[list[Callable[[random.Random, list[bytes]], bytes]]] = [
    *(_right, _right, _right, _several, _several, _bent, _bent, _bent, _long, _noise)
]
