"""Modified UTF-7 (RFC 3501 §5.1.3)."""

import pytest

from postroad.imap.wire.mailbox_name import MailboxName, decode_mailbox
from postroad.message.utf7 import decode_utf7, encode_utf7

# The first is the example of RFC 3501 §5.1.3; the others were worked out by hand.
PAIRS = [
    (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
    (b"&Jjo-!", "☺!"),
    (b"Entw&APw-rfe", "Entwürfe"),
    (b"Q&-A", "Q&A"),
    (b"&-", "&"),
    (b"&-&-", "&&"),
    (b"&2D3eAA-", "😀"),
    (b"&-&APw-&-", "&ü&"),
    (b"", ""),
    (b"plain/name with space", "plain/name with space"),
]


@pytest.mark.parametrize(("wire", "text"), PAIRS)
def test_both_ways(wire: bytes, text: str) -> None:
    assert decode_utf7(wire) == text
    assert encode_utf7(text) == wire


@pytest.mark.parametrize(
    "wire",
    [
        b"&Jjo",  # the shift does not end
        b"&U,BTFw-&ZeVnLIqe-",  # a superfluous shift (RFC 3501 §5.1.3)
        b"&Jjo!",  # the correct form is &Jjo-!
        b"&AGE-",  # "a" stands for itself
        b"&Jj/-",  # base64 with a slash
        b"&J-",  # half a character
        b"&2D0-",  # half a surrogate pair
        b"&AP",
        b"\xff",
        b"&AMA=-",
        b"a\x00b",
    ],
)
def test_names_that_are_none_are_flagged(wire: bytes) -> None:
    assert not decode_mailbox(wire).valid


@pytest.mark.parametrize("wire", [b"INBOX", b"inbox", b"InBox"])
def test_inbox_has_no_case(wire: bytes) -> None:
    assert decode_mailbox(wire) == MailboxName("INBOX")


def test_only_the_whole_name_is_inbox() -> None:
    assert decode_mailbox(b"inbox2") == MailboxName("inbox2")
    assert decode_mailbox("\u0131nbox".encode()) == MailboxName("\u0131nbox")  # INBOX in capitals


def test_utf8_is_taken_from_everybody() -> None:
    assert decode_mailbox("Entwürfe & Co".encode()) == MailboxName("Entwürfe & Co")


def test_who_speaks_utf8_speaks_no_utf7() -> None:
    assert decode_mailbox(b"Entw&APw-rfe", utf8=True) == MailboxName("Entw&APw-rfe")
    assert decode_mailbox(b"inbox", utf8=True) == MailboxName("INBOX")
    assert not decode_mailbox(b"\xc3", utf8=True).valid


def test_lone_surrogates_do_not_break_the_writer() -> None:
    assert encode_utf7("\ud800") == b"&AD8-"
