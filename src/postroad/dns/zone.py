"""A resolver that answers from values: for tests, MailWorld and replay."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, TypeVar

from dns.name import Name
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.reversename import to_address
from dns.zonefile import read_rrsets

from postroad.model.answers import Answer, Found, Mx, NoData, NoSuchDomain, TemporaryFailure

T = TypeVar("T")

TTL: Final = 300
_LONGEST_CHAIN: Final = 8


@dataclass(slots=True)
class ZoneResolver:
    """Add records, then ask. A name in `broken` answers like a server that is down."""

    broken: set[str] = field(default_factory=set)
    broken_kinds: set[tuple[str, str]] = field(default_factory=set)
    """Like `broken`, for one kind of question about a name: (kind, name)."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Every question, in order: (kind, name)."""
    _mx: dict[str, list[Mx]] = field(default_factory=dict)
    _addresses: dict[str, list[str]] = field(default_factory=dict)
    _txt: dict[str, list[bytes]] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)
    _pointers: dict[str, list[str]] = field(default_factory=dict)

    def add_mx(self, domain: str, host: str, preference: int = 10) -> None:
        """Say that `host` takes mail for `domain`; an empty host is the null MX."""
        self._mx.setdefault(domain, []).append(Mx(preference, host))

    def add_address(self, host: str, address: str) -> None:
        """Give a host an IPv4 or IPv6 address."""
        self._addresses.setdefault(host, []).append(str(ip_address(address)))

    def add_txt(self, name: str, text: bytes) -> None:
        """Add a TXT record."""
        self._txt.setdefault(name, []).append(text)

    def add_alias(self, name: str, target: str) -> None:
        """Add a CNAME."""
        self._aliases[name] = target

    def add_pointer(self, address: str, host: str) -> None:
        """Add a PTR record. An address without any has the names of the hosts that have the address."""
        self._pointers.setdefault(str(ip_address(address)), []).append(host)

    def add_zone(self, text: str) -> None:
        """Add the A, AAAA, MX, TXT, PTR and CNAME records of a zone file (RFC 1035 §5); names are absolute.

        Raises:
            dns.exception.DNSException: it is no zone file.
        """
        for rrset in read_rrsets(text, rdclass=None, default_ttl=TTL, relativize=False):
            name = _text(rrset.name)
            for record in rrset:
                match record:
                    case MX(preference=preference, exchange=exchange):
                        self.add_mx(name, _text(exchange), preference)
                    case A(address=address) | AAAA(address=address):
                        self.add_address(name, address)
                    case TXT(strings=strings):
                        self.add_txt(name, b"".join(strings))
                    case PTR(target=target):
                        self.add_pointer(to_address(rrset.name), _text(target))
                    case CNAME(target=target):
                        self.add_alias(name, _text(target))

    async def mx(self, domain: str) -> Answer[Mx]:
        """See `Resolver.mx`."""
        return self._answer("MX", domain, self._mx)

    async def addresses(self, host: str) -> Answer[str]:
        """See `Resolver.addresses`."""
        answer = self._answer("A", host, self._addresses)
        if isinstance(answer, Found):
            return Found(tuple(sorted(answer.records, key=lambda a: ":" not in a)), TTL)
        return answer

    async def a(self, host: str) -> Answer[str]:
        """See `Resolver.a`."""
        return _only(self._answer("A", host, self._addresses), lambda address: ":" not in address)

    async def aaaa(self, host: str) -> Answer[str]:
        """See `Resolver.aaaa`."""
        return _only(self._answer("AAAA", host, self._addresses), lambda address: ":" in address)

    async def txt(self, name: str) -> Answer[bytes]:
        """See `Resolver.txt`."""
        return self._answer("TXT", name, self._txt)

    async def ptr(self, address: str) -> Answer[str]:
        """See `Resolver.ptr`."""
        asked = str(ip_address(address))
        names = self._pointers.get(asked) or [
            host for host, addresses in self._addresses.items() if asked in addresses
        ]
        return self._answer("PTR", asked, {asked: names})

    def _answer(self, kind: str, name: str, records: dict[str, list[T]]) -> Answer[T]:
        name = name.lower()
        self.asked.append((kind, name))
        for _ in range(_LONGEST_CHAIN):
            if name in self.broken or (kind, name) in self.broken_kinds:
                return TemporaryFailure(f"{kind} {name}: the server for this name is down")
            if name not in self._aliases:
                break
            name = self._aliases[name]
        if found := records.get(name):
            return Found(tuple(found), TTL)
        known = any(name in some for some in (self._mx, self._addresses, self._txt))
        return NoData() if known else NoSuchDomain()


def _only(answer: Answer[str], wanted: Callable[[str], bool]) -> Answer[str]:
    if not isinstance(answer, Found):
        return answer
    fitting = tuple(record for record in answer.records if wanted(record))
    return Found(fitting, answer.ttl) if fitting else NoData()


def _text(name: Name) -> str:
    return name.to_text(omit_final_dot=True).removesuffix(".").lower()
