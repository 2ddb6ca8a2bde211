"""Log-in: who gets in, what a wrong guess costs, and that nobody can tell guesses apart."""

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from postroad.config.limits import Limits
from postroad.config.logins import Auth
from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.directory.accounts import remove_account, suspend_account
from postroad.directory.attempts import Attempts
from postroad.directory.authenticate import Authenticator
from postroad.directory.client import Client
from postroad.directory.credentials import LEAST_COST, Hasher, PasswordHash, set_password
from postroad.directory.directory import Directory
from postroad.directory.errors import AuthenticationFailed
from postroad.model.refusal import Refused, Unavailable
from postroad.store.blobs.pack import ActivePack
from tests.unit.directory.world import WHO, Book, HeldClock, run_with_database, run_with_directory

HOME = "192.0.2.1"
CAFE = "198.51.100.7"
WRONG = "wrong password"
RIGHT = "correct horse"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = Book(tmp_path)
    book.domain("example.org")
    book.account("ada@example.org", RIGHT)
    book.account("bob@example.org", RIGHT)
    book.account("mute@example.org")
    return book


async def attempt(
    directory: Directory, password: str, login: str = "ada@example.org", peer: str = HOME
) -> str:
    """What came of one log-in, in a word."""
    try:
        who = await directory.authenticate(login, password, Client(peer, "imap"), "PLAIN")
    except AuthenticationFailed:
        return "failed"
    except Refused as refused:
        return refused.private
    return str(who.account.address)


@pytest.mark.parametrize(
    "login", ["ada@example.org", "ADA@Example.ORG", " ada@example.org", '"ada"@example.org']
)
def test_the_right_password_opens(book: Book, login: str) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await attempt(directory, RIGHT, login) == "ada@example.org"
        assert clock.slept == []

    run_with_directory(book.data, test)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada@example.org", WRONG),
        ("ada@example.org", ""),
        ("ada@example.org", "Correct horse"),
        ("ada@example.org", "correct\nhorse"),
        ("ada@example.org", "x" * 5000),
        ("eve@example.org", RIGHT),
        ("ada@example.com", RIGHT),
        ("ada", RIGHT),
        ("", RIGHT),
        ("", ""),
        ("ada+x@example.org", RIGHT),
        ("ada@example.org\0", RIGHT),
        ("\ud800@example.org", RIGHT),
        ("mute@example.org", RIGHT),
        ("mute@example.org", ""),
        ("mute@example.org", "no password hashes to this"),
        ("eve@example.org", "no password hashes to this"),
    ],
)
def test_all_that_is_wrong_is_wrong_alike(book: Book, login: str, password: str) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        with pytest.raises(AuthenticationFailed) as caught:
            await directory.authenticate(login, password, Client(HOME, "imap"), "PLAIN")
        assert str(caught.value) == ""
        assert clock.slept == [1.0]

    run_with_directory(book.data, test)


def test_a_suspended_account_is_wrong_alike(book: Book) -> None:
    book.write(lambda tx: suspend_account(tx, "ada@example.org", True, who=WHO))

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await attempt(directory, RIGHT) == "failed"
        assert clock.slept == [1.0]

    run_with_directory(book.data, test)


def test_what_the_log_in_took_is_part_of_the_delay(book: Book) -> None:
    class Busy(HeldClock):
        def monotonic(self) -> float:
            self.time += 0.02  # asked a dozen times, by the commit too
            return super().monotonic()

    async def test(directory: Directory, clock: HeldClock) -> None:
        await attempt(directory, WRONG)
        assert len(clock.slept) == 1
        assert clock.slept[0] < 1.0

    run_with_directory(book.data, test, clock=Busy())


def test_each_failure_costs_twice_the_last(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        for n in range(7):
            await attempt(directory, f"{WRONG} {n}", login=f"user{n}@example.org")
        assert clock.slept == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]  # auth_delay, up to auth_delay_max

    run_with_directory(book.data, test)


