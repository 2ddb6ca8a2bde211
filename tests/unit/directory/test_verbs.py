"""Adding and removing domains, accounts and aliases; what is refused, what is kept of it."""

from functools import partial
from pathlib import Path

import pytest

from postroad.db.transaction import Reader
from postroad.directory import aliases as alias_verbs
from postroad.directory.accounts import (
    account,
    accounts,
    add_account,
    entry,
    remove_account,
    set_name,
    set_quota,
    suspend_account,
)
from postroad.directory.aliases import add_alias, alias, remove_alias
from postroad.directory.changes import history, version
from postroad.directory.credentials import LEAST_COST, Hasher, acceptable, credential, prepared, set_password
from postroad.directory.domains import add_domain, domain, domains, remove_domain
from postroad.directory.errors import (
    AlreadyThere,
    BadName,
    BadPassword,
    DirectoryError,
    InUse,
    Loop,
    NoSuchAccount,
    NoSuchAlias,
    NoSuchDomain,
    TooMany,
)
from postroad.directory.resolve import MAX_DEPTH, MAX_TARGETS
from tests.unit.directory.world import WHO, Book


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = Book(tmp_path)
    book.domain("example.org")
    book.account("ada@example.org")
    book.account("bob@example.org")
    return book


# -- domains ------------------------------------------------------------------


def test_a_domain_in_any_spelling_is_one(book: Book) -> None:
    assert book.write(lambda tx: add_domain(tx, " Bücher.Example. ", who=WHO)).name == "xn--bcher-kva.example"
    with pytest.raises(AlreadyThere, match=r"bücher\.example is a domain of this server already"):
        book.domain("XN--BCHER-KVA.example")
    assert book.read(lambda reader: domain(reader, "bücher.example")).unicode == "bücher.example"


@pytest.mark.parametrize(
    "name", ["", "ada@example.org", "exa mple.org", "192.0.2.1", "[192.0.2.1]", "*.example.org"]
)
def test_what_is_no_domain(book: Book, name: str) -> None:
    with pytest.raises(BadName, match="is not a domain"):
        book.domain(name)


def test_domains_are_listed_with_what_is_in_them(book: Book) -> None:
    book.domain("a.example")
    book.alias("team@example.org", "ada@example.org", "bob@example.org")
    found = book.read(domains)
    assert [(d.name, d.accounts, d.aliases) for d in found] == [("a.example", 0, 0), ("example.org", 2, 1)]


def test_a_domain_with_contents_stays(book: Book) -> None:
    book.alias("team@example.org", "ada@example.org")
    with pytest.raises(InUse, match=r"example\.org still has 2 accounts and 1 alias"):
        book.write(lambda tx: remove_domain(tx, "example.org", who=WHO))


def test_a_domain_goes_with_its_contents(book: Book) -> None:
    book.domain("other.example")
    book.alias("team@example.org", "ada@example.org")
    book.alias("info@other.example", "ada@example.org", "eve@example.com")
    book.alias("only@other.example", "bob@example.org")
    with pytest.raises(InUse, match="2 targets of aliases elsewhere"):
        book.write(lambda tx: remove_domain(tx, "example.org", who=WHO))
    book.write(lambda tx: remove_domain(tx, "example.org", who=WHO, with_contents=True, keep=False))
    assert book.read(accounts) == []
    left = book.read(alias_verbs.aliases)
    assert [(a.source, a.targets) for a in left] == [("info@other.example", ("eve@example.com",))]
    assert book.read(lambda reader: reader.value("SELECT count(*) FROM mailbox")) == 0


def test_a_domain_that_only_ends_alike_is_not_meant(book: Book) -> None:
    book.domain("other.example")
    book.alias("x@other.example", "ada@sub-example.org", "ada@my.example.org")
    book.write(lambda tx: remove_account(tx, "ada@example.org", who=WHO))
    book.write(lambda tx: remove_account(tx, "bob@example.org", who=WHO))
    book.write(lambda tx: remove_domain(tx, "example.org", who=WHO))
    assert len(book.read(lambda reader: alias(reader, "x@other.example")).targets) == 2


