"""OAUTHBEARER, XOAUTH2 and EXTERNAL as values."""

import pytest

from postroad.sasl.exchange import MECHANISMS, start_exchange, takes_passwords, usable
from postroad.sasl.oauth import OAuth
from postroad.sasl.outcome import Bearer, Certificate, Challenge, Failed, Outcome

TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


def said(mechanism: str, message: bytes | None) -> Outcome:
    exchange = start_exchange(mechanism)
    assert exchange is not None
    return exchange.start(message)


@pytest.mark.parametrize(
    ("message", "login"),
    [
        # RFC 7628 §4.1
        (
            b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer %b\x01\x01",
            "user@example.com",
        ),
        (b"n,,\x01auth=Bearer %b\x01\x01", ""),
        (b"y,,\x01auth=bearer %b\x01\x01", ""),
        (b"n,a=us=2Cer=3D,\x01auth=Bearer %b\x01\x01", "us,er="),
    ],
)
def test_oauthbearer(message: bytes, login: str) -> None:
    assert said("OAUTHBEARER", message % TOKEN.encode()) == Bearer(TOKEN, login)


def test_who_has_no_token_is_told_where_to_get_one() -> None:
    assert said("OAUTHBEARER", b"n,,\x01auth=\x01\x01") == Bearer("", "")  # RFC 7628 §4.3


def test_xoauth2() -> None:
    """The example of Google's document."""
    message = (
        b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01"
    )
    assert said("XOAUTH2", message) == Bearer(
        "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", "someuser@example.com"
    )
    assert said("XOAUTH2", None) == Challenge(b"")


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        ("OAUTHBEARER", b""),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer abc\x01"),
        ("OAUTHBEARER", b"n,,auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", b"n,,\x01host=a\x01\x01"),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer abc\x01auth=Bearer def\x01\x01"),
        ("OAUTHBEARER", b"n,,\x01auth=Basic abc\x01\x01"),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer a b\x01\x01"),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer \xff\x01\x01"),
        ("OAUTHBEARER", b"p=tls-unique,,\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", b"n,a=\xff,\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", b"n,a=b=d,\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", b"n,a=" + b"b" * 256 + b",\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer " + b"a" * 10000 + b"\x01\x01"),
        ("XOAUTH2", b"user=ada\x01auth=Bearer abc\x01"),
        ("XOAUTH2", b"user=ada\0\x01auth=Bearer abc\x01\x01"),
        ("XOAUTH2", b"n,,\x01auth=Bearer abc\x01\x01"),
        ("EXTERNAL", b"\xff"),
        ("EXTERNAL", b"a\0b"),
        ("EXTERNAL", b"a" * 256),
    ],
)
def test_what_is_no_message(mechanism: str, message: bytes) -> None:
    assert isinstance(said(mechanism, message), Failed)


@pytest.mark.parametrize("response", [b"\x01", b""])
def test_after_the_error_there_is_nothing_more(response: bytes) -> None:
    exchange = OAuth(google=False)
    exchange.start(b"n,,\x01auth=Bearer abc\x01\x01")
    assert exchange.refuse(b"{}") == Challenge(b"{}")
    assert isinstance(exchange.respond(response), Failed)


def test_external() -> None:
    assert said("EXTERNAL", None) == Challenge(b"")
    assert said("EXTERNAL", b"") == Certificate("")
    assert said("EXTERNAL", b"ada@demo.test") == Certificate("ada@demo.test")


def test_tokens_do_not_show() -> None:
    assert "abc" not in repr(Bearer("abc", "ada"))


def test_only_what_can_succeed_is_offered() -> None:
    everything = {"scram": True, "binding": True, "tokens": True, "certificate": True}
    nothing = dict.fromkeys(everything, False)
    assert usable(MECHANISMS, **everything) == MECHANISMS
    assert usable(MECHANISMS, **nothing) == ("PLAIN", "LOGIN")
    assert usable(MECHANISMS, **{**nothing, "binding": True}) == ("PLAIN", "LOGIN")
    assert usable(MECHANISMS, **{**nothing, "scram": True}) == (
        *("SCRAM-SHA-256", "SCRAM-SHA-1"),
        *("PLAIN", "LOGIN"),
    )
    assert usable(["PLAIN", "SCRAM-SHA-256-PLUS"], **everything) == ("SCRAM-SHA-256-PLUS", "PLAIN")
    assert usable(["EXTERNAL", "XOAUTH2"], **nothing) == ()


def test_what_shows_the_password() -> None:
    assert takes_passwords(["PLAIN"])
    assert takes_passwords(["LOGIN"])
    assert not takes_passwords(["SCRAM-SHA-256", "EXTERNAL"])