def test_ten_failures_a_minute_from_one_address(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        for n in range(10):
            assert await attempt(directory, f"{WRONG} {n}") == "failed"
        assert await attempt(directory, RIGHT) == "limits.auth_per_minute_address"
        assert await attempt(directory, RIGHT, "bob@example.org") == "limits.auth_per_minute_address"
        assert await attempt(directory, RIGHT, peer=CAFE) == "ada@example.org"
        clock.time += 61
        assert await attempt(directory, RIGHT) == "ada@example.org"

    run_with_directory(book.data, test)


def test_an_ipv6_network_is_one_address(book: Book) -> None:
    async def test(directory: Directory, _: HeldClock) -> None:
        for n in range(10):
            await attempt(directory, WRONG, peer=f"2001:db8:1:2::{n}")
        assert await attempt(directory, RIGHT, peer="2001:db8:1:2:ffff::") == "limits.auth_per_minute_address"
        assert await attempt(directory, RIGHT, peer="2001:db8:1:3::1") == "ada@example.org"

    run_with_directory(book.data, test)


def fail_for_a_day(book: Book) -> HeldClock:
    clock = HeldClock()

    async def test(directory: Directory, clock: HeldClock) -> None:
        for n in range(50):
            assert await attempt(directory, f"{WRONG} {n}") == "failed"
            clock.time += 61
        assert await attempt(directory, RIGHT) == "limits.auth_per_day_address"

    run_with_directory(book.data, test, clock=clock)
    return clock


def test_no_ban_lasts_for_years_because_a_clock_ran_ahead(book: Book) -> None:
    clock = HeldClock()
    clock.time += 10 * 365 * 86400
    ahead = clock.time

    async def test(directory: Directory, clock: HeldClock) -> None:
        for n in range(10):
            await attempt(directory, f"{WRONG} {n}")
        assert await attempt(directory, RIGHT) == "limits.auth_per_minute_address"
        clock.time = ahead - 30  # a little back: the guesses still count
        assert await attempt(directory, RIGHT) == "limits.auth_per_minute_address"
        clock.time = ahead - 10 * 365 * 86400
        assert await attempt(directory, RIGHT) == "ada@example.org"

    run_with_directory(book.data, test, clock=clock)


def test_a_ban_of_a_day_outlives_a_restart(book: Book) -> None:
    clock = fail_for_a_day(book)

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await attempt(directory, RIGHT) == "limits.auth_per_day_address"
        clock.time += 86400
        assert await attempt(directory, RIGHT) == "ada@example.org"

    run_with_directory(book.data, test, clock=clock)


def test_a_ban_ends_though_the_clock_was_set_back(book: Book) -> None:
    clock = fail_for_a_day(book)
    clock.time -= 10 * 86400

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await attempt(directory, WRONG, peer=CAFE) == "failed"
        clock.time += 20 * 86400
        assert await attempt(directory, RIGHT) == "ada@example.org"

    run_with_directory(book.data, test, clock=clock)


@pytest.mark.parametrize("login", ["ada@example.org", "nobody@example.org"])
def test_an_account_is_guessed_at_600_times_an_hour_from_everywhere(book: Book, login: str) -> None:
    limits = Limits(auth_per_hour_account=5)

    async def test(directory: Directory, _: HeldClock) -> None:
        for n in range(5):
            assert await attempt(directory, WRONG, login, peer=f"203.0.113.{n}") == "failed"
        assert await attempt(directory, RIGHT, login, peer=CAFE) == "limits.auth_per_hour_account"

    run_with_directory(book.data, test, limits=limits)


def test_the_owner_gets_in_from_a_known_network_whatever_strangers_do(book: Book) -> None:
    limits = Limits(auth_per_hour_account=5)

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await attempt(directory, RIGHT) == "ada@example.org"
        clock.time += 3600  # longer than any memo
        for n in range(5):
            assert await attempt(directory, WRONG, peer=f"203.0.113.{n}") == "failed"
        assert await attempt(directory, RIGHT, peer=CAFE) == "limits.auth_per_hour_account"
        assert await attempt(directory, RIGHT) == "ada@example.org"

    run_with_directory(book.data, test, limits=limits)


def test_one_wrong_phone_does_not_lock_out_the_office(book: Book) -> None:
    async def test(directory: Directory, _: HeldClock) -> None:
        assert await attempt(directory, RIGHT, "ada@example.org") == "ada@example.org"
        assert await attempt(directory, RIGHT, "bob@example.org") == "bob@example.org"
        for n in range(10):
            assert await attempt(directory, f"{WRONG} {n}", "bob@example.org") == "failed"
        assert await attempt(directory, WRONG, "bob@example.org") == "limits.auth_per_minute_address"
        assert await attempt(directory, RIGHT, "ada@example.org") == "ada@example.org"

    run_with_directory(book.data, test)


def test_parallel_guesses_do_not_pass_the_limit_together(book: Book) -> None:
    async def test(directory: Directory, _: HeldClock) -> None:
        answers = await asyncio.gather(*(attempt(directory, f"{WRONG} {n}") for n in range(40)))
        assert answers.count("failed") == 10
        assert answers.count("limits.auth_per_minute_address") == 30

    run_with_directory(book.data, test)


def test_an_office_comes_to_work_at_once(book: Book) -> None:
    for n in range(30):
        book.account(f"user{n}@example.org", RIGHT)

    async def test(directory: Directory, clock: HeldClock) -> None:
        logins = [f"user{n % 30}@example.org" for n in range(60)]
        answers = await asyncio.gather(*(attempt(directory, RIGHT, login) for login in logins))
        assert answers == logins
        assert clock.slept == []

    run_with_directory(book.data, test)


def test_the_right_password_is_never_counted(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        for _ in range(30):
            assert await attempt(directory, RIGHT) == "ada@example.org"
            clock.time += 700  # past the memo

    run_with_directory(book.data, test)
    assert book.read(lambda reader: reader.value("SELECT count(*) FROM auth_failure")) == 0


class Counting(Hasher):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(LEAST_COST)
        self.verified = 0

    def verify(self, stored: PasswordHash, password: str) -> bool:
        self.verified += 1
        return super().verify(stored, password)


class OutOfMemory(Hasher):
    """Finds no memory for a hash."""

    def __init__(self) -> None:
        super().__init__(LEAST_COST)

    def verify(self, stored: PasswordHash, password: str) -> bool:
        raise Unavailable("argon2: Memory allocation error")


def test_without_memory_nobody_is_told_that_the_password_is_wrong(book: Book) -> None:
    async def test(database: Database, clock: HeldClock) -> None:
        attempts = Attempts(database, clock, Limits(auth_per_minute_address=1))
        authenticator = Authenticator(database, clock, attempts, OutOfMemory(), Auth())
        for _ in range(3):
            with pytest.raises(Unavailable):
                await authenticator.authenticate("ada@example.org", RIGHT, Client(HOME, "imap"), "PLAIN")

    run_with_database(book.data, test)


def test_pollers_cost_no_hash(book: Book) -> None:
    async def test(database: Database, clock: HeldClock) -> None:
        hasher = Counting()
        authenticator = Authenticator(database, clock, Attempts(database, clock, Limits()), hasher, Auth())
        for _ in range(5):
            await authenticator.authenticate("ada@example.org", RIGHT, Client(HOME, "imap"), "PLAIN")
        assert hasher.verified == 1
        cafe = Client(CAFE, "imap")
        many = (authenticator.authenticate("ada@example.org", RIGHT, cafe, "PLAIN") for _ in range(5))
        await asyncio.gather(*many)
        assert hasher.verified == 2
        clock.time += 601
        await authenticator.authenticate("ada@example.org", RIGHT, Client(HOME, "imap"), "PLAIN")
        assert hasher.verified == 3
        await authenticator.close()

    run_with_database(book.data, test)


@pytest.mark.parametrize("login", ["ada@example.org", "mute@example.org", "eve@example.org", "", "ada"])
def test_every_wrong_log_in_costs_one_hash(book: Book, login: str) -> None:
    async def test(database: Database, clock: HeldClock) -> None:
        hasher = Counting()
        authenticator = Authenticator(database, clock, Attempts(database, clock, Limits()), hasher, Auth())
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(login, WRONG, Client(HOME, "imap"), "PLAIN")
        assert hasher.verified == 1
        await authenticator.close()

    run_with_database(book.data, test)


def test_a_limit_is_a_temporary_failure(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        await attempt(directory, WRONG)
        with pytest.raises(Refused) as caught:
            await directory.authenticate("ada@example.org", RIGHT, Client(HOME, "submission"), "PLAIN")
        assert str(caught.value) == "454 4.7.0 too many failed log-ins, try again later"
        assert clock.slept == [1.0, 1.0]

    run_with_directory(book.data, test, limits=Limits(auth_per_day_address=1))


@pytest.mark.parametrize(
    "end",
    [
        lambda tx: set_password(tx, "ada@example.org", Hasher(LEAST_COST).hash("another one"), who=WHO),
        lambda tx: suspend_account(tx, "ada@example.org", True, who=WHO),
        lambda tx: remove_account(tx, "ada@example.org", who=WHO),
    ],
)
def test_no_memo_outlives_a_change(book: Book, end: Callable[[Transaction], object]) -> None:
    async def test(directory: Directory, _: HeldClock) -> None:
        assert await attempt(directory, RIGHT) == "ada@example.org"
        await directory.change(end)
        assert await attempt(directory, RIGHT) == "failed"

    run_with_directory(book.data, test)


def test_a_session_that_leaves_takes_nobody_with_it(book: Book) -> None:
    async def test(directory: Directory, _: HeldClock) -> None:
        first = asyncio.create_task(attempt(directory, RIGHT))
        second = asyncio.create_task(attempt(directory, RIGHT))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "ada@example.org"
        with pytest.raises(asyncio.CancelledError):
            await first

    run_with_directory(book.data, test)


class FullDisk(ActivePack):
    """No commit gets through."""

    def sync(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_keeps_nobody_out(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await attempt(directory, RIGHT) == "ada@example.org"
        assert await attempt(directory, WRONG) == "failed"
        assert clock.slept == [1.0]

    run_with_directory(book.data, test, packs=FullDisk(book.data / "packs"))


def test_counts_that_are_over_are_cleared_away(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        for n in range(8):
            await attempt(directory, WRONG, peer=f"203.0.113.{n}")
        clock.time += 86401
        await attempt(directory, WRONG)

    run_with_directory(book.data, test)
    assert book.read(lambda reader: reader.value("SELECT count(*) FROM auth_failure")) == 3


def test_known_networks_are_bounded(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        for n in range(60):
            await attempt(directory, RIGHT, peer=f"203.0.113.{n}")
            clock.time += 1

    run_with_directory(book.data, test)
    networks = book.read(lambda reader: reader.rows("SELECT network FROM known_network ORDER BY at"))
    assert [network for (network,) in networks] == [f"203.0.113.{n}" for n in range(10, 60)]


def test_passwords_are_compared_normalized(book: Book) -> None:
    hashed = Hasher(LEAST_COST).hash("schöne\u00a0pferde")
    book.write(lambda tx: set_password(tx, "ada@example.org", hashed, who=WHO))

    async def test(directory: Directory, _: HeldClock) -> None:
        assert await attempt(directory, "scho\u0308ne pferde") == "ada@example.org"

    run_with_directory(book.data, test)
