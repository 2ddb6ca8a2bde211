"""PLAIN and LOGIN as values."""

import pytest

from postroad.sasl.exchange import MECHANISMS, start_exchange
from postroad.sasl.outcome import Challenge, Failed, Outcome, Password


def plain(message: bytes) -> Outcome:
    exchange = start_exchange("PLAIN")
    assert exchange is not None
    return exchange.start(message)


def login(*responses: bytes) -> Outcome:
    exchange = start_exchange("login")
    assert exchange is not None
    outcome = exchange.start(None)
    for response in responses:
        assert isinstance(outcome, Challenge)
        outcome = exchange.respond(response)
    return outcome


def test_mechanisms_are_found_in_any_case() -> None:
    for name in MECHANISMS:
        assert start_exchange(name.title()) is not None
    assert start_exchange("CRAM-MD5") is None
    assert start_exchange("") is None


def test_plain_asks_for_its_message_if_it_has_none() -> None:
    exchange = start_exchange("PLAIN")
    assert exchange is not None
    assert exchange.start(None) == Challenge(b"")
    assert exchange.respond(b"\0ada\0sesame") == Password("ada", "sesame")


@pytest.mark.parametrize(
    ("message", "password", "as_itself"),
    [
        (b"\0ada\0sesame", Password("ada", "sesame"), True),
        (b"ada\0ada\0sesame", Password("ada", "sesame", "ada"), True),
        (b"Ada@Ours.test\0ada@ours.test\0s", Password("ada@ours.test", "s", "Ada@Ours.test"), True),
        (b"bob\0ada\0sesame", Password("ada", "sesame", "bob"), False),
        ("\0jürgen\0schlüssel".encode(), Password("jürgen", "schlüssel"), True),
    ],
)
def test_plain(message: bytes, password: Password, as_itself: bool) -> None:
    assert plain(message) == password
    assert password.as_itself is as_itself


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"ada",
        b"ada\0sesame",
        b"\0ada\0",
        b"\0\0sesame",
        b"\0ada\0sesame\0",
        b"\0ada\0ses\0ame",
        b"\0\xff\0sesame",
        b"\0ada\0" + b"x" * 256,
        b"x" * 256 + b"\0ada\0sesame",
    ],
)
def test_plain_that_is_malformed(message: bytes) -> None:
    assert isinstance(plain(message), Failed)


def test_login() -> None:
    assert login() == Challenge(b"Username:")
    assert login(b"ada") == Challenge(b"Password:")
    assert login(b"ada", b"sesame") == Password("ada", "sesame")


def test_login_takes_the_name_as_initial_response() -> None:
    exchange = start_exchange("LOGIN")
    assert exchange is not None
    assert exchange.start(b"ada") == Challenge(b"Password:")
    assert exchange.respond(b"sesame") == Password("ada", "sesame")


@pytest.mark.parametrize("response", [b"", b"\xff", b"a\0b", b"x" * 256])
def test_login_that_is_malformed(response: bytes) -> None:
    assert isinstance(login(response), Failed)
    assert isinstance(login(b"ada", response), Failed)


def test_a_password_does_not_show() -> None:
    assert "sesame" not in repr(Password("ada", "sesame"))
