"""Fuzz SCRAM: messages of a client to outcomes, against keys of which it knows one (RFC 5802)."""

import hmac
import random
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256
from typing import Final

from postroad.sasl import base64
from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import (
    FIELD_OCTETS,
    Acknowledged,
    Failed,
    KeysWanted,
    Outcome,
    Proof,
    Surroundings,
)
from postroad.sasl.scram import Scram
from postroad.sasl.scram_keys import derive
from tests.fuzz.harness import Target

NONCE: Final = "server"
SALT: Final = b"a grain of salt."
BINDINGS: Final = {"tls-unique": b"the channel"}
KEYS: Final = [derive("SHA-256", "pencil", SALT, 1), derive("SHA-256", "another", SALT, 1)]
HEADERS: Final = [b"n,,", b"y,,", b"p=tls-unique,,", b"p=tls-exporter,,", b"n,a=ada,", b"x,,", b",,", b""]
PIECES: Final = [
    *(b",", b"=", b"n=", b"r=", b"m=x", b"ada@demo.test", b"=2C", b"=3D", b"=2c", b"\0", b"\xff", b"\r\n"),
    *(b"x=y", b"u" * 255, b"client", b"\xc3\xa9", b"p=", b"c=biws", b"server"),
]


def check(data: bytes) -> None:
    """Hold one dialogue against everything that must hold for all; messages are parted by line feeds."""
    messages = data.split(b"\n")[:4]
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
        for plus_offered in (False, True):
            exchange = start_exchange(mechanism, Surroundings(NONCE, BINDINGS, plus_offered))
            assert isinstance(exchange, Scram)
            _dialogue(exchange, messages, plus=mechanism.endswith("PLUS"), plus_offered=plus_offered)


def _dialogue(exchange: Scram, messages: list[bytes], *, plus: bool, plus_offered: bool) -> None:
    first = messages[0]
    outcome: Outcome = exchange.start(first)
    if not isinstance(outcome, KeysWanted):
        assert isinstance(outcome, Failed)
        assert outcome.reason.isascii()
        return
    assert plus == first.startswith(b"p=tls-unique,")
    assert not (plus_offered and first.startswith(b"y"))
    assert 0 < len(outcome.login.encode()) <= FIELD_OCTETS
    challenge = exchange.use(KEYS).data
    assert challenge.endswith(b",i=1")
    for message in messages[1:]:
        outcome = exchange.respond(message)
        match outcome:
            case Proof(None):
                return
            case Proof(index):
                assert index == 0, "nobody here knows the other password"
                assert _proves(first, challenge, message, plus=plus)
                assert exchange.accept().data.startswith(b"v=")
            case Failed(reason):
                assert reason.isascii()
                return
            case Acknowledged():
                assert message == b""
                return
            case _:
                raise AssertionError(outcome)


def _proves(first: bytes, challenge: bytes, final: bytes, *, plus: bool) -> bool:
    """Whether a final message is the one that who knows the password says."""
    header = first[: first.index(b",", first.index(b",") + 1) + 1]
    without, _, proof = final.rpartition(b",p=")
    bound = base64.encode(header + (BINDINGS["tls-unique"] if plus else b""))
    assert without.startswith(b"c=" + bound + b",r=")
    return proof == _proof(first[len(header) :], challenge, without)


def _proof(bare: bytes, challenge: bytes, without: bytes) -> bytes:
    client_key = hmac.digest(pbkdf2_hmac("sha256", b"pencil", SALT, 1), b"Client Key", "sha256")
    message = b"%b,%b,%b" % (bare, challenge, without)
    signature = hmac.digest(sha256(client_key).digest(), message, "sha256")
    return b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True)))


def make(chance: random.Random) -> bytes:
    """Make an input: a dialogue that is right, or nearly."""
    header = chance.choice(HEADERS)
    bare = b"n=ada@demo.test,r=client" + chance.choice([b"", b"", b",x=y"])
    if chance.random() < 0.3:
        bare = b"".join(chance.choices(PIECES, k=chance.randrange(6)))
    challenge = b"r=clientserver,s=%b,i=1" % b64encode(SALT)
    bound = BINDINGS["tls-unique"] if header.startswith(b"p") else b""
    without = b"c=%b,r=clientserver" % b64encode(header + bound) + chance.choice([b"", b"", b",x=y"])
    final = without + b",p=" + _proof(bare, challenge, without)
    if chance.random() < 0.4:
        at = chance.randrange(len(final))
        final = final[:at] + chance.choice(PIECES) + final[at + chance.randrange(3) :]
    return b"\n".join([header + bare, final, *chance.choices([b"", b"x"], k=chance.randrange(2))])


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
