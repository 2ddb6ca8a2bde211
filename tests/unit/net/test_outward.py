"""HTTPS to strangers: public addresses alone, by the address that was checked (SAFETY C32)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from postroad.dns.zone import ZoneResolver
from postroad.net.outward import Answer, HttpsTrouble, Outward
from postroad.testing.authority import Authority
from postroad.testing.web import Page, WebServer

HOST = "www.elsewhere.test"
AUTHORITY = Authority()
Scene = Callable[[Outward, WebServer, ZoneResolver], Awaitable[None]]


def play(scene: Scene, *, allow_private: bool = True, name: str = HOST) -> None:
    """Run a scene with one web server, which the DNS knows as www.elsewhere.test."""

    async def run() -> None:
        server = WebServer(AUTHORITY.issue(name).server_context)
        await server.start()
        resolver = ZoneResolver()
        resolver.add_address(HOST, server.address)
        outward = Outward(
            resolver,
            allow_private=lambda: allow_private,
            trust=AUTHORITY.client_context,
            port=lambda _: server.port,
        )
        try:
            await scene(outward, server, resolver)
        finally:
            await server.stop()

    asyncio.run(run())


async def ask(
    outward: Outward, url: str = f"https://{HOST}/", timeout: float = 20.0, most: int = 1000
) -> Answer:
    return await outward.ask("GET", url, most=most, timeout=timeout)


def refused(url: str, *, allow_private: bool = True, address: str = "") -> str:
    """Why a URL is not asked; nobody hears of it."""
    said = []

    async def scene(outward: Outward, server: WebServer, resolver: ZoneResolver) -> None:
        if address:
            resolver.forget(HOST)
            resolver.add_address(HOST, address)
        with pytest.raises(HttpsTrouble) as caught:
            await ask(outward, url)
        said.append(str(caught.value))
        assert server.asked == []

    play(scene, allow_private=allow_private)
    return said[0]


def test_a_page_is_fetched_by_name_over_the_address_that_was_checked() -> None:
    async def scene(outward: Outward, server: WebServer, resolver: ZoneResolver) -> None:
        server.pages["/a?b=c"] = Page(b"hello", "text/plain; charset=utf-8")
        assert await ask(outward, f"https://{HOST}/a?b=c") == Answer(200, "text/plain", b"hello")
        (asked,) = server.asked
        assert asked.headers["host"] == HOST
        assert resolver.asked.count(("A", HOST)) == 1, "it is looked up once"

    play(scene)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/",
        f"ftp://{HOST}/",
        f"https://user@{HOST}/",
        f"https://user:secret@{HOST}/",
        f"https://{HOST}:8443/",
        f"https://{HOST}:x/",
        "https:///path",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "//no.scheme/",
        "https://[/",
        f"https://{HOST}/\x01",
        f"https://{HOST}/\r\nX: y",
        f"https://{HOST}/\ufffd",
        f"https://{HOST}/{'x' * 8000}",
    ],
)
def test_only_names_over_https_are_asked(url: str) -> None:
    assert refused(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_private_addresses_are_not_contacted(address: str) -> None:
    assert "private addresses" in refused(f"https://{HOST}/", allow_private=False, address=address)


def test_a_name_without_address_is_no_host() -> None:
    assert refused("https://gone.elsewhere.test/") == "gone.elsewhere.test has no address"


def test_redirects_are_answers() -> None:
    async def scene(outward: Outward, server: WebServer, resolver: ZoneResolver) -> None:
        server.pages["/"] = Page(status=302, headers=("Location: /elsewhere",))
        assert (await ask(outward)).status == 302
        assert len(server.asked) == 1

    play(scene)


def test_a_server_that_says_too_much_or_nothing_is_left() -> None:
    async def scene(outward: Outward, server: WebServer, resolver: ZoneResolver) -> None:
        server.pages["/long"] = Page(b"x" * 1001)
        server.pages["/packed"] = Page(b"x", headers=("Content-Encoding: gzip",))
        server.pages["/never"] = Page(hangs=True)
        with pytest.raises(HttpsTrouble, match="more than 1000 octets"):
            await ask(outward, f"https://{HOST}/long")
        with pytest.raises(HttpsTrouble, match="compressed"):
            await ask(outward, f"https://{HOST}/packed")
        with pytest.raises(HttpsTrouble, match="does not answer within"):
            await ask(outward, f"https://{HOST}/never", timeout=0.2)

    play(scene)


def test_a_server_that_is_another_one_is_found_out() -> None:
    async def scene(outward: Outward, server: WebServer, resolver: ZoneResolver) -> None:
        with pytest.raises(HttpsTrouble) as caught:
            await ask(outward)
        assert caught.value.certificate
        assert server.asked == []

    play(scene, name="other.test")


def test_another_address_is_tried_when_one_is_dead() -> None:
    async def scene(outward: Outward, server: WebServer, resolver: ZoneResolver) -> None:
        resolver.forget(HOST)
        resolver.add_address(HOST, "127.0.0.77")
        resolver.add_address(HOST, server.address)
        server.pages["/"] = Page(b"here")
        assert (await ask(outward)).octets == b"here"

    play(scene)