def test_a_domain_that_is_not_there(book: Book) -> None:
    with pytest.raises(NoSuchDomain, match=r"example\.com is not a domain of this server"):
        book.write(lambda tx: remove_domain(tx, "example.com", who=WHO))


# -- accounts -------------------------------------------------------------------


def test_an_account_starts_with_mailboxes_and_no_password(book: Book) -> None:
    one = book.read(lambda reader: entry(reader, "ADA@example.org"))
    assert (one.messages_used, one.bytes_used, one.can_log_in) == (0, 0, False)
    names = book.read(
        lambda reader: reader.rows("SELECT name FROM mailbox WHERE account_id = ?", one.info.id)
    )
    assert {name for (name,) in names} >= {"INBOX", "Sent", "Drafts", "Junk", "Trash", "Archive"}


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("ada@example.com", NoSuchDomain),
        ("ADA@example.org", AlreadyThere),
        ("info@example.org", AlreadyThere),
        ("ada", BadName),
        ("@example.org", BadName),
        ("a b@example.org", BadName),
    ],
)
def test_accounts_that_cannot_be(book: Book, address: str, error: type[DirectoryError]) -> None:
    book.alias("info@example.org", "ada@example.org")
    with pytest.raises(error):
        book.account(address)


def test_a_name_cannot_break_lines(book: Book) -> None:
    with pytest.raises(BadName, match="control"):
        book.write(lambda tx: set_name(tx, "ada@example.org", "Ada\r\nBcc: eve", who=WHO))
    with pytest.raises(BadName, match="longer"):
        book.write(lambda tx: add_account(tx, "eve@example.org", who=WHO, name="e" * 201))
    assert (
        book.write(lambda tx: set_name(tx, "ada@example.org", "Ada, Lövelace", who=WHO)).name
        == "Ada, Lövelace"
    )


def test_an_id_is_never_used_twice(book: Book) -> None:
    first = book.account("eve@example.org")
    book.write(lambda tx: remove_account(tx, "eve@example.org", who=WHO))
    assert book.account("eve@example.org") > first


def test_an_account_that_others_rely_on_stays(book: Book) -> None:
    for name in "abcde":
        book.alias(f"{name}@example.org", "ada@example.org", "bob@example.org")
    with pytest.raises(InUse, match=r"mail to a@example\.org, b@example\.org, c@example\.org and 2 others"):
        book.write(lambda tx: remove_account(tx, "ada@example.org", who=WHO))
    book.write(lambda tx: remove_account(tx, "ada@example.org", who=WHO, with_aliases=True))
    assert book.read(lambda reader: alias(reader, "a@example.org")).targets == ("bob@example.org",)
    with pytest.raises(NoSuchAccount, match=r"there is no account ada@example\.org"):
        book.read(lambda reader: account(reader, "ada@example.org"))


def test_a_removed_account_leaves_nothing(book: Book) -> None:
    account_id = book.account("eve@example.org", "a password")
    book.write(lambda tx: remove_account(tx, "eve@example.org", who=WHO, keep=False))
    for table in ("credential", "mailbox", "subscription", "known_network"):
        count = partial(Reader.value, sql=f"SELECT count(*) FROM {table} WHERE account_id = {account_id}")
        assert book.read(count) == 0


def test_quota_and_suspension(book: Book) -> None:
    changed = book.write(
        lambda tx: set_quota(tx, "ada@example.org", who=WHO, quota_bytes=1000, quota_messages=None)
    )
    assert (changed.quota_bytes, changed.quota_messages) == (1000, None)
    assert book.write(lambda tx: suspend_account(tx, "ada@example.org", True, who=WHO)).suspended
    before = book.read(version)
    assert book.write(lambda tx: suspend_account(tx, "ada@example.org", True, who=WHO)).suspended
    assert book.read(version) == before
    assert not book.write(lambda tx: suspend_account(tx, "ada@example.org", False, who=WHO)).suspended


def test_accounts_are_listed_by_domain(book: Book) -> None:
    book.domain("a.example")
    book.account("zoe@a.example")
    listed = [str(e.info.address) for e in book.read(accounts)]
    assert listed == ["zoe@a.example", "ada@example.org", "bob@example.org"]
    assert len(book.read(lambda reader: accounts(reader, "a.example"))) == 1


# -- aliases --------------------------------------------------------------------


