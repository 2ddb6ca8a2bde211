"""Patterns of LIST and LSUB (RFC 3501 §6.3.8)."""

import pytest

from postroad.imap.pattern import Pattern


@pytest.mark.parametrize(
    ("reference", "pattern", "name"),
    [
        ("", "*", "a/b/c"),
        ("", "%", "a"),
        ("", "a%/*c", "ab/x/c"),
        ("a/", "%", "a/b"),
        ("", "inbox", "INBOX"),
        ("", "iN%", "INBOX"),
        ("", "inbox/%", "INBOX/child"),
        ("InBox", "/c*", "INBOX/child/deep"),
        ("", "Inbox*", "INBOX/child"),
        ("", "i%x/child", "INBOX/child"),
        ("", "%b%/*", "INBOX/child/deep"),
        ("", "Inbox*", "Inboxes"),
    ],
)
def test_names_that_match(reference: str, pattern: str, name: str) -> None:
    assert Pattern(reference, pattern).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("%", "a/b"),
        ("a", "A"),
        ("%/", "a"),
        ("inbox/c", "INBOX/C"),
        ("inboxes/%", "INBOX/child"),
        ("Inbox*", "INBOXES"),
        ("\u0131nbox", "INBOX"),
        ("", "a"),
    ],
)
def test_names_that_do_not(pattern: str, name: str) -> None:
    assert not Pattern("", pattern).matches(name)
