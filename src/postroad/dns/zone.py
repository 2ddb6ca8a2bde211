"""A resolver that answers from values: for tests, MailWorld and replay."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Final, TypeVar

from dns.name import Name
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.reversename import to_address
from dns.zonefile import read_rrsets

from postroad.model.answers import Answer, Found, Mx, NoData, NoSuchDomain, TemporaryFailure, Tlsa

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
    _tlsa: dict[str, list[Tlsa]] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)
    _pointers: dict[str, list[str]] = field(default_factory=dict)
    secure: set[str] = field(default_factory=set)
    """Names whose answers are validated; all others are in zones that nobody has signed."""

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

    def add_tlsa(self, name: str, record: Tlsa) -> None:
        """Add a TLSA record, to a name such as `_25._tcp.mx.example.org`."""
        self._tlsa.setdefault(name, []).append(record)

    def forget(self, name: str) -> None:
        """Take away all records of a name."""
        for records in (self._mx, self._addresses, self._txt, self._tlsa, self._aliases):
            records.pop(name, None)

    def add_zone(self, text: str) -> None:
        """Add the A, AAAA, MX, TXT, PTR, TLSA and CNAME records of a zone file (RFC 1035 §5), by whole names.

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
                    case TLSA(usage=usage, selector=selector, mtype=matching, cert=data):
                        self.add_tlsa(name, Tlsa(usage, selector, matching, data))

    async def mx(self, domain: str) -> Answer[Mx]:
        """See `Resolver.mx`."""
        return self._answer("MX", domain, self._mx)

    async def addresses(self, host: str) -> Answer[str]:
        """See `Resolver.addresses`."""
        answer = self._answer("A", host, self._addresses)
        if isinstance(answer, Found):
            return replace(answer, records=tuple(sorted(answer.records, key=lambda a: ":" not in a)))
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

    async def tlsa(self, name: str) -> Answer[Tlsa]:
        """See `Resolver.tlsa`."""
        answer = self._answer("TLSA", name, self._tlsa)
        return NoData() if isinstance(answer, Found) and not answer.secure else answer

    async def alias_is_secure(self, name: str) -> bool | TemporaryFailure:
        """See `Resolver.alias_is_secure`."""
        self.asked.append(("CNAME", name))
        if name in self.broken:
            return TemporaryFailure(f"CNAME {name}: the server for this name is down")
        return name in self._aliases and name in self.secure

    def _answer(self, kind: str, name: str, records: dict[str, list[T]]) -> Answer[T]:
        name = name.lower()
        self.asked.append((kind, name))
        asked, secure = name, True
        for _ in range(_LONGEST_CHAIN):
            secure = secure and name in self.secure
            if name in self.broken or (kind, name) in self.broken_kinds:
                return TemporaryFailure(f"{kind} {name}: the server for this name is down")
            if name not in self._aliases:
                break
            name = self._aliases[name]
        if found := records.get(name):
            return Found(tuple(found), TTL, secure, name if name != asked else "")
        known = any(name in some for some in (self._mx, self._addresses, self._txt, self._tlsa))
        return NoData() if known else NoSuchDomain()


def _only(answer: Answer[str], wanted: Callable[[str], bool]) -> Answer[str]:
    if not isinstance(answer, Found):
        return answer
    fitting = tuple(record for record in answer.records if wanted(record))
    return Found(fitting, answer.ttl) if fitting else NoData()


def _text(name: Name) -> str:
    return name.to_text(omit_final_dot=True).removesuffix(".").lower()