def test_targets_are_added_to_an_alias_and_taken_off(book: Book) -> None:
    book.alias("team@example.org", "ada@example.org")
    book.alias("TEAM@example.org", "bob@example.org", "eve@example.com")
    found = book.read(lambda reader: alias(reader, "team@example.org"))
    assert found.targets == ("ada@example.org", "bob@example.org", "eve@example.com")
    gone = book.write(lambda tx: remove_alias(tx, "team@example.org", ["BOB@example.org"], who=WHO))
    assert gone.targets == ("bob@example.org",)
    with pytest.raises(AlreadyThere, match=r"goes to Ada@example\.org already"):
        book.alias("team@example.org", "Ada@example.org")
    with pytest.raises(NoSuchAlias, match="does not go to bob"):
        book.write(lambda tx: remove_alias(tx, "team@example.org", ["bob@example.org"], who=WHO))


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [
        ("info@example.com", "ada@example.org", NoSuchDomain),
        ("@example.com", "ada@example.org", NoSuchDomain),
        ("ada@example.org", "bob@example.org", AlreadyThere),
        ("info@example.org", "nobody@example.org", NoSuchAccount),
        ("info@example.org", "info@example.org", Loop),
        ("info@example.org", "nonsense", BadName),
        ("info@example.org", "@example.com", BadName),
        ("nonsense", "ada@example.org", BadName),
        ("@", "ada@example.org", BadName),
    ],
)
def test_aliases_that_cannot_be(book: Book, source: str, target: str, error: type[DirectoryError]) -> None:
    with pytest.raises(error):
        book.alias(source, target)
    assert book.read(alias_verbs.aliases) == []


def test_an_alias_needs_a_target(book: Book) -> None:
    with pytest.raises(BadName, match="needs a target"):
        book.alias("info@example.org")


def test_a_circle_is_refused(book: Book) -> None:
    book.alias("a@example.org", "ada@example.org")
    book.alias("b@example.org", "a@example.org")
    with pytest.raises(Loop, match=r"a@example\.org would lead back to itself by way of a@example\.org"):
        book.alias("a@example.org", "b@example.org")
    assert book.read(lambda reader: alias(reader, "a@example.org")).targets == ("ada@example.org",)


def test_a_circle_through_a_subaddress_or_a_catch_all_is_refused(book: Book) -> None:
    book.alias("a@example.org", "ada@example.org")
    with pytest.raises(Loop):
        book.alias("a@example.org", "a+x@example.org")
    book.alias("@example.org", "a@example.org")
    with pytest.raises(Loop):
        book.alias("a@example.org", "anything@example.org")
    with pytest.raises(Loop):
        book.alias("@example.org", "anything-else@example.org")


def test_an_alias_before_an_account_has_to_be_meant(book: Book) -> None:
    with pytest.raises(AlreadyThere, match="would take its mail"):
        book.alias("ada@example.org", "eve@example.com")
    book.alias("ada@example.org", "ada@example.org", "eve@example.com", shadow=True)
    book.alias("ada@example.org", "bob@example.org")
    with pytest.raises(Loop):
        book.alias("bob@example.org", "ada@example.org", shadow=True)


def test_a_chain_is_bounded_from_both_ends(book: Book) -> None:
    book.alias("a1@example.org", "ada@example.org")
    for n in range(2, MAX_DEPTH + 1):
        book.alias(f"a{n}@example.org", f"a{n - 1}@example.org")
    with pytest.raises(TooMany, match="through more than 10 aliases"):
        book.alias("b@example.org", f"a{MAX_DEPTH}@example.org")
    book.alias("c@example.org", "bob@example.org")
    with pytest.raises(TooMany, match=f"a{MAX_DEPTH}@example.org would lead through"):
        book.alias("a1@example.org", "c@example.org")


