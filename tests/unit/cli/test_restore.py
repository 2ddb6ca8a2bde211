"""`postroad account restore` and `purge`: what was deleted comes back, or goes for good."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from typing import Any

import msgspec
import pytest

from postroad.db.transaction import Reader
from postroad.directory.accounts import account as find_account
from postroad.directory.changes import history
from postroad.directory.credentials import credential
from postroad.directory.snapshot import load
from postroad.model.flags import Flag
from postroad.net.clock import SystemClock
from postroad.store.account import EVERYTHING, Account
from postroad.store.blobs.reader import PackReader
from postroad.store.check import check
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage
from tests.unit.cli.conftest import Shell

ADA = "ada@example.org"


def on(shell: Shell, address: str, work: Callable[[Account], Coroutine[Any, Any, None]]) -> None:
    """Do something in an account as a session would."""

    async def opened() -> None:
        store = Store(shell.data, SystemClock(), name="w0")
        try:
            await work(store.account(ask(shell, lambda reader: find_account(reader, address)).id))
        finally:
            await store.close()

    asyncio.run(opened())


def ask(shell: Shell, question: Callable[[Reader], Any]) -> Any:
    with open_offline(shell.data) as database:
        return database.read(question)


def message(number: int) -> NewMessage:
    head = f"From: Lu <lu@client.example>\r\nSubject: Invoice {number}\r\n"
    body = f"{head}Message-ID: <i{number}@client.example>\r\n\r\nPay {number}.\r\n"
    return NewMessage(body.encode(), Flag.SEEN, frozenset({"Red"}), 951_782_400)


async def lose_mail(account: Account) -> None:
    """Expunge three of six messages, and a mailbox with one more."""
    inbox = account.mailbox("INBOX")
    assert inbox is not None
    await account.append(inbox.id, [message(number) for number in range(1, 7)])
    await account.expunge(inbox.id, [(2, 4)], only_deleted=False)
    plans = await account.create("Plans/2026")
    await account.append(plans.id, [message(7)])
    await account.delete(plans.id)


@pytest.fixture
def deleted(populated: Shell) -> Shell:
    """A shell over an account that has lost some mail."""
    populated.ok("alias", "add", "info@example.org", ADA, "bob@example.org")
    populated.ok("alias", "add", "sales@example.org", ADA)
    on(populated, ADA, lose_mail)
    return populated


def inbox(shell: Shell, address: str = ADA, name: str = "INBOX") -> list[tuple[int, int, str, int]]:
    found: list[tuple[int, int, str, int]] = []

    async def look(account: Account) -> None:
        mailbox = account.mailbox(name)
        assert mailbox is not None
        for e in account.entries(mailbox.id, EVERYTHING):
            found.append((e.uid, e.flags, e.keywords, e.internal_date))

    on(shell, address, look)
    return found


def is_sound(shell: Shell) -> bool:
    with open_offline(shell.data) as database, closing(PackReader(shell.data / "packs")) as packs:
        return not database.read(lambda reader: list(check(reader, packs)))


def test_what_can_be_restored_is_listed(deleted: Shell) -> None:
    said = deleted.ok("account", "restore", ADA, "--list").splitlines()
    assert said[0].split() == ["DELETED", "MAILBOX", "FROM", "SUBJECT"]
    assert sorted(line.rpartition("Invoice ")[2] for line in said[1:5]) == ["2", "3", "4", "7"]
    assert "The mailbox Plans/2026 was deleted" in said[5]
    assert said[-1].startswith("Next    postroad account restore ada@example.org --mailbox ")


def test_the_same_as_json(deleted: Shell) -> None:
    found = msgspec.json.decode(deleted.ok("account", "restore", ADA, "--list", "--json"))
    assert {one["message_id"] for one in found["messages"]} == {f"i{n}@client.example" for n in (2, 3, 4, 7)}
    assert [one["name"] for one in found["mailboxes"]] == ["Plans/2026"]
    assert found["accounts"] == []


def test_what_to_do_next_is_safe_to_paste(populated: Shell) -> None:
    async def work(account: Account) -> None:
        made = await account.create('$(rm) "x"')
        await account.append(made.id, [message(1)])
        await account.expunge(made.id, only_deleted=False)

    on(populated, ADA, work)
    (*_, last) = populated.ok("account", "restore", ADA, "--list").splitlines()
    assert last.endswith("""--mailbox '$(rm) "x"'""")


def test_one_has_to_say_what(deleted: Shell) -> None:
    ran = deleted("account", "restore", ADA)
    assert ran.status == 2
    assert "say what: --list, --mailbox" in ran.err


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        (["--all"], 3),
        (["--mailbox", "inbox"], 3),
        (["--subject", "invoice 3"], 1),
        (["--message-id", "i4@client.example"], 1),
        (["--since", "1 hour"], 3),
        (["--since", "1 hour", "--subject", "Invoice"], 3),
    ],
    ids=str,
)
def test_a_choice(deleted: Shell, choice: list[str], count: int) -> None:
    assert f"Restored {count} message" in deleted.ok("account", "restore", ADA, *choice)
    assert len(inbox(deleted)) == 3 + count
    assert set(inbox(deleted)) >= {(7, int(Flag.SEEN), "Red", 951_782_400)}
    assert is_sound(deleted)


def test_nothing_that_was_deleted_before_yesterday(deleted: Shell) -> None:
    ran = deleted("account", "restore", ADA, "--until", "1 day")
    assert (ran.status, ran.out) == (1, "")
    assert "nothing like that can be restored; see postroad account restore ada@example.org --list" in ran.err


def test_a_mailbox_with_what_was_in_it(deleted: Shell) -> None:
    said = deleted.ok("account", "restore", ADA, "--mailbox", "Plans")
    assert said == "Restored 1 message to Plans/2026.\n"
    assert len(inbox(deleted, name="Plans/2026")) == 1
    assert len(inbox(deleted)) == 3


def test_into_another_mailbox(deleted: Shell) -> None:
    said = deleted.ok("account", "restore", ADA, "--all", "--to", "Found", "--json")
    assert msgspec.json.decode(said)["messages"] == {"Found": 4}
    assert [uid for uid, *_ in inbox(deleted, name="Found")] == [1, 2, 3, 4]


def test_a_mailbox_name_that_cannot_be(deleted: Shell) -> None:
    ran = deleted("account", "restore", ADA, "--all", "--to", "a//b")
    assert ran.status == 1
    assert "a level of the name is empty" in ran.err


def test_over_the_quota_only_when_it_is_meant(deleted: Shell) -> None:
    deleted.ok("account", "quota", ADA, "--messages", "5")
    ran = deleted("account", "restore", ADA, "--all")
    assert (ran.status, ran.err) == (
        1,
        "postroad: with 4 restored messages ada@example.org would hold 7 messages and may hold 5 messages; "
        "--over-quota restores them all the same, or restore fewer\n",
    )
    assert len(inbox(deleted)) == 3
    deleted.ok("account", "restore", ADA, "--all", "--over-quota")
    assert len(inbox(deleted)) == 6
    assert is_sound(deleted)


def test_it_is_written_down_who_restored(deleted: Shell) -> None:
    deleted.ok("account", "restore", ADA, "--all")
    change = ask(deleted, lambda reader: history(reader, ADA, limit=1))[0]
    assert change.new == {"restored messages": 4, "to": ["INBOX", "Plans/2026"]}
    assert change.who


def test_an_account_comes_back_whole(deleted: Shell) -> None:
    before, password = inbox(deleted), ask(deleted, lambda r: credential(r, 1))
    said = deleted.ok("account", "remove", ADA, "--with-aliases")
    assert "For 30 days it can be restored as it was." in said
    assert deleted("account", "show", ADA).status == 1
    assert [one.account.address for one in load(deleted.data).removed] == [ADA]
    assert ADA in deleted.ok("account", "list", "--removed")
    said = deleted.ok("account", "restore", ADA)
    assert "Restored ada@example.org with 3 messages; its password is what it was." in said
    assert "Mail to info@example.org, sales@example.org goes to it again." in said
    assert inbox(deleted) == before
    assert ask(deleted, lambda r: credential(r, 1)) == password
    assert load(deleted.data).removed == []
    assert "Restored 3 messages to INBOX." in deleted.ok("account", "restore", ADA, "--all")
    assert is_sound(deleted)


def test_the_address_may_be_taken_meanwhile(deleted: Shell) -> None:
    deleted.ok("account", "remove", ADA, "--with-aliases")
    deleted.ok("account", "add", ADA, "--no-password")
    ran = deleted("account", "restore", ADA)
    assert ran.status == 2
    assert "--as ADDRESS is for the removed account" in ran.err
    ran = deleted("account", "restore", ADA, "--number", "1")
    assert (ran.status, ran.err) == (
        1,
        "postroad: ada@example.org is an account by now; "
        "--as ADDRESS brings the removed account back at another address\n",
    )
    deleted.ok("account", "restore", ADA, "--as", "ada.old@example.org")
    assert len(inbox(deleted, "ada.old@example.org")) == 3
    assert inbox(deleted) == []
    assert "ada.old@example.org" in deleted.ok("alias", "show", "sales@example.org")
    assert is_sound(deleted)


def test_an_alias_that_is_an_account_by_now_is_left_out(deleted: Shell) -> None:
    deleted.ok("account", "remove", ADA, "--with-aliases")
    deleted.ok("account", "add", "sales@example.org", "--no-password")
    said = deleted.ok("account", "restore", ADA)
    assert "The alias sales@example.org is not restored: sales@example.org is an account" in said
    assert "Mail to info@example.org goes to it again." in said


def test_of_several_accounts_the_latest_or_the_one_that_is_named(deleted: Shell) -> None:
    deleted.ok("account", "remove", ADA, "--with-aliases")
    deleted.ok("account", "add", ADA, "--no-password", "--name", "Another Ada")
    deleted.ok("account", "remove", ADA)
    found = msgspec.json.decode(deleted.ok("account", "restore", ADA, "--list", "--json"))["accounts"]
    assert [(one["number"], one["messages"]) for one in found] == [(3, 0), (1, 3)]
    deleted.ok("account", "restore", ADA, "--number", "1")
    assert len(inbox(deleted)) == 3


def test_a_removed_account_is_restored_whole(deleted: Shell) -> None:
    deleted.ok("account", "remove", ADA, "--with-aliases")
    ran = deleted("account", "restore", ADA, "--subject", "Invoice")
    assert ran.status == 2
    assert "a removed account is restored whole" in ran.err


def test_a_domains_accounts_come_back_when_the_domain_does(deleted: Shell) -> None:
    said = deleted.ok("domain", "remove", "example.org", "--with-contents")
    assert "Next    postroad account list --removed example.org" in said
    assert len(deleted.ok("account", "list", "--removed", "example.org", "-q").splitlines()) == 3
    ran = deleted("account", "restore", ADA)
    assert ran.status == 1
    assert "add it first: postroad domain add example.org" in ran.err
    deleted.ok("domain", "add", "example.org")
    said = deleted.ok("account", "restore", ADA)
    assert "Mail to info@example.org, sales@example.org goes to it again." in said


def test_an_address_that_never_was(deleted: Shell) -> None:
    ran = deleted("account", "restore", "nobody@example.org")
    assert (ran.status, ran.err) == (
        1,
        "postroad: there is no account nobody@example.org, and none that was removed and can be restored; "
        "see postroad account list --removed\n",
    )


def kept_rows(shell: Shell) -> int:
    count = (
        "SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM kept_mailbox) + (SELECT count(*) FROM {})"
    )
    return int(ask(shell, partial(Reader.value, sql=count.format("kept_account"))))


def test_purge_asks(deleted: Shell) -> None:
    before = kept_rows(deleted)
    ran = deleted("account", "purge", ADA)
    assert ran.status == 1
    assert "this erases 4 deleted messages (" in ran.err
    assert "--yes says that you mean it" in ran.err
    assert kept_rows(deleted) == before


def test_purge_erases_what_was_deleted_and_nothing_else(deleted: Shell) -> None:
    deleted.ok("account", "remove", "bob@example.org", "--with-aliases")
    assert "Erased 4 deleted messages" in deleted.ok("account", "purge", ADA, "--yes")
    assert kept_rows(deleted) == 1
    assert "Erased 1 removed account" in deleted.ok("account", "purge", "bob@example.org", "--yes")
    assert kept_rows(deleted) == 0
    assert len(inbox(deleted)) == 3
    assert load(deleted.data).removed == []
    assert "Nothing that was deleted at ada@example.org is kept." in deleted.ok("account", "purge", ADA)
    assert is_sound(deleted)


def test_the_octets_go_too(deleted: Shell) -> None:
    with open_offline(deleted.data) as database:
        database.write(lambda tx: tx.run("UPDATE kept SET at = at - 7200"))
    assert b"Pay 3." in octets(deleted)
    deleted.ok("account", "purge", ADA, "--yes")
    assert b"Pay 3." not in octets(deleted)
    assert b"Pay 7." not in octets(deleted)
    assert b"Pay 1." in octets(deleted)


def octets(shell: Shell) -> bytes:
    return b"".join(path.read_bytes() for path in (shell.data / "packs").glob("*.pack"))


def test_with_no_retention_a_removed_account_is_gone(
    populated: Shell, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "postroad.toml"
    settings.write_text(f'data = "{populated.data}"\n[retention]\ndeleted = 0\n')
    monkeypatch.setenv("POSTROAD_CONFIG", str(settings))
    monkeypatch.delenv("POSTROAD_DATA")
    assert populated.ok("account", "remove", ADA) == "Removed ada@example.org and all its mail.\n"
    assert kept_rows(populated) == 0


def test_show_says_how_much_is_kept(deleted: Shell) -> None:
    assert "deleted   4 messages, " in deleted.ok("account", "show", ADA)
