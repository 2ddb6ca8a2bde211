"""Bearer tokens: whose they are, by their signature or by asking (RFC 7519, RFC 9068, RFC 7662)."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from postroad.config.logins import OpenId
from postroad.directory.provider import Provider
from postroad.model.clock import Clock
from postroad.obs.log import log

Key: TypeAlias = RSAKey | ECKey | OKPKey | OctKey
_KINDS: Final[dict[str, type[Key]]] = {
    "RS256": RSAKey,
    "ES256": ECKey,
    "EdDSA": OKPKey,
    "Ed25519": OKPKey,
}


class Tokens:
    """One worker's judge of tokens."""

    def __init__(self, settings: OpenId, clock: Clock, provider: Provider | None = None) -> None:
        self.settings = settings
        self._clock = clock
        self._provider = provider or Provider(settings, clock)

    async def address(self, token: str) -> str | None:
        """Return the address that a token speaks for; None if it is not right, for whatever reason.

        Raises:
            Unavailable: the provider cannot be asked, which says nothing about the token.
        """
        settings = self.settings
        if settings.introspection:
            claims = await self._provider.introspect(token)
            why = "" if claims.get("active") is True else "not active"
        else:
            claims = await self._signed(token)
            why = "" if claims else "not signed by a key of the provider"
        why = why or wrong_claims(settings, claims, self._clock.now())
        if why:
            log.info("token.refused", why=why)
            return None
        return str(claims[settings.claim])

    async def close(self) -> None:
        """Let go of the provider."""
        await self._provider.close()

    async def _signed(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that the provider has signed; nothing for any other."""
        head = header(token)
        algorithm, kid = head.get("alg"), head.get("kid")
        if algorithm not in self.settings.algorithms or not isinstance(kid, str | None):
            return {}
        keys = await self._provider.keys(kid)
        return verified(token, algorithm, fitting(keys, kid, algorithm))


def header(token: str) -> Mapping[str, Any]:
    """Read what a token says of itself; nothing of it is believed yet."""
    try:
        return jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def fitting(keys: KeySet | None, kid: str | None, algorithm: str) -> list[Key]:
    """The keys that may have made a signature."""
    kind = _KINDS[algorithm]
    return [
        key
        for key in (keys.keys if keys else ())
        if isinstance(key, kind) and key.get("use") in (None, "sig") and kid in (None, key.kid)
    ]


def verified(token: str, algorithm: str, keys: Iterable[Key]) -> Mapping[str, Any]:
    """The claims of a token that one of the keys has signed; nothing if none has."""
    with warnings.catch_warnings():
        # RFC 9864 has a new name for EdDSA; providers sign under the old one.
        warnings.simplefilter("ignore", SecurityWarning)
        for key in keys:
            try:
                return jwt.decode(token, key, algorithms=[algorithm]).claims
            except (JoseError, ValueError, TypeError, KeyError, RecursionError):
                continue
    return {}


def wrong_claims(settings: OpenId, claims: Mapping[str, Any], now: float) -> str:
    """Why the claims of a token, signed or looked up, open nothing here; empty: they do."""
    asked = bool(settings.introspection)
    issuer, expires, begins = claims.get("iss"), claims.get("exp"), claims.get("nbf")
    if issuer != settings.issuer and not (asked and issuer is None):
        return "another issuer"
    meant_for = _words(claims.get("aud")) | (_words(claims.get("client_id")) if asked else set())
    if not meant_for & set(settings.audience):
        return "another audience"
    if not _is_number(expires) and not (asked and expires is None):
        return "without an end"
    if expires is not None and now >= expires + settings.leeway:
        return "expired"
    if begins is not None and not (_is_number(begins) and now >= begins - settings.leeway):
        return "not valid yet"
    granted = _words(claims.get("scope"), split=True) | _words(claims.get("scp"), split=True)
    if not granted >= set(settings.scopes):
        return "without the scope"
    address = claims.get(settings.claim)
    if not isinstance(address, str) or not address:
        return f"without {settings.claim}"
    if settings.claim == "email" and claims.get("email_verified", True) is not True:
        return "an address that nobody has verified"
    return ""


def _words(value: Any, *, split: bool = False) -> set[str]:
    """What a claim lists, written as one text or as a list of them."""
    if isinstance(value, str):
        return set(value.split()) if split else {value}
    return {word for word in value if isinstance(word, str)} if isinstance(value, list) else set()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