def test_a_crowd_is_bounded_over_all_levels(book: Book) -> None:
    book.alias("half@example.org", *(f"u{n}@example.com" for n in range(MAX_TARGETS // 2)))
    book.alias("more@example.org", *(f"v{n}@example.com" for n in range(MAX_TARGETS // 2)))
    book.alias("all@example.org", "half@example.org", "more@example.org")
    with pytest.raises(TooMany, match=r"all@example\.org would lead to more than 1000 addresses"):
        book.alias("more@example.org", "one.more@example.com")


def test_an_alias_that_others_rely_on_stays(book: Book) -> None:
    book.alias("a@example.org", "ada@example.org")
    book.alias("b@example.org", "a@example.org", "bob@example.org")
    with pytest.raises(InUse, match=r"mail to b@example\.org goes to a@example\.org"):
        book.write(lambda tx: remove_alias(tx, "a@example.org", who=WHO))
    book.write(lambda tx: remove_alias(tx, "a@example.org", who=WHO, even_if_used=True))
    assert book.read(lambda reader: alias(reader, "b@example.org")).targets == ("bob@example.org",)


def test_a_catch_all_is_an_alias(book: Book) -> None:
    book.domain("bücher.example")
    book.alias("@Bücher.Example", "ada@example.org")
    assert book.read(lambda reader: alias(reader, "@bücher.example")).source == "@xn--bcher-kva.example"
    book.write(lambda tx: remove_alias(tx, "@xn--bcher-kva.example", who=WHO))
    with pytest.raises(NoSuchAlias, match="there is no alias"):
        book.read(lambda reader: alias(reader, "@bücher.example"))


def test_nothing_of_a_refused_change_stays(book: Book) -> None:
    before = book.read(version)
    with pytest.raises(NoSuchAccount):
        book.alias("team@example.org", "ada@example.org", "nobody@example.org")
    assert book.read(alias_verbs.aliases) == []
    assert book.read(version) == before


# -- passwords and the record of changes --------------------------------------------


def test_a_password_is_stored_as_argon2id(book: Book) -> None:
    hashed = Hasher().hash("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,")
    book.write(lambda tx: set_password(tx, "ada@example.org", hashed, who=WHO))
    first = book.read(lambda reader: credential(reader, account(reader, "ada@example.org").id))
    book.write(lambda tx: set_password(tx, "ada@example.org", hashed, who=WHO))
    second = book.read(lambda reader: credential(reader, account(reader, "ada@example.org").id))
    assert first is not None
    assert second is not None
    assert second.version > first.version


@pytest.mark.parametrize("password", ["", "short", "seven77", "with\ncontrol", "nul\0nul nul", "x" * 1025])
def test_passwords_that_cannot_be(password: str) -> None:
    with pytest.raises(BadPassword):
        Hasher(LEAST_COST).hash(password)


def test_a_weak_password_has_to_be_allowed() -> None:
    assert acceptable("demo", allow_weak=True) == "demo"


@pytest.mark.parametrize(
    ("typed", "ready"),
    [
        ("pass word", "pass word"),
        ("pa\u00a0ss\u3000", "pa ss "),
        ("o\u0308", "ö"),
        (" lead", " lead"),
        ("ﬁ", "ﬁ"),
    ],
)
def test_passwords_are_compared_as_opaque_strings(typed: str, ready: str) -> None:
    assert prepared(typed) == ready


def test_every_change_is_kept(book: Book) -> None:
    book.write(lambda tx: suspend_account(tx, "ada@example.org", True, who="grace"))
    (change, *_) = book.read(lambda reader: history(reader, "ada@example.org"))
    assert (change.who, change.noun, change.old, change.new) == (
        "grace",
        "account",
        {"suspended": False},
        {"suspended": True},
    )
    nouns = [change.noun for change in book.read(history)]
    assert nouns == ["account", "account", "account", "domain"]


def test_no_hash_in_the_record_of_changes(book: Book) -> None:
    hashed = Hasher(LEAST_COST).hash("correct horse")
    book.write(lambda tx: set_password(tx, "ada@example.org", hashed, who=WHO))
    assert "argon2" not in repr(book.read(history))


def test_an_alias_keeps_its_old_targets_on_record(book: Book) -> None:
    book.alias("team@example.org", "ada@example.org")
    book.write(lambda tx: add_alias(tx, "team@example.org", ["bob@example.org"], who=WHO))
    (change, *_) = book.read(lambda reader: history(reader, "team@example.org"))
    assert change.old == {"targets": ["ada@example.org"]}
    assert change.new == {"targets": ["ada@example.org", "bob@example.org"]}
