"""The client's half of log-ins, against the vectors of the RFCs and our own server's half."""

import pytest

from postroad.sasl.client import BadChallenge, choose
from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import Challenge, KeysWanted, Password, Proof, Surroundings
from postroad.sasl.scram import Scram
from postroad.sasl.scram_keys import derive


def test_the_strongest_that_is_offered_is_taken() -> None:
    def chosen(*offered: str) -> str | None:
        exchange = choose(offered, "user", "pencil", "nonce")
        return None if exchange is None else exchange.name

    assert chosen("plain", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256") == "SCRAM-SHA-256"
    assert chosen("LOGIN", "PLAIN") == "PLAIN"
    assert chosen("LOGIN", "CRAM-MD5") == "LOGIN"
    assert chosen("CRAM-MD5", "GSSAPI") is None


def test_the_dialogue_of_rfc_7677() -> None:
    exchange = choose(["SCRAM-SHA-256"], "user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    assert exchange is not None
    assert exchange.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    final = exchange.respond(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert final == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert not exchange.proved
    assert exchange.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""
    assert exchange.proved


def test_the_dialogue_of_rfc_5802() -> None:
    exchange = choose(["SCRAM-SHA-1"], "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL")
    assert exchange is not None
    final = exchange.respond(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
    assert final.endswith(b"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
    assert exchange.respond(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") == b""


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"r=other,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=nonce,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=nonce+x,s=QSXCR+Q6sek8bf92,i=0",
        b"r=nonce+x,s=QSXCR+Q6sek8bf92,i=999999999",
        b"r=nonce+x,s=QSXCR+Q6sek8bf92",
        b"m=ext,r=nonce+x,s=QSXCR+Q6sek8bf92,i=4096",
    ],
)
def test_a_server_that_talks_nonsense_gets_no_proof(challenge: bytes) -> None:
    exchange = choose(["SCRAM-SHA-256"], "user", "pencil", "nonce")
    assert exchange is not None
    with pytest.raises(BadChallenge):
        exchange.respond(challenge)


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    exchange = choose(["SCRAM-SHA-1"], "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL")
    assert exchange is not None
    exchange.respond(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
    with pytest.raises(BadChallenge):
        exchange.respond(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=")


def test_our_own_server_is_content() -> None:
    client = choose(["SCRAM-SHA-256"], "a=b,c", "pencil", "clients")
    server = start_exchange("SCRAM-SHA-256", Surroundings("servers"))
    assert client is not None
    assert isinstance(server, Scram)
    wanted = server.start(client.first())
    assert isinstance(wanted, KeysWanted)
    assert wanted.login == "a=b,c"
    challenge = server.use([derive("SHA-256", "pencil", b"salt", 4096)])
    assert isinstance(challenge, Challenge)
    proof = server.respond(client.respond(challenge.data))
    assert proof == Proof(0)
    last = server.accept()
    assert isinstance(last, Challenge)
    assert client.respond(last.data) == b""


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_passwords_in_full_are_understood(mechanism: str) -> None:
    client, server = choose([mechanism], "user", "pencil", ""), start_exchange(mechanism)
    assert client is not None
    assert server is not None
    outcome = server.start(client.first())
    while isinstance(outcome, Challenge):
        outcome = server.respond(client.respond(outcome.data))
    assert outcome == Password("user", "pencil")
    with pytest.raises(BadChallenge):
        client.respond(b"more")
