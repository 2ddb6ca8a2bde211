"""Who else is on the Internet of a test: names, mail servers, websites, and who vouches for them."""

from typing import Final

from postroad.delivery.outside import Outside
from postroad.dns.zone import ZoneResolver
from postroad.smtp.timeouts import Timeouts
from postroad.testing import certificate
from postroad.testing.authority import Authority, Issued
from postroad.testing.remote import RemoteServer
from postroad.testing.web import WebServer

_NOBODY: Final = 1
"""A port at which nothing listens."""


class Neighbours:
    """Scripted servers on loopback, found by the records of a zone."""

    def __init__(self, hostname: str) -> None:
        """`hostname` is the server under test; mail servers that prove nothing show its certificate."""
        self.resolver: Final = ZoneResolver()
        self.authority: Final = Authority()
        self._hostname = hostname
        self._mail: dict[str, RemoteServer] = {}
        self._mail_ports: dict[str, int] = {}
        self._web: list[WebServer] = []
        self._web_ports: dict[str, int] = {}

    def outside(self, timeouts: Timeouts) -> Outside:
        """The world as the queue of the server under test sees it."""
        return Outside(
            port=lambda address: self._mail_ports.get(address, _NOBODY),
            timeouts=timeouts,
            trust=self.authority.client_context,
            https_port=lambda address: self._web_ports.get(address, _NOBODY),
        )

    async def mail_server(
        self,
        domain: str,
        host: str,
        preference: int,
        address: str | None,
        *,
        tls: bool,
        shows: Issued | None,
    ) -> RemoteServer:
        """See `MailWorld.remote`."""
        server = self._mail.get(host)
        if server is None:
            address = address or f"127.0.1.{len(self._mail) + 1}"
            context = certificate.server_tls(self._hostname) if tls else None
            context = context if shows is None else shows.server_context
            server = RemoteServer(host, address=address, tls=context)
            await server.start()
            self._mail[host] = server
            self._mail_ports[address] = server.port
            self.resolver.add_address(host, address)
        self.resolver.add_mx(domain, host, preference)
        return server

    async def website(self, host: str, shows: Issued | None) -> WebServer:
        """See `MailWorld.website`."""
        address = f"127.0.2.{len(self._web) + 1}"
        server = WebServer((shows or self.authority.issue(host)).server_context, address)
        await server.start()
        self._web.append(server)
        self._web_ports[address] = server.port
        self.resolver.add_address(host, address)
        return server

    async def stop(self) -> None:
        """Close them all."""
        for server in self._mail.values():
            await server.stop()
        for site in self._web:
            await site.stop()
