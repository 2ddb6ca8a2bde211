"""The ways that an operator has laid down: which one a message takes, and how its server is spoken to."""

import ssl
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from postroad.db.transaction import Reader, Row
from postroad.delivery.demands import Demand
from postroad.directory import changes
from postroad.directory.routes import Route, any_by_sender, route_for
from postroad.directory.seal import CannotOpen, Seal
from postroad.dns.route import ADDRESSES, Host, NoRoute
from postroad.dns.route import Route as Hosts
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.resolver import Resolver
from postroad.queue.item import Item
from postroad.smtp.manner import MX, Manner
from postroad.smtp.security import Security, opportunistic_context


class Way(Struct, frozen=True):
    """How a message goes to the hosts that it goes to."""

    sources: tuple[str, ...] = ()
    """Addresses of this machine to come from."""
    manner: Manner = MX
    port: int = 0
    """0: that of mail exchange."""
    key: str = ""
    """Connections of one way are not used for another."""

    def source(self, address: str) -> str | None:
        """The address to come from, on the way to `address`."""
        version = ip_address(address).version if self.sources else 0
        return next((one for one in self.sources if ip_address(one).version == version), None)


BY_MX = Way()


T = TypeVar("T")


class Reads(Protocol):
    """A database that can be asked."""

    def row(self, sql: str, *params: Any) -> Row | None: ...

    def read(self, work: Callable[[Reader], T]) -> T: ...


class Relays:
    """Asks the directory, for one worker."""

    def __init__(self, database: Reads, data: Path, trust: Callable[[], ssl.SSLContext]) -> None:
        """`data` is where the key of the sealed passwords is."""
        self._database = database
        self._data = data
        self._trust = trust
        self._seal: Seal | None = None
        self._by_sender = (-1, False)
        self._any = opportunistic_context()
        self._verifying: ssl.SSLContext | None = None

    def of(self, domain: str, attempts: int, sender: str) -> Route | None:
        """The route of a message from a domain that has failed so many times, if there is one."""
        return self._database.read(partial(route_for, domain=domain, attempts=attempts, sender=sender))

    def version(self) -> int:
        """While it is the same, so are the routes."""
        return changes.version(self._database)

    def sender(self, item: Item, version: int) -> str:
        """The domain that a message is from if that matters to a route; else nothing: all go alike."""
        if self._by_sender[0] != version:
            self._by_sender = version, self._database.read(any_by_sender)
        said = item.reverse_path or item.sender
        return said.domain if self._by_sender[1] and said is not None else ""

    def way(self, route: Route) -> Way | NoRoute:
        """How its server is spoken to."""
        try:
            password = route.password(self._opened()) if route.sealed else ""
        except (CannotOpen, OSError) as error:
            return NoRoute(451, "4.3.5", f"the password of the route cannot be read: {error}")
        if route.transport == "mx":
            return Way(route.sources, key=f"from {' '.join(route.sources)}" if route.sources else "")
        manner = Manner(route.transport == "lmtp", route.transport == "smtps", route.login, password, True)
        # The time tells a route from one that it has replaced: another login must not go on with this one's.
        return Way(route.sources, manner, route.port, f"route {route.target} {route.login} {route.created}")

    async def hosts(self, resolver: Resolver, route: Route) -> Hosts | NoRoute:
        """Where its server is. Private addresses are good: an operator has named it."""
        try:
            return Hosts((Host(route.host, (str(ip_address(route.host)),)),), listed=False)
        except ValueError:
            found = await resolver.addresses(route.host)
        if isinstance(found, Found):
            return Hosts((Host(route.host, found.records[:ADDRESSES]),), listed=False)
        why = found.reason if isinstance(found, TemporaryFailure) else "it has no address"
        return NoRoute(451, "4.4.4", f"the relay {route.host} cannot be found: {why}")

    def demand(self, route: Route, *, strict: bool) -> Demand:
        """How securely it has to be spoken to; `strict` is for what needs an authenticated server."""
        implicit = route.transport == "smtps"
        match "verify" if strict else route.tls:
            case "verify":
                if self._verifying is None:
                    self._verifying = self._trust()
                return Demand(Security(self._verifying, True, route.host, None, "the route"), "verified")
            case "encrypt":
                return Demand(Security(self._any, True, policy="the route (any certificate)"))
            case _:
                return Demand(Security(self._any, implicit))

    def _opened(self) -> Seal:
        if self._seal is None:
            self._seal = Seal.of(self._data)
        return self._seal
