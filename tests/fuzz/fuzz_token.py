"""Fuzz bearer tokens: messages of OAUTHBEARER and XOAUTH2 to claims that open something, or do not."""

import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from postroad.config.logins import OpenId
from postroad.directory.tokens import fitting, header, verified, wrong_claims
from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import FIELD_OCTETS, Bearer, Challenge, Failed
from tests.fuzz.harness import Target

NOW: Final = 1_700_000_000.0
OPENID: Final = OpenId(issuer="https://id.demo.test", audience=("mail",), scopes=("mail",))
ASKED: Final = OpenId(
    issuer="https://id.demo.test", audience=("mail",), introspection="https://id.demo.test/ask"
)
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(b"the key of the provider, 32 long")
KEY: Final = OKPKey.import_key(PRIVATE, {"kid": "k"})
STRANGER: Final = OKPKey.import_key(
    Ed25519PrivateKey.from_private_bytes(b"the key of a stranger is as long"), {"kid": "k"}
)
KEYS: Final = KeySet([KEY])
VALUES: Final[list[Any]] = [
    *(None, True, 0, -1, 1e400, 1_700_000_100, 1_600_000_000, "", "mail", "https://id.demo.test"),
    *("ada@demo.test", "mail openid", ["mail"], [1, None], {}, {"a": 1}, "\ud800", "x" * 300),
]
NAMES: Final = ["iss", "aud", "exp", "nbf", "email", "email_verified", "scope", "scp", "client_id", "active"]
LEADS: Final = ["n,a=ada@demo.test,\x01", "n,,\x01", "user=ada@demo.test\x01", "y,,\x01port=1\x01", "x"]
RIGHT: Final = {
    "iss": "https://id.demo.test",
    "aud": ["mail"],
    "exp": 1_700_000_100,
    "email": "ada@demo.test",
    "scope": "mail",
}


def check(data: bytes) -> None:
    """Hold one message against everything that must hold for all."""
    for mechanism in ("OAUTHBEARER", "XOAUTH2"):
        exchange = start_exchange(mechanism)
        assert exchange is not None
        outcome = exchange.start(data)
        match outcome:
            case Bearer(token, login):
                assert token not in repr(outcome) or not token or token in login
                assert len(login.encode()) <= FIELD_OCTETS
                _judge(token)
            case Failed(reason):
                assert reason.isascii()
            case _:
                assert not isinstance(outcome, Challenge)


def _judge(token: str) -> None:
    head = header(token)
    if head.get("alg") not in ("RS256", "ES256", "EdDSA", "Ed25519"):
        return
    kid = head.get("kid")
    claims = verified(token, head["alg"], fitting(KEYS, kid if isinstance(kid, str) else None, head["alg"]))
    if claims:
        assert _is_signed(token)
    for settings in (OPENID, ASKED):
        if claims and not wrong_claims(settings, claims, NOW):
            assert claims["email"]
            assert claims.get("email_verified", True) is True


def _is_signed(token: str) -> bool:
    """Asked of the library below, without any JOSE; raises if it is not."""
    signed, _, signature = token.rpartition(".")
    octets = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    PRIVATE.public_key().verify(octets, signed.encode())
    return True


def make(chance: random.Random) -> bytes:
    """Make an input: a token that is right, or nearly."""
    claims: dict[str, Any] = dict(RIGHT)
    for _ in range(chance.randrange(3)):
        claims[chance.choice(NAMES)] = chance.choice(VALUES)
    key = STRANGER if chance.random() < 0.2 else KEY
    try:
        token = jwt.encode({"alg": "Ed25519", "kid": "k"}, claims, key, algorithms=["Ed25519"])
    except ValueError:
        token = "a.b.c"
    if chance.random() < 0.3:
        head = {"alg": chance.choice(["none", "HS256", "Ed25519", "RS256", 1]), "kid": chance.choice(VALUES)}
        made = urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode()
        token = made + "." + token.partition(".")[2]
    if chance.random() < 0.3:
        at = chance.randrange(len(token))
        token = token[:at] + chance.choice([".", "=", "A", "\0", "é", ""]) + token[at + chance.randrange(3) :]
    lead = chance.choice(
        ["n,a=ada@demo.test,\x01", "n,,\x01", "user=ada@demo.test\x01", "y,,\x01port=1\x01", "x"]
    )
    return f"{lead}auth=Bearer {token}\x01\x01".encode()


TARGET: Final = Target(check, make)
"""What `tests.fuzz` runs."""
