"""SCRAM: both sides prove that they know the password, and nobody shows it (RFC 5802, RFC 7677).

    client-first   n,,n=user,r=nonce
    server-first   r=nonce+more,s=salt,i=count
    client-final   c=header and channel binding,r=nonce+more,p=proof
    server-final   v=signature

A -PLUS mechanism binds the log-in to the TLS connection: whoever sits between
client and server has another one, and the proof fails.
"""

import re
from collections.abc import Sequence
from typing import Final

from postroad.sasl import base64
from postroad.sasl.outcome import (
    FIELD_OCTETS,
    Acknowledged,
    Challenge,
    Failed,
    KeysWanted,
    Outcome,
    Proof,
    Surroundings,
)
from postroad.sasl.scram_keys import ScramKeys, proves, server_signature

MESSAGE_OCTETS: Final = 4096
"""Most octets of a client's message: name, nonce and proof need a few hundred."""

_ATTRIBUTES: Final = rb"(?:,[A-Za-z]=[^\0,]+)*"
_FIRST: Final = re.compile(  # RFC 5802 §7, client-first-message
    rb"(?P<header>(?P<flag>[ny]|p=(?P<type>[A-Za-z0-9.-]+)),(?:a=(?P<authorization>[^\0,]+))?,)"
    rb"(?P<bare>(?P<mandatory>m=[^\0,]+,)?n=(?P<name>[^\0,]+),r=(?P<nonce>[!-+\--~]+)" + _ATTRIBUTES + rb")"
)
_FINAL: Final = re.compile(  # client-final-message
    rb"(?P<without>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)" + _ATTRIBUTES + rb")"
    rb",p=(?P<proof>[A-Za-z0-9+/=]+)"
)
_BAD_ESCAPE: Final = re.compile(r"=(?!2C|3D)")


class Scram:
    """One exchange: `respond`, `use`, `respond`, `accept`, `respond`."""

    __slots__ = (
        "_first",
        "_hash",
        "_header",
        "_index",
        "_keys",
        "_message",
        "_nonce",
        "_plus",
        "_surroundings",
    )

    def __init__(self, hash_name: str, surroundings: Surroundings, *, plus: bool) -> None:
        self._hash = hash_name
        self._plus = plus
        self._surroundings = surroundings
        self._first = b""
        self._header = b""
        self._nonce = b""
        self._keys: Sequence[ScramKeys] = ()
        self._message = b""
        self._index: int | None = None

    def start(self, initial: bytes | None) -> Outcome:
        """Take client-first, or ask for it with an empty challenge."""
        return Challenge(b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Outcome:
        """Take client-first, client-final, or the empty response to server-final."""
        if len(response) > MESSAGE_OCTETS:
            return Failed("the message is too long")
        if self._index is not None:
            return Failed("nothing more was asked for") if response else Acknowledged()
        return self._client_final(response) if self._keys else self._client_first(response)

    def use(self, keys: Sequence[ScramKeys]) -> Challenge:
        """Go on after `KeysWanted`: any of these may be proved; all have one salt and one count."""
        self._keys = keys
        salt, iterations = keys[0].salt, keys[0].iterations
        assert all((one.salt, one.iterations) == (salt, iterations) for one in keys), "one challenge for all"
        server_first = b"r=%b,s=%b,i=%d" % (self._nonce, base64.encode(salt), iterations)
        self._message = b"%b,%b," % (self._first, server_first)
        return Challenge(server_first)

    def accept(self) -> Challenge:
        """Go on after a `Proof` that was enough: prove that the server knows the keys as well."""
        assert self._index is not None, "nothing was proved"
        signature = server_signature(self._hash, self._keys[self._index], self._message)
        return Challenge(b"v=" + base64.encode(signature))

    def _client_first(self, response: bytes) -> Outcome:
        found = _FIRST.fullmatch(response)
        if found is None:
            return Failed("this is no client-first-message of SCRAM")
        if found["mandatory"]:
            return Failed("extensions are not supported")  # RFC 5802 §5.1, m=
        if refusal := self._refusal(found["flag"], found["type"]):
            return Failed(refusal)
        login, authorization = _name(found["name"]), _name(found["authorization"] or b"")
        if not login or authorization is None:
            return Failed("the name is not written as SCRAM wants it")
        self._header = found["header"] + self._binding(found["type"])
        self._first = found["bare"]
        self._nonce = found["nonce"] + self._surroundings.nonce.encode()
        return KeysWanted(login, self._hash, authorization)

    def _refusal(self, flag: bytes, kind: bytes | None) -> str:
        """Why the client's word on channel binding cannot stand (RFC 5802 §6); empty: it can."""
        if kind is None:
            if self._plus:
                return "-PLUS needs channel binding"
            if flag == b"y" and self._surroundings.plus_offered:
                return "channel binding is offered here: somebody has taken it off the list"
            return ""
        if not self._plus:
            return "channel binding needs -PLUS"
        return "" if kind.decode() in self._surroundings.bindings else "that channel binding is not supported"

    def _binding(self, kind: bytes | None) -> bytes:
        return b"" if kind is None else self._surroundings.bindings[kind.decode()]

    def _client_final(self, response: bytes) -> Outcome:
        found = _FINAL.fullmatch(response)
        if found is None:
            return Failed("this is no client-final-message of SCRAM")
        proof = base64.decode(found["proof"])
        if proof is None or found["nonce"] != self._nonce:
            return Failed("the nonce is another one, or the proof no base64")
        self._message += found["without"]
        # Another channel binding is no other than a wrong password: both look the same from outside.
        same_channel = base64.decode(found["binding"]) == self._header
        right = [proves(self._hash, keys, self._message, proof) for keys in self._keys]
        if not same_channel or True not in right:
            return Proof(None)
        self._index = right.index(True)
        return Proof(self._index)


def _name(octets: bytes) -> str | None:
    """A saslname as it was meant (RFC 5802 §5.1); None for what is none."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    if len(octets) > FIELD_OCTETS or _BAD_ESCAPE.search(text):
        return None
    return text.replace("=2C", ",").replace("=3D", "=")
