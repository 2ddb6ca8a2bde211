"""The OpenID provider over HTTPS: its keys, remembered, and what it says of a token.

A provider that is gone is no reason to call a token wrong: what was learned of
its keys is believed for a day more, and without any a log-in is put off.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from postroad.config.logins import OpenId
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

_STALE_SECONDS: Final = 86400.0
_ANSWER_OCTETS: Final = 256 * 1024
_CONNECTIONS: Final = 10


class Provider:
    """One worker's connections with it, and its keys."""

    def __init__(self, settings: OpenId, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._keys: KeySet | None = None
        self._fetched = self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def keys(self, kid: str | None) -> KeySet | None:
        """Return its keys, asked for anew if they are old or `kid` is not among them.

        Raises:
            Unavailable: they are needed and cannot be had.
        """
        async with self._lock:  # whoever waits here finds what the one before has fetched
            now = self._clock.monotonic()
            old = now - self._fetched >= self._settings.keys_kept
            if old or not self._has(kid):
                await self._refresh(now, kid)
        return self._keys

    async def introspect(self, token: str) -> Mapping[str, Any]:
        """Ask what it knows of a token (RFC 7662 §2.1).

        Raises:
            Unavailable: no answer, or none that makes sense.
        """
        settings = self._settings
        assert settings.client_secret is not None, "the settings do not go without"
        secret = await asyncio.to_thread(settings.client_secret.read_text)
        return await self._ask(
            "POST",
            settings.introspection,
            data={"token": token, "token_type_hint": "access_token"},
            auth=httpx2.BasicAuth(settings.client_id, secret.strip()),
        )

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()

    # -- keys -----------------------------------------------------------------

    def _has(self, kid: str | None) -> bool:
        return self._keys is not None and (kid is None or any(key.kid == kid for key in self._keys.keys))

    async def _refresh(self, now: float, kid: str | None) -> None:
        """Fetch the keys, unless that was tried just now."""
        if now - self._tried < self._settings.keys_pause:
            if self._fetched < self._tried and not self._has(kid):
                raise Unavailable("the OpenID provider does not answer", self._settings.keys_pause)
            return  # they are fresh: a key that is not among them is none of the provider's
        self._tried = now
        try:
            self._keys = await self._fetch()
            self._fetched = now
        except Unavailable:
            if not self._has(kid) or now - self._fetched >= _STALE_SECONDS:
                raise

    async def _fetch(self) -> KeySet:
        url = self._settings.jwks
        if not url:
            found = await self._ask("GET", self._settings.discovery)
            url = str(found.get("jwks_uri", ""))
            if found.get("issuer") != self._settings.issuer or not url.startswith("https://"):
                raise self._trouble(self._settings.issuer, "its configuration is for another issuer")
        answer = await self._ask("GET", url)
        try:
            listed = [key for key in answer["keys"] if key.get("kty") in ("RSA", "EC", "OKP")]
            return KeySet.import_key_set({"keys": listed})
        except (JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._trouble(url, f"no keys: {error}") from None

    # -- HTTP -----------------------------------------------------------------

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._settings.timeout):
                status, octets = await self._exchange(method, url, **more)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            raise self._trouble(url, str(error) or type(error).__name__) from None
        if status != 200:
            raise self._trouble(url, f"status {status}")
        try:
            return msgspec.json.decode(octets, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise self._trouble(url, f"no JSON: {error}") from None

    async def _exchange(self, method: str, url: str, **more: Any) -> tuple[int, bytes]:
        if self._client is None:
            self._client = self._connect()
        octets = bytearray()
        auth = more.pop("auth", None)
        request = self._client.build_request(method, url, headers={"Accept": "application/json"}, **more)
        answer = await self._client.send(request, stream=True, auth=auth)
        try:
            async for chunk in answer.aiter_bytes():
                octets += chunk
                if len(octets) > _ANSWER_OCTETS:
                    raise httpx2.TransportError("the answer is too long")
        finally:
            await answer.aclose()
        return answer.status_code, bytes(octets)

    def _connect(self) -> httpx2.AsyncClient:
        ca = self._settings.ca
        return httpx2.AsyncClient(
            verify=ssl.create_default_context(cafile=None if ca is None else str(ca)),
            timeout=self._settings.timeout,
            limits=httpx2.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
        )

    def _trouble(self, url: str, what: str) -> Unavailable:
        log.warning("openid.unavailable", url=url, what=what)
        return Unavailable("the OpenID provider does not answer", self._settings.keys_pause)
