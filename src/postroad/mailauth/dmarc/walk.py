"""The DNS tree walk: from a domain up to the organization that it belongs to (RFC 9989 §4.10)."""

from typing import Final

from msgspec import Struct

from postroad.mailauth.dmarc.record import DmarcRecord, parse_record
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.resolver import Resolver

QUERIES: Final = 8
"""Names that one walk asks for at most."""


class Walk(Struct, frozen=True):
    """What a walk has found."""

    start: str
    found: tuple[tuple[str, DmarcRecord], ...] = ()
    """Names with their records, the longest first."""
    problem: str = ""
    """Why the walk did not get to its end: the DNS did not answer."""

    @property
    def organization(self) -> str:
        """The organizational domain (§4.10.2); empty where the walk did not get so far."""
        if self.problem:
            return ""
        for name, record in self.found:
            if record.psd == "n":
                return name
            if record.psd == "y" and name != self.start:
                return _one_below(self.start, name)
        return self.found[-1][0] if self.found else self.start

    def policy(self) -> tuple[str, DmarcRecord] | None:
        """The record that applies, and the domain that has it (§4.10.1).

        It is that of the domain itself, of its organization, or of the public
        suffix above. For the first nobody has to walk, so that it is known even
        where the walk has met with a problem.
        """
        records = dict(self.found)
        if self.problem:
            return (self.start, records[self.start]) if self.start in records else None
        for name in (self.start, self.organization):
            if name in records:
                return name, records[name]
        suffix = self.found[-1:]
        return suffix[0] if suffix and suffix[0][1].psd == "y" else None


class Walker:
    """Walks for one message; no name is asked for twice."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._records: dict[str, DmarcRecord | TemporaryFailure | None] = {}

    async def walk(self, domain: str) -> Walk:
        """Go up from `domain`, an A-label name in lower case."""
        found: list[tuple[str, DmarcRecord]] = []
        for name in names_to_ask(domain):
            record = await self._record(name)
            if isinstance(record, TemporaryFailure):
                return Walk(domain, tuple(found), record.reason)
            if record is not None:
                found.append((name, record))
                if record.psd != "u":
                    break
        return Walk(domain, tuple(found))

    async def _record(self, name: str) -> DmarcRecord | TemporaryFailure | None:
        if name not in self._records:
            answer = await self._resolver.txt(f"_dmarc.{name}")
            if isinstance(answer, TemporaryFailure):
                self._records[name] = answer
            else:
                texts = answer.records if isinstance(answer, Found) else ()
                records = [record for record in map(parse_record, texts) if record is not None]
                self._records[name] = records[0] if len(records) == 1 else None
        return self._records[name]


def names_to_ask(domain: str) -> list[str]:
    """The names of one walk: the domain, and what is left of it when labels are taken away."""
    labels = domain.split(".")
    most = min(len(labels) - 1, QUERIES - 1)
    return [domain, *(".".join(labels[-count:]) for count in range(most, 0, -1))]


def _one_below(domain: str, suffix: str) -> str:
    label = domain.removesuffix(f".{suffix}").rpartition(".")[2]
    return f"{label}.{suffix}"
