"""SCRAM as values: the examples of the RFCs, and what must not pass."""

from base64 import b64decode

import pytest
from scramp import ScramClient

from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import Acknowledged, Challenge, Failed, KeysWanted, Outcome, Proof, Surroundings
from postroad.sasl.scram import Scram
from postroad.sasl.scram_keys import ScramKeys, derive

SALT = b64decode("QSXCR+Q6sek8bf92")
KEYS = derive("SHA-1", "pencil", SALT, 4096)
BINDINGS = {"tls-unique": b"\x01\x02\x03", "tls-server-end-point": b"\x04" * 32}


def scram(mechanism: str, nonce: str = "3rfcNHYJY1ZVvWVs7j", *, plus_offered: bool = False) -> Scram:
    exchange = start_exchange(mechanism, Surroundings(nonce, BINDINGS, plus_offered))
    assert isinstance(exchange, Scram)
    return exchange


def test_the_example_of_rfc_5802() -> None:
    exchange = scram("SCRAM-SHA-1")
    assert exchange.start(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL") == KeysWanted("user", "SHA-1")
    assert exchange.use([KEYS]) == Challenge(
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    )
    final = b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    assert exchange.respond(final) == Proof(0)
    assert exchange.accept() == Challenge(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")
    assert exchange.respond(b"") == Acknowledged()


def test_the_example_of_rfc_7677() -> None:
    keys = derive("SHA-256", "pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    exchange = scram("SCRAM-SHA-256", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    assert exchange.start(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == KeysWanted("user", "SHA-256")
    assert exchange.use([keys]) == Challenge(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    final = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert exchange.respond(final) == Proof(0)
    assert exchange.accept() == Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize(
    ("mechanism", "binding"),
    [
        ("SCRAM-SHA-1", None),
        ("SCRAM-SHA-256", None),
        ("SCRAM-SHA-1-PLUS", "tls-unique"),
        ("SCRAM-SHA-256-PLUS", "tls-unique"),
        ("SCRAM-SHA-256-PLUS", "tls-server-end-point"),
    ],
)
@pytest.mark.parametrize("login", ["ada@demo.test", "a=b,c@demo.test", "dörte@bücher.test"])
def test_against_another_implementation(mechanism: str, binding: str | None, login: str) -> None:
    """`scramp` is the client, with channel binding too."""
    channel = (binding, BINDINGS[binding]) if binding else None
    client = ScramClient([mechanism], login, "pencil", channel_binding=channel)
    exchange = scram(mechanism)
    hash_name = "SHA-256" if "256" in mechanism else "SHA-1"
    assert exchange.start(client.get_client_first().encode()) == KeysWanted(login, hash_name)
    others = [derive(hash_name, "another", b"salt" * 4, 4096), derive(hash_name, "pencil", b"salt" * 4, 4096)]
    client.set_server_first(exchange.use(others).data.decode())
    assert exchange.respond(client.get_client_final().encode()) == Proof(1)
    client.set_server_final(exchange.accept().data.decode())  # raises if the server has not proved it
    assert exchange.respond(b"") == Acknowledged()


def test_another_channel_is_a_wrong_proof() -> None:
    """Somebody in the middle has another TLS connection with us than with the client (RFC 5802 §6)."""
    client = ScramClient(
        ["SCRAM-SHA-256-PLUS"], "ada@demo.test", "pencil", channel_binding=("tls-unique", b"the other")
    )
    exchange = scram("SCRAM-SHA-256-PLUS")
    exchange.start(client.get_client_first().encode())
    client.set_server_first(exchange.use([derive("SHA-256", "pencil", b"salt" * 4, 4096)]).data.decode())
    assert exchange.respond(client.get_client_final().encode()) == Proof(None)


@pytest.mark.parametrize(
    ("mechanism", "plus_offered", "header", "fails"),
    [
        ("SCRAM-SHA-1", False, b"n,,", False),
        ("SCRAM-SHA-1", False, b"y,,", False),
        ("SCRAM-SHA-1", True, b"n,,", False),
        ("SCRAM-SHA-1", True, b"y,,", True),  # the list of mechanisms was tampered with
        ("SCRAM-SHA-1", True, b"p=tls-unique,,", True),
        ("SCRAM-SHA-1-PLUS", True, b"p=tls-unique,,", False),
        ("SCRAM-SHA-1-PLUS", True, b"p=tls-exporter,,", True),  # this connection has none
        ("SCRAM-SHA-1-PLUS", True, b"n,,", True),
        ("SCRAM-SHA-1-PLUS", True, b"y,,", True),
        ("SCRAM-SHA-1", False, b"x,,", True),
        ("SCRAM-SHA-1", False, b"n,ada,", True),
        ("SCRAM-SHA-1", False, b"n,a=,", True),
        ("SCRAM-SHA-1", False, b"n,", True),
        ("SCRAM-SHA-1", False, b"", True),
    ],
)
def test_the_clients_word_on_channel_binding(
    mechanism: str, plus_offered: bool, header: bytes, fails: bool
) -> None:
    outcome = scram(mechanism, plus_offered=plus_offered).start(header + b"n=user,r=abc")
    assert isinstance(outcome, Failed) == fails


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n,,",
        b"n,,n=user",
        b"n,,n=,r=abc",
        b"n,,r=abc,n=user",
        b"n,,n=user,r=",
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=us\0er,r=abc",
        b"n,,n=user,r=a b",
        b"n,,n=user,r=abc,",
        b"n,,n=user,r=abc,x",
        b"n,,m=ext,n=user,r=abc",
        b"n,a=us=er,n=user,r=abc",
        b"n,,n=user,r=abc\r\n",
        b"n,,n=" + b"u" * 256 + b",r=abc",
        b"n,,n=user,r=" + b"a" * 5000,
    ],
)
def test_a_first_message_that_is_none(message: bytes) -> None:
    assert isinstance(scram("SCRAM-SHA-1").start(message), Failed)


def test_what_a_first_message_may_have() -> None:
    assert scram("SCRAM-SHA-1").start(None) == Challenge(b"")
    outcome = scram("SCRAM-SHA-1").start(b"n,a=ada=2C=3D,n=user,r=abc,z=optional,y=more")
    assert outcome == KeysWanted("user", "SHA-1", "ada,=")
    assert not outcome.as_itself


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
        b"c=biws,r=other3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,c=biws,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    ],
)
def test_a_final_message_that_is_none(message: bytes) -> None:
    assert isinstance(after_first(message), Failed)


@pytest.mark.parametrize(
    "message",
    [
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4TA=",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=AAAA",
        b"c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,x=y,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    ],
)
def test_a_proof_that_proves_nothing(message: bytes) -> None:
    assert after_first(message) == Proof(None)


def test_nothing_follows_the_last_message() -> None:
    exchange = scram("SCRAM-SHA-1")
    exchange.start(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")
    exchange.use([KEYS])
    exchange.respond(b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
    exchange.accept()
    assert isinstance(exchange.respond(b"x"), Failed)


def test_keys_do_not_show() -> None:
    assert "stored" not in repr(KEYS)
    assert "server_key" not in repr(KEYS)
    assert "nonce" not in repr(Surroundings("nonce"))


def after_first(message: bytes) -> Outcome:
    exchange = scram("SCRAM-SHA-1")
    exchange.start(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")
    exchange.use([ScramKeys(KEYS.iterations, KEYS.salt, KEYS.stored_key, KEYS.server_key)])
    return exchange.respond(message)
