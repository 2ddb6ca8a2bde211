"""Where mail for a domain goes, and one server of those that would take it."""

from msgspec import Struct

from postroad.delivery.demands import Demand, DomainDemands
from postroad.delivery.relay import Way
from postroad.dns.route import Host


class Contact(Struct, frozen=True):
    """One address of one host, and all that holds for a connection there."""

    domain: str
    host: Host
    address: str
    demand: Demand
    way: Way
    counted: bool
    """Whether it goes into reports (RFC 8460): how relays of our own do is nobody else's business."""

    @property
    def key(self) -> str:
        """Connections under the same key are as good as one another."""
        return f"{self.way.key} {self.demand.key}".strip()


class Found(Struct, frozen=True):
    """Where mail for a domain goes."""

    where: DomainDemands
    way: Way
    fixed: Demand | None
    """What a route demands of the servers; without, it is found out host by host."""

    def contact(self, host: Host, address: str, demand: Demand) -> Contact:
        """One of them, for mail."""
        return Contact(self.where.domain, host, address, demand, self.way, counted=self.fixed is None)
