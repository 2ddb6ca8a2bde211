"""Sharing mailboxes from the command line."""

import json

import pytest

from postroad.cli.database import ask
from postroad.cli.here import Here
from postroad.directory import changes
from tests.unit.cli.conftest import Shell


def test_a_mailbox_is_shared_listed_and_unshared(populated: Shell) -> None:
    said = populated.ok("mailbox", "share", "ada@example.org", "inbox", "bob@example.org", "read")
    assert "bob@example.org may use INBOX of ada@example.org: read (lrs)." in said
    assert "Next    postroad mailbox list ada@example.org" in said
    populated.ok("mailbox", "share", "ada@example.org", "Sent", "anyone", "lrx")
    listed = json.loads(populated.ok("mailbox", "list", "ada@example.org", "--json"))
    assert [(one["mailbox"], one["who"], one["rights"], one["imap"]) for one in listed] == [
        ("INBOX", "bob@example.org", "lrs", "lrs"),
        ("Sent", "anyone", "lrx", "lrxc"),
    ]
    assert listed[0]["shown_as"] == "Other Users/ada@example.org/INBOX"
    assert len(json.loads(populated.ok("mailbox", "shares", "--json"))) == 2
    assert len(json.loads(populated.ok("mailbox", "shares", "bob@example.org", "--json"))) == 1
    populated.ok("mailbox", "share", "ada@example.org", "INBOX", "bob@example.org", "write")
    populated.ok("mailbox", "unshare", "ada@example.org", "INBOX", "bob@example.org")
    ran = populated("mailbox", "unshare", "ada@example.org", "INBOX", "bob@example.org")
    assert (ran.status, ran.err) == (
        1,
        "postroad: INBOX of ada@example.org is not shared with bob@example.org; "
        "see postroad mailbox list ada@example.org\n",
    )
    history = ask(Here(), lambda r: changes.history(r, "ada@example.org/INBOX bob@example.org"))
    assert [(one.old, one.new) for one in history] == [
        ({"rights": "lrswipten"}, None),
        ({"rights": "lrs"}, {"rights": "lrswipten"}),
        (None, {"rights": "lrs"}),
    ]


def test_rights_are_taken_away_and_mistakes_are_named(populated: Shell) -> None:
    populated.ok("mailbox", "share", "--", "ada@example.org", "INBOX", "-bob@example.org", "w")
    [one] = json.loads(populated.ok("mailbox", "list", "ada@example.org", "--json"))
    assert (one["who"], one["rights"]) == ("-bob@example.org", "w")
    for words, status, about in (
        (("ada@example.org", "INBOX", "eve@example.org", "read"), 1, "there is no account eve@example.org"),
        (("ada@example.org", "None", "anyone", "read"), 1, "has no mailbox None"),
        (("ada@example.org", "INBOX", "ada@example.org", "read"), 1, "is the owner"),
        (("ada@example.org", "INBOX", "anyone", "rq"), 2, '"q" is not a right'),
    ):
        ran = populated("mailbox", "share", *words)
        assert ran.status == status
        assert about in ran.err


def test_a_shared_account_shows_its_mailboxes_under_shared(populated: Shell) -> None:
    said = populated.ok("account", "add", "--shared", "desk@example.org")
    assert "Next    postroad mailbox share desk@example.org INBOX someone@example.org write" in said
    assert "shared" in populated.ok("account", "list", "example.org")
    populated.ok("mailbox", "share", "desk@example.org", "INBOX", "ada@example.org", "manage")
    [one] = json.loads(populated.ok("mailbox", "shares", "ada@example.org", "--json"))
    assert one["shown_as"] == "Shared/desk@example.org/INBOX"


def test_mailboxes_below_are_shared_with_it(populated: Shell) -> None:
    populated.ok("mailbox", "share", "ada@example.org", "Archive", "bob@example.org", "read", "--below")
    listed = json.loads(populated.ok("mailbox", "list", "ada@example.org", "--json"))
    assert [one["mailbox"] for one in listed] == ["Archive"]


def test_nothing_is_shared_with_anyone_where_that_is_nobody(
    populated: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = populated.data.parent / "postroad.toml"
    config.write_text(f'data = "{populated.data}"\n[imap]\nshare_with_anyone = "nobody"\n')
    monkeypatch.delenv("POSTROAD_DATA")
    monkeypatch.setenv("POSTROAD_CONFIG", str(config))
    ran = populated("mailbox", "share", "ada@example.org", "Sent", "Anyone", "read")
    assert ran.status == 1
    assert "share_with_anyone" in ran.err
    populated.ok("mailbox", "share", "--", "ada@example.org", "Sent", "-anyone", "read")
