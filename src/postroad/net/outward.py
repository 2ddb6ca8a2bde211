"""HTTPS to strangers: names that came by mail or DNS must not lead to machines behind our walls.

A name is looked up once, every address is checked, and the connection goes to
an address that was checked; redirects are not followed, proxies, cookies and
compression are not used, and size and time have their limits (SAFETY C32).
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from postroad.dns.route import is_public
from postroad.model.answers import Found
from postroad.model.resolver import Resolver

if TYPE_CHECKING:
    import httpx2

ADDRESSES: Final = 4
"""Addresses of a host that are tried."""
_WRITTEN: Final = re.compile(r"[!-~]{1,8000}")
"""What URLs are written with (RFC 3986 §2), and how long they may be (RFC 9110 §4.1)."""


class HttpsTrouble(Exception):
    """No answer. `certificate` is whether the server could not prove who it is."""

    def __init__(self, text: str, *, certificate: bool = False) -> None:
        super().__init__(text)
        self.certificate = certificate


class Answer(Struct, frozen=True):
    """What a server said."""

    status: int
    content_type: str
    """In lower case, without parameters."""
    octets: bytes


class Outward:
    """Asks strangers' web servers, for one worker."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        allow_private: Callable[[], bool],
        trust: Callable[[], ssl.SSLContext],
        port: Callable[[str], int],
    ) -> None:
        """`trust` gives what certificates are verified with; `port` the port of an address."""
        self._resolver = resolver
        self._allow_private = allow_private
        self._trust = trust
        self._context: ssl.SSLContext | None = None
        self._port = port

    async def ask(
        self,
        method: str,
        url: str,
        *,
        most: int,
        timeout: float,
        octets: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request to an https URL without user, port or fragment; take at most `most` octets.

        Raises:
            HttpsTrouble: with the reason in words.
        """
        host, target = _parted(url)
        try:
            async with asyncio.timeout(timeout):
                return await self._anywhere(host, method, target, most, timeout, octets, headers or {})
        except TimeoutError:
            raise HttpsTrouble(f"{host} does not answer within {timeout:g} s") from None

    async def _anywhere(
        self,
        host: str,
        method: str,
        target: str,
        most: int,
        timeout: float,
        octets: bytes,
        headers: Mapping[str, str],
    ) -> Answer:
        found = await self._resolver.addresses(host)
        if not isinstance(found, Found):
            raise HttpsTrouble(f"{host} has no address")
        usable = [a for a in found.records if self._allow_private() or is_public(a)][:ADDRESSES]
        if not usable:
            raise HttpsTrouble(f"{host} has private addresses only, which are not contacted")
        # Only now: it is a tenth of a start, and most workers ask nobody for days. Not in the loop's thread,
        # or all sessions would wait for it.
        await asyncio.to_thread(import_module, "httpx2")
        import httpx2

        last: httpx2.TransportError | None = None
        async with self._client(timeout) as client:
            for address in usable:
                place = f"[{address}]" if ":" in address else address
                try:
                    request = client.build_request(
                        method,
                        f"https://{place}:{self._port(address)}{target}",
                        content=octets or None,
                        headers={"Host": host, "Accept-Encoding": "identity", **headers},
                        extensions={"sni_hostname": host},
                    )
                    return await _answer(client, request, most)
                except httpx2.ConnectError as error:
                    if _is_certificate(error):
                        raise HttpsTrouble(f"{host}: {error}", certificate=True) from None
                    last = error
                except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError) as error:
                    raise HttpsTrouble(f"{host}: {error or type(error).__name__}") from None
        raise HttpsTrouble(f"{host}: {last}")

    def _client(self, timeout: float) -> "httpx2.AsyncClient":
        import httpx2  # is there by now

        if self._context is None:
            self._context = self._trust()
        return httpx2.AsyncClient(
            verify=self._context, timeout=timeout, trust_env=False, follow_redirects=False
        )


async def _answer(client: "httpx2.AsyncClient", request: "httpx2.Request", most: int) -> Answer:
    answer = await client.send(request, stream=True)
    try:
        octets = bytearray()
        async for chunk in answer.aiter_raw():
            octets += chunk
            if len(octets) > most:
                raise HttpsTrouble(f"the answer has more than {most} octets")
    finally:
        await answer.aclose()
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpsTrouble("the answer is compressed, which was not asked for")
    return Answer(answer.status_code, kind, bytes(octets))


def _parted(url: str) -> tuple[str, str]:
    """Host and request target of a URL that may be asked."""
    if not _WRITTEN.fullmatch(url):
        raise HttpsTrouble("not a URL: it is too long, or has octets that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HttpsTrouble(f"not a URL: {error}") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or not host or parts.username is not None or port not in (None, 443):
        raise HttpsTrouble("not an https URL without user and port")
    if not host.isascii() or not any(c.isalpha() for c in host.rpartition(".")[2]):
        raise HttpsTrouble(
            "its host is no domain name"
        )  # addresses, in whatever notation, have no letter there
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, target


def _is_certificate(error: BaseException) -> bool:
    """Whether a connection failed for the certificate, by the chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
