"""A small DNS server on loopback, over UDP and TCP, for the resolver that asks over the network."""

import asyncio
import struct
from types import TracebackType

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.zonefile import read_rrsets

DATAGRAM = 1232


class DnsServer(asyncio.DatagramProtocol):
    """Answers from zone text. Names in `dead` get no answer, names in `broken` SERVFAIL."""

    def __init__(self, zone: str = "") -> None:
        self.dead: set[str] = set()
        self.broken: set[str] = set()
        self.proves = False
        """Whether it says of its answers that DNSSEC proves them (AD)."""
        self.asked: list[tuple[str, str]] = []
        """Every question that came, its name and its type."""
        self._records: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dns.rrset.RRset] = {}
        self._sessions: set[asyncio.Task[None]] = set()
        self.change(zone)

    @property
    def address(self) -> str:
        """Where to ask."""
        return f"127.0.0.1:{self._port}"

    def change(self, zone: str) -> None:
        """Answer from another zone."""
        rrsets = read_rrsets(zone, rdclass=None, relativize=False)
        self._records = {(rrset.name, rrset.rdtype): rrset for rrset in rrsets}

    async def __aenter__(self) -> "DnsServer":
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self._port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._udp.close()
        self._tcp.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is None:
            return
        wire = answer.to_wire(max_size=65535)
        if len(wire) > DATAGRAM:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
            wire = answer.to_wire(max_size=65535)
        self._udp.sendto(wire, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        try:
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                answer = self._answer(await reader.readexactly(size))
                if answer is not None:
                    wire = answer.to_wire(max_size=65535)
                    writer.write(struct.pack("!H", len(wire)) + wire)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the resolver has all it wanted, or the server stops
        finally:
            self._sessions.discard(session)
            writer.transport.abort()

    def _answer(self, data: bytes) -> dns.message.Message | None:
        question = dns.message.from_wire(data)
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, dns.rdatatype.to_text(asked.rdtype)))
        answer = dns.message.make_response(question, recursion_available=True)
        answer.flags |= dns.flags.AD if self.proves else 0
        if name in self.dead:
            return None
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        owner = dns.name.from_text(name)
        while (alias := self._records.get((owner, dns.rdatatype.CNAME))) is not None:
            answer.answer.append(alias)
            owner = alias[0].target
        found = self._records.get((owner, asked.rdtype))
        if found is not None:
            answer.answer.append(found)
        elif not any(owner == known for known, _ in self._records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
