"""Where mail to an address goes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from postroad.db.transaction import Transaction
from postroad.directory.accounts import suspend_account
from postroad.directory.directory import Directory
from postroad.directory.resolve import MAX_DEPTH, MAX_TARGETS, AccountTarget, Local
from postroad.model.address import POSTMASTER, Address, parse_mailbox
from tests.unit.directory.world import WHO, Book, HeldClock, reached, run_with_directory


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = Book(tmp_path)
    book.domain("example.org")
    book.account("ada@example.org")
    book.account("Bob.Smith@example.org")
    return book


def ask(book: Book, question: Callable[[Directory], object]) -> object:
    async def test(directory: Directory, _: HeldClock) -> object:
        return question(directory)

    return run_with_directory(book.data, test)


def goes_to(book: Book, address: str) -> list[str]:
    found = ask(book, lambda directory: reached(directory, address))
    assert isinstance(found, list)
    return found


def target_of(book: Book, address: str | Address) -> AccountTarget:
    wanted = parse_mailbox(address) if isinstance(address, str) else address
    found = ask(book, lambda directory: directory.resolve(wanted))
    assert isinstance(found, Local)
    (target,) = found.targets
    assert isinstance(target, AccountTarget)
    return target


@pytest.mark.parametrize("address", ["ada@example.org", "ADA@EXAMPLE.ORG", '"ada"@example.org'])
def test_an_account_in_every_spelling(book: Book, address: str) -> None:
    assert goes_to(book, address) == ["ada@example.org"]


def test_an_account_keeps_the_case_it_was_given(book: Book) -> None:
    assert goes_to(book, "bob.smith@example.org") == ["Bob.Smith@example.org"]


def test_nobody(book: Book) -> None:
    assert goes_to(book, "eve@example.org") == ["Unknown"]


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com",
        "ada@mail.example.org",
        "ada@org",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        "postmaster@example.com",
        "ada@exаmple.org",
    ],
)
def test_what_is_not_ours(book: Book, address: str) -> None:
    assert goes_to(book, address) == ["NotOurs"]


@pytest.mark.parametrize(
    "address",
    [
        "eve%example.com@example.org",
        "example.com!eve@example.org",
        '"eve@example.com"@example.org',
        '"ada@example.org"@example.org',
        '"eve%example.com"@example.org',
        '"<eve@example.com>"@example.org',
        '"@example.com:eve"@example.org',
        '" ada"@example.org',
        '"ada "@example.org',
        "a.da@example.org",
        "+ada@example.org",
        '"+shop"@example.org',
    ],
)
def test_no_local_part_is_a_route(book: Book, address: str) -> None:
    assert goes_to(book, address) == ["Unknown"]


def test_a_subaddress_is_its_account_with_a_detail(book: Book) -> None:
    target = target_of(book, "Ada+Shop+2@example.org")
    assert str(target.address) == "ada@example.org"
    assert target.detail == "Shop+2"
    assert str(target.delivered_to) == "Ada+Shop+2@example.org"


def test_an_exact_name_wins_over_the_subaddress(book: Book) -> None:
    book.account("ada+own@example.org")
    book.alias("ada+list@example.org", "bob.smith@example.org")
    assert goes_to(book, "ada+own@example.org") == ["ada+own@example.org"]
    assert goes_to(book, "ada+list@example.org") == ["Bob.Smith@example.org"]


def test_an_alias_to_several_here_and_elsewhere(book: Book) -> None:
    book.alias("team@example.org", "ada@example.org", "eve@example.com", "bob.smith@example.org")
    assert goes_to(book, "Team@example.org") == [
        "ada@example.org",
        "eve@example.com",
        "Bob.Smith@example.org",
    ]


def test_a_detail_goes_through_an_alias(book: Book) -> None:
    book.alias("info@example.org", "ada@example.org")
    assert target_of(book, "info+press@example.org").detail == "press"
    book.alias("sales@example.org", "ada+sales@example.org")
    assert target_of(book, "sales@example.org").detail == "sales"
    assert target_of(book, "sales+eu@example.org").detail == "sales"


def test_each_target_once(book: Book) -> None:
    book.alias("a@example.org", "ada@example.org", "eve@example.com")
    book.alias("b@example.org", "a@example.org", "ada+x@example.org", "EVE@example.com")
    assert goes_to(book, "b@example.org") == ["ada@example.org", "EVE@example.com"]


def test_a_catch_all_takes_what_is_left(book: Book) -> None:
    book.alias("@example.org", "bob.smith@example.org")
    assert goes_to(book, "anything@example.org") == ["Bob.Smith@example.org"]
    assert goes_to(book, "ada@example.org") == ["ada@example.org"]
    assert goes_to(book, "ada+x@example.org") == ["ada@example.org"]
    assert str(target_of(book, "anything@example.org").delivered_to) == "anything@example.org"


def test_a_shadowing_alias_may_leave_a_copy(book: Book) -> None:
    book.alias("ada@example.org", "ada@example.org", "ada@example.com", shadow=True)
    assert goes_to(book, "ada@example.org") == ["ada@example.org", "ada@example.com"]


def test_a_shadowing_alias_takes_it_all(book: Book) -> None:
    book.alias("ada@example.org", "ada@example.com", shadow=True)
    assert goes_to(book, "ada@example.org") == ["ada@example.com"]
    assert goes_to(book, "ada+x@example.org") == ["ada@example.com"]


@pytest.mark.parametrize(
    "address", ["postmaster@example.org", "Abuse@example.org", "postmaster+x@example.org"]
)
def test_role_addresses_reach_the_first_account(book: Book, address: str) -> None:
    assert goes_to(book, address) == ["ada@example.org"]


def test_role_addresses_of_an_empty_domain_reach_the_first_account_of_all(book: Book) -> None:
    book.domain("empty.example")
    assert goes_to(book, "postmaster@empty.example") == ["ada@example.org"]


def test_role_addresses_may_be_given_to_somebody(book: Book) -> None:
    book.alias("postmaster@example.org", "bob.smith@example.org")
    book.alias("@example.org", "eve@example.com")
    assert goes_to(book, "postmaster@example.org") == ["Bob.Smith@example.org"]
    assert goes_to(book, "abuse@example.org") == ["eve@example.com"]


def test_postmaster_without_a_domain(book: Book) -> None:
    target = target_of(book, POSTMASTER)
    assert str(target.address) == "ada@example.org"
    assert str(target.delivered_to) == "postmaster@example.org"


@pytest.mark.parametrize(
    ("address", "result"),
    [
        ("PostMaster@mx.example.net", "ada@example.org"),
        ("ada@mx.example.net", "NotOurs"),
        ("postmaster@example.net", "NotOurs"),
    ],
)
def test_the_servers_own_name_has_a_postmaster_alone(book: Book, address: str, result: str) -> None:
    async def test(directory: Directory, _: HeldClock) -> list[str]:
        return reached(directory, address)

    assert run_with_directory(book.data, test, hostname="MX.example.net") == [result]


def test_the_servers_own_name_may_be_a_domain_like_others(book: Book) -> None:
    book.domain("mx.example.net")
    book.alias("postmaster@mx.example.net", "bob.smith@example.org")

    async def test(directory: Directory, _: HeldClock) -> list[str]:
        return reached(directory, "postmaster@mx.example.net")

    assert run_with_directory(book.data, test, hostname="mx.example.net") == ["Bob.Smith@example.org"]


def test_postmaster_without_anybody(tmp_path: Path) -> None:
    book = Book(tmp_path)

    async def test(directory: Directory, _: HeldClock) -> str:
        return type(directory.resolve(POSTMASTER)).__name__

    assert run_with_directory(tmp_path, test) == "Unknown"
    book.domain("example.org")
    assert goes_to(book, "postmaster@example.org") == ["Unknown"]


def suspend(book: Book, address: str) -> None:
    book.write(lambda tx: suspend_account(tx, address, True, who=WHO))


def test_a_suspended_account_alone(book: Book) -> None:
    suspend(book, "ada@example.org")
    assert goes_to(book, "ada@example.org") == ["Suspended"]
    assert goes_to(book, "ada+x@example.org") == ["Suspended"]


def test_a_suspended_account_among_others(book: Book) -> None:
    book.alias("team@example.org", "ada@example.org", "bob.smith@example.org")
    suspend(book, "ada@example.org")
    assert goes_to(book, "team@example.org") == ["Bob.Smith@example.org"]


def test_role_addresses_pass_over_suspended_accounts(book: Book) -> None:
    book.alias("postmaster@example.org", "ada@example.org")
    suspend(book, "ada@example.org")
    assert goes_to(book, "postmaster@example.org") == ["Bob.Smith@example.org"]
    assert goes_to(book, "abuse@example.org") == ["Bob.Smith@example.org"]


def write_alias(tx: Transaction, source: str, position: int, target: str) -> None:
    """Past all checks, as somebody with a SQLite shell would."""
    tx.run(
        "INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?)",
        *(source, position, source, source.rpartition("@")[2], target, target),
    )


def test_loops_in_the_tables_end(book: Book) -> None:
    def loop(tx: Transaction) -> None:
        write_alias(tx, "a@example.org", 1, "b@example.org")
        write_alias(tx, "b@example.org", 1, "a@example.org")
        write_alias(tx, "b@example.org", 2, "ada@example.org")
        write_alias(tx, "c@example.org", 1, "c@example.org")
        write_alias(tx, "@example.org", 1, "d@example.org")

    book.write(loop)
    assert goes_to(book, "a@example.org") == ["ada@example.org"]
    assert goes_to(book, "c@example.org") == ["Unknown"]
    assert goes_to(book, "x@example.org") == ["Unknown"]


def test_depth_is_bounded(book: Book) -> None:
    def chain(tx: Transaction) -> None:
        for n in range(MAX_DEPTH + 2):
            write_alias(tx, f"a{n}@example.org", 1, f"a{n + 1}@example.org")
        write_alias(tx, f"a{MAX_DEPTH + 2}@example.org", 1, "ada@example.org")

    book.write(chain)
    assert goes_to(book, "a4@example.org") == ["ada@example.org"]
    assert goes_to(book, "a0@example.org") == ["Unknown"]


def test_targets_are_bounded(book: Book) -> None:
    def crowd(tx: Transaction) -> None:
        for n in range(MAX_TARGETS + 5):
            write_alias(tx, "all@example.org", n, f"u{n}@example.com")

    book.write(crowd)
    assert len(goes_to(book, "all@example.org")) == MAX_TARGETS


def test_an_alias_may_leave_dangling_targets(book: Book) -> None:
    book.write(lambda tx: write_alias(tx, "old@example.org", 1, "gone@example.org"))
    assert goes_to(book, "old@example.org") == ["Unknown"]


def test_international_names_are_one(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.domain("bücher.example")
    book.account("jörg@BÜCHER.example")
    assert goes_to(book, "JÖRG@xn--bcher-kva.example") == ["jörg@xn--bcher-kva.example"]
    assert goes_to(book, "jo\u0308rg+x@bücher.example") == ["jörg@xn--bcher-kva.example"]


def may_send(book: Book, who: str, address: str | Address) -> bool:
    wanted = parse_mailbox(address) if isinstance(address, str) else address

    def question(directory: Directory) -> bool:
        info = directory.account(parse_mailbox(who))
        assert info is not None
        return directory.may_send_as(info.id, wanted)

    return bool(ask(book, question))


def test_who_may_send_as_whom(book: Book) -> None:
    book.alias("team@example.org", "ada@example.org", "eve@example.com")
    book.alias("everybody@example.org", "team@example.org", "bob.smith@example.org")
    for address in ("ADA@example.org", "ada+x@example.org", "team@example.org", "everybody@example.org"):
        assert may_send(book, "ada@example.org", address)
    for address in ("bob.smith@example.org", "eve@example.com", "nobody@example.org", "ada@example.com"):
        assert not may_send(book, "ada@example.org", address)
    assert not may_send(book, "bob.smith@example.org", "team@example.org")
    assert not may_send(book, "ada@example.org", POSTMASTER)


def test_a_catch_all_lets_send_as_what_is_left(book: Book) -> None:
    book.alias("@example.org", "bob.smith@example.org")
    assert may_send(book, "bob.smith@example.org", "whatever@example.org")
    assert not may_send(book, "bob.smith@example.org", "ada@example.org")
    assert not may_send(book, "bob.smith@example.org", "ada+x@example.org")
