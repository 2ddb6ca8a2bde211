"""Bearer tokens against a provider that speaks HTTPS: what opens, what does not, and when it is gone."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from joserfc.jwk import RSAKey

from postroad.config.limits import Limits
from postroad.config.logins import OpenId
from postroad.db.database import Database
from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client
from postroad.directory.directory import Directory
from postroad.directory.errors import AuthenticationFailed
from postroad.directory.tokens import Tokens
from postroad.model.refusal import Unavailable
from postroad.sasl.outcome import Challenge
from tests.unit.directory.openid_provider import ProviderServer
from tests.unit.directory.world import Book, HeldClock, run_with_database

HOME = Client("192.0.2.1", "imap")
Test: TypeAlias = Callable[["Place"], Awaitable[None]]


class Place:
    """A provider and a directory that believes it."""

    def __init__(self, provider: ProviderServer, directory: Directory, clock: HeldClock) -> None:
        self.provider = provider
        self.directory = directory
        self.clock = clock

    def token(self, key: str = "rsa", **claims: Any) -> str:
        return self.provider.token(key, now=self.clock.now(), **claims)

    async def log_in(self, token: str, login: str = "", mechanism: str = "OAUTHBEARER") -> str:
        """Whose account a token opens; `failed` for none, with the error that goes before it."""
        exchange = self.directory.begin_login(mechanism, HOME)
        assert exchange is not None
        if mechanism == "XOAUTH2":
            message = f"user={login}\x01auth=Bearer {token}\x01\x01"
        else:
            message = f"n,{'a=' + login if login else ''},\x01auth=Bearer {token}\x01\x01"
        outcome = await exchange.start(message.encode())
        if isinstance(outcome, LoggedIn):
            assert outcome.mechanism == mechanism
            return str(outcome.account.address)
        assert msgspec.json.decode(outcome.data)["status"] in ("invalid_token", "400")
        with pytest.raises(AuthenticationFailed):
            await exchange.respond(b"\x01")
        return "failed"


def run(folder: Path, test: Test, **more: Any) -> None:
    book = Book(folder / "data")
    book.domain("example.org")
    book.account("ada@example.org")
    book.account("bob@example.org")

    async def inner(database: Database, clock: HeldClock) -> None:
        async with ProviderServer(folder) as provider:
            options = {"audience": ("mail",), "ca": provider.ca, **more}
            if "introspection" in more:
                options["introspection"] = provider.issuer + "/introspect"
                options |= {"client_id": "postroad", "client_secret": provider.secret}
            tokens = Tokens(OpenId(issuer=provider.issuer, **options), clock)
            limits = Limits(auth_per_minute_address=1000, auth_per_day_address=1000)
            directory = Directory(database, clock, book.data, tokens=tokens, limits=limits)
            try:
                await test(Place(provider, directory, clock))
            finally:
                await directory.close()

    run_with_database(book.data, inner)


@pytest.mark.parametrize("key", ["rsa", "ec", "ed", "ed-by-its-old-name"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_a_token_opens(tmp_path: Path, key: str) -> None:
    name, _, old = key.partition("-")
    more = {"alg": "EdDSA"} if old else {}

    async def test(place: Place) -> None:
        assert await place.log_in(place.token(name, **more)) == "ada@example.org"
        assert await place.log_in(place.token(name, **more), "ada@example.org") == "ada@example.org"
        assert (
            await place.log_in(place.token(name, **more), "Ada@example.org", "XOAUTH2") == "ada@example.org"
        )
        assert place.clock.slept == []
        assert place.provider.asked == ["/realm/.well-known/openid-configuration", "/realm/keys"]

    run(tmp_path, test)


WRONG: list[dict[str, Any]] = [
    {"iss": "https://localhost/other"},
    {"iss": None},
    {"aud": "calendar"},
    {"aud": None},
    {"aud": {"mail": 1}},
    {"exp": None},
    {"exp": 1_699_999_930},
    {"nbf": 1_700_000_070},
    {"email": None},
    {"email": ""},
    {"email": "eve@example.org"},
    {"email": "no address"},
    {"email": ["ada@example.org"]},
    {"email_verified": False},
    {"email_verified": "true"},
]


def test_what_opens_nothing(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        for claims in WRONG:
            assert await place.log_in(place.token(**claims)) == "failed", claims
        assert len(place.clock.slept) == len(WRONG)

    run(tmp_path, test)


def test_what_is_no_token_of_the_provider(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        right = place.token()
        head, body, signature = right.split(".")
        stranger = RSAKey.generate_key(2048, {"kid": "rsa"})
        place.provider.keys, known = {"rsa": stranger}, place.provider.keys
        of_a_stranger = place.token()
        place.provider.keys = known
        unsigned = "eyJhbGciOiJub25lIn0." + body + "."
        for token in (
            of_a_stranger,
            unsigned,
            place.provider.forged(),
            f"{head}.{body}.{signature[:-8]}AAAAAAAA",
            f"{head}.{body}",
            "abc",
            "a.b.c",
            "....",
            head + "." + body + "." + signature + ".x",
        ):
            assert await place.log_in(token) == "failed", token

    run(tmp_path, test)


def test_a_token_of_somebody_else(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        assert await place.log_in(place.token(), "bob@example.org") == "failed"
        assert await place.log_in(place.token(), "bob@example.org", "XOAUTH2") == "failed"
        assert place.clock.slept == [1.0, 2.0]

    run(tmp_path, test)


def test_clocks_may_be_a_little_apart(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        assert await place.log_in(place.token(exp=1_699_999_950)) == "ada@example.org"
        assert await place.log_in(place.token(nbf=1_700_000_050)) == "ada@example.org"

    run(tmp_path, test)


def test_another_claim_and_scopes(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        claims: dict[str, Any] = {"email": None, "upn": "bob@example.org"}
        assert await place.log_in(place.token(**claims)) == "bob@example.org"
        assert await place.log_in(place.token(scope=None, scp=["mail", "x"], **claims)) == "bob@example.org"
        assert await place.log_in(place.token(scope="openid", **claims)) == "failed"

    run(tmp_path, test, claim="upn", scopes=("mail",))


def test_who_asks_where_to_get_a_token_is_told(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        exchange = place.directory.begin_login("OAUTHBEARER", HOME)
        assert exchange is not None
        outcome = await exchange.start(b"n,,\x01auth=\x01\x01")
        assert isinstance(outcome, Challenge)
        assert msgspec.json.decode(outcome.data) == {
            "status": "invalid_token",
            "scope": "mail",
            "openid-configuration": place.provider.issuer + "/.well-known/openid-configuration",
        }

    run(tmp_path, test, scopes=("mail",))


def test_a_new_key_is_asked_for_but_not_too_often(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        assert await place.log_in(place.token()) == "ada@example.org"
        place.provider.keys["new"] = RSAKey.generate_key(2048, {"kid": "new"})
        place.clock.time += 31
        for _ in range(3):
            assert await place.log_in(place.token("new", alg="RS256")) == "ada@example.org"
        assert place.provider.asked.count("/realm/keys") == 2
        unknown = place.provider.keys["other"] = RSAKey.generate_key(2048, {"kid": "other"})
        del place.provider.keys["other"]
        for _ in range(3):
            place.provider.keys["other"] = unknown
            token = place.token("other", alg="RS256")
            del place.provider.keys["other"]
            assert await place.log_in(token) == "failed"
        assert place.provider.asked.count("/realm/keys") == 2
        place.clock.time += 3600
        assert await place.log_in(place.token()) == "ada@example.org"
        assert place.provider.asked.count("/realm/keys") == 3

    run(tmp_path, test)


def test_a_provider_that_is_gone_makes_no_token_wrong(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        place.provider.gone = True
        for _ in range(3):
            with pytest.raises(Unavailable):
                await place.log_in(place.token())
        assert len(place.provider.asked) == 1  # and is left in peace for a while
        place.provider.gone = False
        place.clock.time += 31
        assert await place.log_in(place.token()) == "ada@example.org"
        place.provider.gone = True
        place.clock.time += 3700
        assert await place.log_in(place.token()) == "ada@example.org"  # by the keys that are known
        place.clock.time += 86400
        with pytest.raises(Unavailable):
            await place.log_in(place.token())
        assert place.clock.slept == []

    run(tmp_path, test)


def test_a_provider_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        place.provider.silent = True
        with pytest.raises(Unavailable):
            await place.log_in(place.token())

    run(tmp_path, test, timeout=0.2)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/realm/.well-known/openid-configuration", b"<html>"),
        ("/realm/.well-known/openid-configuration", b"[]"),
        ("/realm/.well-known/openid-configuration", b'{"issuer": "https://other", "jwks_uri": "https://x"}'),
        ("/realm/keys", b"{}"),
        ("/realm/keys", b'{"keys": 1}'),
        ("/realm/keys", b'{"keys": [1]}'),
        ("/realm/keys", b'{"keys": [{"kty": "RSA", "n": "x"}]}'),
        ("/realm/keys", b" " * 300_000),
    ],
)
def test_a_provider_that_talks_nonsense_is_as_good_as_gone(tmp_path: Path, path: str, answer: bytes) -> None:
    async def test(place: Place) -> None:
        place.provider.answers[path] = answer
        with pytest.raises(Unavailable):
            await place.log_in(place.token())

    run(tmp_path, test)


def test_a_provider_with_another_certificate_is_not_believed(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        with pytest.raises(Unavailable):
            await place.log_in(place.token())
        assert place.provider.asked == []

    run(tmp_path, test, ca=None)


def test_a_token_is_asked_about(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        known = place.provider.active
        known["good"] = {"active": True, "email": "ada@example.org", "aud": "mail", "exp": 1_700_000_100}
        known["client"] = {"active": True, "email": "ada@example.org", "client_id": "mail"}
        known["other"] = {"active": True, "email": "ada@example.org", "aud": "calendar"}
        known["old"] = {"active": True, "email": "ada@example.org", "aud": "mail", "exp": 1_600_000_000}
        known["text"] = {"active": "true", "email": "ada@example.org", "aud": "mail"}
        assert await place.log_in("good") == "ada@example.org"
        assert await place.log_in("client") == "ada@example.org"
        for token in ("other", "old", "text", "unknown"):
            assert await place.log_in(token) == "failed"
        place.provider.secret.write_text("another secret")
        with pytest.raises(Unavailable):
            await place.log_in("good")

    run(tmp_path, test, introspection="")
