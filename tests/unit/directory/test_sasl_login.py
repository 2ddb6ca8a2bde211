"""SCRAM, app passwords and certificates against a real directory."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from scramp import ScramClient

from postroad.config.limits import Limits
from postroad.config.logins import Auth
from postroad.db.database import Database
from postroad.directory.accounts import remove_account, suspend_account, take_app_passwords_only
from postroad.directory.app_passwords import add_app_password, app_passwords, draw, get, remove_app_password
from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.directory import Directory
from postroad.directory.errors import (
    AlreadyThere,
    AuthenticationFailed,
    AuthorizationFailed,
    BadExchange,
    BadName,
    NoSuchAppPassword,
    TooMany,
)
from postroad.directory.scram import drop_all_keys, make_keys, recipes, stale_keys
from postroad.directory.scram_offer import LOOK_AGAIN
from postroad.model.refusal import Refused
from postroad.sasl.outcome import Challenge
from tests.unit.directory.world import WHO, Book, HeldClock, run_with_database

RIGHT = "correct horse"
HOME = Client("192.0.2.1", "imap")
ON = Auth(scram="on", scram_iterations=4096)
AUTO = Auth(scram_iterations=4096)
OFF = Auth(scram="off")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """ada has a password with SCRAM keys, bob one without."""
    book = Book(tmp_path)
    book.domain("example.org")
    book.account("ada@example.org", RIGHT)
    book.account("bob@example.org", RIGHT)
    give_keys(book, "ada@example.org", RIGHT)
    return book


def give_keys(book: Book, address: str, password: str) -> None:
    keys = make_keys(password, book.read(lambda reader: recipes(reader, address, None, 4096)))
    hashed = Hasher(LEAST_COST).hash(password)
    book.write(lambda tx: set_password(tx, address, hashed, who=WHO, keys=keys))


def app_password(book: Book, label: str, address: str = "ada@example.org", **more: object) -> str:
    """Make one with keys; gives the secret."""
    secret = draw()
    made_with = book.read(lambda reader: recipes(reader, address, 1, 4096))
    options: dict[str, object] = {"most": 50, **more}
    book.write(
        lambda tx: add_app_password(
            tx,
            address,
            secret,
            who=WHO,
            label=label,
            keys=make_keys(secret, made_with),
            **options,  # type: ignore[arg-type]
        )
    )
    return secret


def run(book: Book, test: object, auth: Auth = ON, limits: Limits | None = None) -> None:
    async def inner(database: Database, clock: HeldClock) -> None:
        directory = Directory(database, clock, book.data, limits=limits, auth=auth, hash_cost=LEAST_COST)
        try:
            await test(directory, clock)  # type: ignore[operator]
        finally:
            await directory.close()

    run_with_database(book.data, inner)


async def scram(
    directory: Directory,
    password: str = RIGHT,
    login: str = "ada@example.org",
    client: Client = HOME,
    mechanism: str = "SCRAM-SHA-256",
    pause: object = None,
) -> LoggedIn | str:
    """Log in as `scramp` does it; a word where that failed."""
    channel = None
    if mechanism.endswith("-PLUS"):
        channel = next(iter(client.bindings.items()))
    other = ScramClient([mechanism], login, password, channel_binding=channel)
    exchange = directory.begin_login(mechanism, client)
    assert exchange is not None
    try:
        first = await exchange.start(other.get_client_first().encode())
        assert isinstance(first, Challenge)
        other.set_server_first(first.data.decode())
        if callable(pause):
            pause()
        final = await exchange.respond(other.get_client_final().encode())
        assert isinstance(final, Challenge)
        other.set_server_final(final.data.decode())
        who = await exchange.respond(b"")
    except AuthenticationFailed:
        return "failed"
    except Refused as refused:
        return refused.private
    assert isinstance(who, LoggedIn)
    return who


async def plain(directory: Directory, password: str, client: Client = HOME) -> LoggedIn | str:
    try:
        return await directory.authenticate("ada@example.org", password, client, "PLAIN")
    except AuthenticationFailed:
        return "failed"


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_scram_opens(book: Book, mechanism: str) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        who = await scram(directory, mechanism=mechanism)
        assert isinstance(who, LoggedIn)
        assert (str(who.account.address), who.mechanism) == ("ada@example.org", mechanism)
        assert who.sentence == f"logged in by {mechanism}"
        assert clock.slept == []

    run(book, test)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
@pytest.mark.parametrize("binding", ["tls-unique", "tls-server-end-point"])
def test_scram_plus_opens(book: Book, mechanism: str, binding: str) -> None:
    client = Client("192.0.2.1", "imap", {binding: b"what only we two know"})

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert isinstance(await scram(directory, mechanism=mechanism, client=client), LoggedIn)

    run(book, test, Auth(scram="on", scram_iterations=4096, end_point_binding=True))


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada@example.org", "wrong horse"),
        ("eve@example.org", RIGHT),
        ("ada", RIGHT),
        ("bob@example.org", RIGHT),
    ],
)
def test_all_that_is_wrong_is_wrong_alike(book: Book, login: str, password: str) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await scram(directory, password, login) == "failed"
        assert clock.slept == [1.0]
        assert await scram(directory, password, login) == "failed"
        assert clock.slept == [1.0, 2.0]

    run(book, test)


def test_a_name_has_the_same_salt_with_and_without_an_account(book: Book) -> None:
    """Or strangers could ask who is here, and whether somebody has changed his password."""

    async def salt(directory: Directory, login: str) -> bytes:
        exchange = directory.begin_login("SCRAM-SHA-256", HOME)
        assert exchange is not None
        first = await exchange.start(f"n,,n={login},r=abc".encode())
        assert isinstance(first, Challenge)
        return first.data.split(b",", 1)[1]

    salts: list[bytes] = []

    async def test(directory: Directory, clock: HeldClock) -> None:
        salts.append(await salt(directory, "ada@example.org"))
        assert await salt(directory, "Ada@Example.org") == salts[-1]
        assert await salt(directory, "eve@example.org") != salts[-1]
        assert await salt(directory, "eve@example.org") == await salt(directory, "eve@example.org")

    run(book, test)
    give_keys(book, "ada@example.org", "another password")
    run(book, test)
    book.write(lambda tx: remove_account(tx, "ada@example.org", who=WHO, keep=False))
    run(book, test)
    assert len(set(salts)) == 1


def test_scram_guesses_count_like_all_others(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        for _ in range(3):
            assert await scram(directory, "wrong horse") == "failed"
        assert await scram(directory) == "limits.auth_per_minute_address"
        assert await plain_refused(directory) == "limits.auth_per_minute_address"

    async def plain_refused(directory: Directory) -> str:
        with pytest.raises(Refused) as caught:
            await plain(directory, RIGHT)
        return caught.value.private

    run(book, test, limits=Limits(auth_per_minute_address=3))


def test_guesses_side_by_side_do_not_all_pass_the_count(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        outcomes = await asyncio.gather(*(scram(directory, f"wrong horse {n}") for n in range(20)))
        assert outcomes.count("failed") == 5

    run(book, test, limits=Limits(auth_per_minute_address=5))


def test_limits_that_were_read_anew_hold(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await scram(directory, "wrong horse") == "failed"
        directory.use(Limits(auth_per_minute_address=1))
        assert await scram(directory) == "limits.auth_per_minute_address"

    run(book, test)


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: suspend_account(tx, "ada@example.org", True, who=WHO),
        lambda tx: remove_account(tx, "ada@example.org", who=WHO),
        lambda tx: set_password(tx, "ada@example.org", Hasher(LEAST_COST).hash("another one"), who=WHO),
        lambda tx: take_app_passwords_only(tx, "ada@example.org", True, who=WHO),
    ],
)
def test_what_changes_between_two_messages_holds(book: Book, change: object) -> None:
    """A client may take its time to prove what it knew a minute ago."""

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await scram(directory, pause=lambda: book.write(change)) == "failed"  # type: ignore[arg-type]

    run(book, test)


def test_nobody_acts_as_somebody_else(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        exchange = directory.begin_login("SCRAM-SHA-1", HOME)
        assert exchange is not None
        with pytest.raises(AuthorizationFailed):
            await exchange.start(b"n,a=bob@example.org,n=ada@example.org,r=abc")

    run(book, test)


def test_who_was_shown_a_shorter_list_is_told(book: Book) -> None:
    client = Client("192.0.2.1", "imap", {"tls-unique": b"1"})

    async def test(directory: Directory, clock: HeldClock) -> None:
        exchange = directory.begin_login("SCRAM-SHA-1", client)
        assert exchange is not None
        with pytest.raises(BadExchange, match="taken it off the list"):
            await exchange.start(b"y,,n=ada@example.org,r=abc")

    run(book, test)


@pytest.mark.parametrize("auth", [ON, AUTO])
def test_keys_are_made_when_the_password_is_shown(book: Book, auth: Auth) -> None:
    async def show(directory: Directory, clock: HeldClock) -> None:
        await directory.authenticate("bob@example.org", RIGHT, HOME, "PLAIN")

    async def prove(directory: Directory, clock: HeldClock) -> None:
        assert isinstance(await scram(directory, login="bob@example.org"), LoggedIn)

    run(book, show, auth)
    run(book, prove)


def test_keys_are_made_anew_when_the_count_is_another(book: Book) -> None:
    more = Auth(scram="on", scram_iterations=5000)

    async def show(directory: Directory, clock: HeldClock) -> None:
        assert isinstance(await plain(directory, RIGHT), LoggedIn)
        assert isinstance(await scram(directory), LoggedIn)

    run(book, show, more)
    assert book.read(lambda reader: stale_keys(reader, "ada@example.org", 1, 5000)) is None
    app_password(book, "phone")
    # The keys of an app password cannot be made anew, and all have to be of one kind.
    assert book.read(lambda reader: stale_keys(reader, "ada@example.org", 1, 9000)) is None


def test_names_without_an_account_have_the_counts_that_accounts_have(book: Book) -> None:
    """Before, while and after keys are made anew; what has gone over to the new count stays there."""
    junk = [f"junk{n}@example.org" for n in range(40)]
    shown: list[list[int]] = []

    async def ask(directory: Directory, clock: HeldClock) -> None:
        shown.append([await count(directory, name) for name in (*junk, "bob@example.org")])

    more = Auth(scram="on", scram_iterations=5000)
    run(book, ask, more)
    assert set(shown[-1]) == {4096}, "nobody has the new count yet"
    give_keys(book, "bob@example.org", RIGHT)

    async def show(directory: Directory, clock: HeldClock) -> None:
        assert isinstance(await plain(directory, RIGHT), LoggedIn)

    run(book, show, more)
    run(book, ask, more)
    assert shown[-1][-1] == 4096
    assert 8 < shown[-1][:-1].count(4096) < 32, "one of two accounts has it"

    async def show_too(directory: Directory, clock: HeldClock) -> None:
        await directory.authenticate("bob@example.org", RIGHT, HOME, "PLAIN")

    run(book, show_too, more)
    run(book, ask, more)
    assert set(shown[-1]) == {5000}
    book.write(lambda tx: drop_all_keys(tx, who=WHO))
    run(book, ask)
    assert set(shown[-1]) == {4096}, "nobody has any: that of the settings"


async def count(directory: Directory, login: str) -> int:
    exchange = directory.begin_login("SCRAM-SHA-256", HOME)
    assert exchange is not None
    first = await exchange.start(f"n,,n={login},r=abc".encode())
    assert isinstance(first, Challenge)
    return int(first.data.rpartition(b",i=")[2])


def test_keys_are_forgotten_when_none_are_wanted(book: Book) -> None:
    async def forget(directory: Directory, clock: HeldClock) -> None:
        assert "SCRAM-SHA-1" not in directory.mechanisms(HOME)
        await directory.forget_unwanted_keys()
        assert isinstance(await plain(directory, RIGHT), LoggedIn)

    run(book, forget, OFF)
    assert book.read(lambda reader: reader.value("SELECT count(*) FROM scram_key")) == 0
    assert b"stored_key" not in (book.data / "directory.json").read_bytes()


@pytest.mark.parametrize(
    ("auth", "bindings", "offered"),
    [
        (OFF, {}, ("PLAIN", "LOGIN")),
        (AUTO, {}, ("PLAIN", "LOGIN")),
        (ON, {}, ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN")),
        (ON, {"tls-server-end-point": b"1"}, ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN")),
        (
            Auth(scram="on", end_point_binding=True, mechanisms=("SCRAM-SHA-256-PLUS", "PLAIN")),
            {"tls-server-end-point": b"1"},
            ("SCRAM-SHA-256-PLUS", "PLAIN"),
        ),
    ],
)
def test_what_is_offered(
    book: Book, auth: Auth, bindings: Mapping[str, bytes], offered: tuple[str, ...]
) -> None:
    client = Client("192.0.2.1", "imap", bindings)

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert directory.mechanisms(client) == offered
        assert directory.mechanisms(client, ("LOGIN", "CRAM-MD5")) == offered[-1:] * ("LOGIN" in offered)
        assert directory.begin_login("PLAIN", client, ("LOGIN",)) is None

    run(book, test, auth)


def offers_scram(directory: Directory) -> bool:
    return "SCRAM-SHA-256" in directory.mechanisms(HOME)


def test_scram_is_offered_by_itself_once_every_password_has_keys(book: Book) -> None:
    async def test(directory: Directory, clock: HeldClock) -> None:
        assert not offers_scram(directory)
        # A log-in of bob's makes the last keys that were missing; that is no change of the directory.
        await directory.authenticate("bob@example.org", RIGHT, HOME, "PLAIN")
        clock.time += LOOK_AGAIN - 1
        assert not offers_scram(directory)
        clock.time += 1
        assert offers_scram(directory)
        book.account("eve@example.org", RIGHT)  # a password without keys, set by something else
        assert not offers_scram(directory)
        give_keys(book, "eve@example.org", RIGHT)
        assert offers_scram(directory)
        secret = draw()
        book.write(
            lambda tx: add_app_password(tx, "bob@example.org", secret, who=WHO, label="x", most=5, keys={})
        )
        assert not offers_scram(directory)
        book.write(lambda tx: remove_app_password(tx, "bob@example.org", "x", who=WHO))
        assert offers_scram(directory)

    run(book, test, AUTO)


# -- app passwords ---------------------------------------------------------------------


def test_an_app_password_opens_in_every_way(book: Book) -> None:
    phone, desk = app_password(book, "phone"), app_password(book, "desk")

    async def test(directory: Directory, clock: HeldClock) -> None:
        typed = phone, phone.upper(), phone.replace("-", " "), phone.replace("-", "")
        for one in typed:
            who = await plain(directory, one)
            assert isinstance(who, LoggedIn)
            assert who.app_password == "phone"
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
            who = await scram(directory, desk, mechanism=mechanism)
            assert isinstance(who, LoggedIn)
            assert who.sentence == f'logged in by {mechanism} with the app password "desk"'
        assert isinstance(await plain(directory, RIGHT), LoggedIn)
        assert await plain(directory, draw()) == "failed"

    run(book, test)


def test_an_app_password_opens_what_it_is_for(book: Book) -> None:
    secret = app_password(book, "scanner", protocols=["smtp"])

    async def test(directory: Directory, clock: HeldClock) -> None:
        sending = Client("192.0.2.1", "submission")
        assert isinstance(await plain(directory, secret, sending), LoggedIn)
        assert isinstance(await scram(directory, secret, client=sending), LoggedIn)
        assert await plain(directory, secret) == "failed"
        assert await scram(directory, secret) == "failed"

    run(book, test)


def test_an_app_password_ends(book: Book) -> None:
    secret = app_password(book, "guest", expires=HeldClock().now() + 100)

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert isinstance(await plain(directory, secret), LoggedIn)
        clock.time += 100
        assert await plain(directory, secret) == "failed"
        assert await scram(directory, secret) == "failed"

    run(book, test)


def test_an_app_password_is_taken_back(book: Book) -> None:
    secret = app_password(book, "phone")
    book.write(lambda tx: remove_app_password(tx, "ada@example.org", "phone", who=WHO))

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await plain(directory, secret) == "failed"
        assert await scram(directory, secret) == "failed"

    run(book, test)
    with pytest.raises(NoSuchAppPassword):
        book.write(lambda tx: remove_app_password(tx, "ada@example.org", "phone", who=WHO))


def test_an_account_may_take_app_passwords_alone(book: Book) -> None:
    secret = app_password(book, "phone")
    book.write(lambda tx: take_app_passwords_only(tx, "ada@example.org", True, who=WHO))

    async def closed(directory: Directory, clock: HeldClock) -> None:
        assert await plain(directory, RIGHT) == "failed"
        assert await scram(directory) == "failed"
        assert isinstance(await plain(directory, secret), LoggedIn)
        assert isinstance(await scram(directory, secret), LoggedIn)

    async def opened(directory: Directory, clock: HeldClock) -> None:
        assert isinstance(await plain(directory, RIGHT), LoggedIn)

    run(book, closed)
    book.write(lambda tx: take_app_passwords_only(tx, "ada@example.org", False, who=WHO))
    run(book, opened)


def test_the_last_use_is_noted_once_an_hour(book: Book) -> None:
    secret = app_password(book, "phone")
    began = HeldClock().now()

    async def test(directory: Directory, clock: HeldClock) -> None:
        for later, noted in ((0, 0), (3599, 0), (3600, 3600)):
            clock.time = began + later
            await plain(directory, secret)
            found = book.read(lambda reader: get(reader, 1, "phone"))
            assert found is not None
            assert (found.used, found.used_from, found.used_for) == (began + noted, "192.0.2.1", "imap")

    run(book, test)


def test_what_an_app_password_cannot_be(book: Book) -> None:
    app_password(book, "phone")
    with pytest.raises(AlreadyThere):
        app_password(book, "phone")
    with pytest.raises(TooMany):
        app_password(book, "desk", most=1)
    for label, protocols in (
        ("", ["imap"]),
        ("x" * 61, ["imap"]),
        ("a\nb", ["imap"]),
        ("a", []),
        ("a", ["ftp"]),
    ):
        with pytest.raises(BadName):
            app_password(book, label, protocols=protocols)
    assert [one.label for one in book.read(lambda reader: app_passwords(reader, 1))] == ["phone"]


def test_a_secret_has_a_hundred_bits_and_no_letters_that_are_misread() -> None:
    drawn = {draw() for _ in range(200)}
    assert len(drawn) == 200
    letters = set("".join(drawn))
    assert letters <= set("abcdefghijkmnpqrstuvwxyz23456789-")
    assert all(len(secret.replace("-", "")) == 20 for secret in drawn)


# -- certificates ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "wanted", "who"),
    [
        (("ada@example.org",), "", "ada@example.org"),
        (("ADA@example.ORG",), "ada@example.org", "ada@example.org"),
        (("ada@example.org", "bob@example.org"), "bob@example.org", "bob@example.org"),
        (("ada@example.org", "bob@example.org"), "", "failed"),
        (("ada@example.org",), "bob@example.org", "failed"),
        (("eve@example.org",), "", "failed"),
        (("not an address",), "", "failed"),
    ],
)
def test_a_certificate_opens_what_it_names(book: Book, names: tuple[str, ...], wanted: str, who: str) -> None:
    client = Client("192.0.2.1", "imap", {}, names)

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert "EXTERNAL" in directory.mechanisms(client)
        assert "EXTERNAL" not in directory.mechanisms(HOME)
        exchange = directory.begin_login("EXTERNAL", client)
        assert exchange is not None
        try:
            found = await exchange.start(wanted.encode())
        except AuthenticationFailed:
            assert who == "failed"
            assert clock.slept == [1.0]
        else:
            assert isinstance(found, LoggedIn)
            assert str(found.account.address) == who

    run(book, test)


def test_nothing_is_left_of_an_account_that_is_erased(book: Book) -> None:
    secret = app_password(book, "phone")
    book.write(lambda tx: remove_account(tx, "ada@example.org", who=WHO, keep=False))
    assert book.read(lambda reader: reader.value("SELECT count(*) FROM app_password")) == 0
    assert book.read(lambda reader: reader.value("SELECT count(*) FROM scram_key")) == 0

    async def test(directory: Directory, clock: HeldClock) -> None:
        assert await plain(directory, secret) == "failed"

    run(book, test)
