"""Questions to a resolver that validates DNSSEC, and whether it says that the answer is secure (RFC 4035).

The AD bit is worth as much as the resolver and the way to it: one on this
machine, or one that the operator has named as trusted. It is slower than
`dns.system`, and used where that bit is needed.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from postroad.model.answers import Answer, Found, NoData, NoSuchDomain, TemporaryFailure

T = TypeVar("T")

PAYLOAD: Final = 1232
"""Octets of a datagram that no network cuts (DNS flag day 2020)."""
TRIES: Final = 2
_FLAGS: Final = dns.flags.RD | dns.flags.AD  # RFC 6840 §5.7: AD in a question asks for AD in the answer
_BITS: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked, and how a record becomes a value."""

    name: str
    kind: str
    read: Callable[[Any], T]


class ValidatingResolver:
    """Asks one of the servers, and another when it does not answer."""

    def __init__(self, servers: Sequence[tuple[str, int]], timeout: float) -> None:
        """`timeout` is for one whole question, over all servers."""
        self._servers = list(servers)
        self._timeout = timeout

    async def ask(self, question: Question[T]) -> Answer[T]:
        """Give the records with `secure` as the resolver has it. Bogus data is a TemporaryFailure."""
        what = f"{question.kind} {question.name}"
        try:
            name = dns.name.from_text(question.name + ".")
        except dns.exception.DNSException:
            return NoSuchDomain()
        kind = dns.rdatatype.from_text(question.kind)
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._exchange(name, kind)
        except TimeoutError:
            return TemporaryFailure(f"{what}: no answer within {self._timeout:g} s")
        if isinstance(reply, str):
            return TemporaryFailure(f"{what}: {reply}")
        return _read(reply, question)

    async def _exchange(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.message.Message | str:
        """The first answer that says something; or why there is none."""
        trouble = "no server to ask"
        each = self._timeout / (TRIES * len(self._servers) or 1)
        for server, port in self._servers * TRIES:
            query = dns.message.make_query(
                name, kind, use_edns=0, payload=PAYLOAD, flags=_FLAGS, id=_BITS.getrandbits(16)
            )
            try:
                reply, _ = await dns.asyncquery.udp_with_fallback(
                    query,
                    server,
                    timeout=max(each, 0.5),
                    port=port,
                    ignore_unexpected=True,
                    ignore_errors=True,
                )
            except (dns.exception.DNSException, OSError, EOFError) as error:
                trouble = str(error) or type(error).__name__
                continue
            if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return reply
            # SERVFAIL is also what bogus data is answered with (RFC 4035 §5.5).
            trouble = dns.rcode.to_text(reply.rcode())
        return trouble


def _read(reply: dns.message.Message, question: Question[T]) -> Answer[T]:
    assert isinstance(reply, dns.message.QueryMessage)
    try:
        chain = reply.resolve_chaining()
    except dns.exception.DNSException as error:
        return TemporaryFailure(f"{question.kind} {question.name}: {error}")
    if chain.answer is None:
        return NoSuchDomain() if reply.rcode() == dns.rcode.NXDOMAIN else NoData()
    secure = bool(reply.flags & dns.flags.AD)
    name = canonical(chain.canonical_name)
    records = tuple(question.read(record) for record in chain.answer)
    return Found(records, chain.minimum_ttl, secure, name if name != question.name.lower() else "")


def canonical(name: dns.name.Name) -> str:
    """A name as answers have it: lower case, without a dot at the end."""
    return name.to_text(omit_final_dot=True).removesuffix(".").lower()
