"""The client's half of an exchange, for servers that want a password of us (RFC 4422)."""

import hmac
import re
from collections.abc import Collection
from hashlib import new, pbkdf2_hmac
from typing import Final, Protocol

from postroad.sasl import base64
from postroad.sasl.saslprep import saslprep
from postroad.sasl.scram_keys import HASHES

ITERATIONS_MOST: Final = 200_000
"""A server must not keep us busy for longer than a moment."""

_FIRST: Final = re.compile(rb"r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,9})(?:,.*)?", re.DOTALL)


class BadChallenge(Exception):
    """The server said what it cannot have meant, or could not prove that it knows the password."""


class ClientExchange(Protocol):
    """One log-in, from the side of who logs in."""

    name: str

    def first(self) -> bytes | None:
        """The initial response; None where the server speaks first."""
        ...

    def respond(self, challenge: bytes) -> bytes:
        """The next response. Raises BadChallenge."""
        ...

    @property
    def proved(self) -> bool:
        """Whether the server may say now that it is done (SCRAM proves both sides)."""
        ...


def choose(mechanisms: Collection[str], login: str, password: str, nonce: str) -> ClientExchange | None:
    """Begin the strongest exchange that a server offers; None when it offers none that we know."""
    offered = {name.upper() for name in mechanisms}
    for hash_name in HASHES:
        prepared = saslprep(password)
        if f"SCRAM-{hash_name}" in offered and prepared is not None:
            return _Scram(hash_name, login, prepared, nonce)
    if "PLAIN" in offered:
        return _Plain(login, password)
    return _Login(login, password) if "LOGIN" in offered else None


class _Plain:
    name = "PLAIN"
    proved = True

    def __init__(self, login: str, password: str) -> None:
        self._message = f"\0{login}\0{password}".encode()  # RFC 4616 §2

    def first(self) -> bytes | None:
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        raise BadChallenge("PLAIN has nothing more to say")


class _Login:
    name = "LOGIN"
    proved = True

    def __init__(self, login: str, password: str) -> None:
        self._answers = [login.encode(), password.encode()]

    def first(self) -> bytes | None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        if not self._answers:
            raise BadChallenge("LOGIN has nothing more to say")
        return self._answers.pop(0)


class _Scram:
    """RFC 5802, RFC 7677; without channel binding."""

    def __init__(self, hash_name: str, login: str, prepared: str, nonce: str) -> None:
        self.name = f"SCRAM-{hash_name}"
        self.proved = False
        self._digest = HASHES[hash_name]
        self._password = prepared
        name = login.replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={name},r={nonce}".encode()
        self._nonce = nonce.encode()
        self._signature: bytes | None = None

    def first(self) -> bytes | None:
        return b"n,," + self._bare

    def respond(self, challenge: bytes) -> bytes:
        if self._signature is not None:
            return self._last(challenge)
        found = _FIRST.fullmatch(challenge)
        salt = None if found is None else base64.decode(found[2])
        if found is None or salt is None or not found[1].startswith(self._nonce) or found[1] == self._nonce:
            raise BadChallenge("the server's first message is none of SCRAM")
        iterations = int(found[3])
        if iterations > ITERATIONS_MOST:
            raise BadChallenge(f"the server wants {iterations} iterations")
        final = b"c=biws,r=" + found[1]
        message = b",".join((self._bare, challenge, final))
        salted = pbkdf2_hmac(self._digest, self._password.encode(), salt, iterations)
        key = self._hmac(salted, b"Client Key")
        signature = self._hmac(new(self._digest, key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), message)
        return final + b",p=" + base64.encode(proof)

    def _last(self, challenge: bytes) -> bytes:
        assert self._signature is not None
        shown = base64.decode(challenge[2:]) if challenge.startswith(b"v=") else None
        if shown is None or not hmac.compare_digest(shown, self._signature):
            raise BadChallenge("the server does not know the password")
        self.proved = True
        return b""

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._digest)
