"""What the DNS says, as values: normal outcomes, not exceptions."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Records of the kind that was asked for; never empty."""

    records: tuple[T, ...]
    ttl: int
    """Seconds for which the answer may be kept."""
    secure: bool = False
    """Validated with DNSSEC by a resolver that is believed (RFC 4035 §3.2.3, AD); all of the way there."""
    name: str = ""
    """Where aliases led, if the resolver tells; empty: nowhere else."""


@dataclass(frozen=True, slots=True)
class NoData:
    """The name is there, records of this kind are not."""


@dataclass(frozen=True, slots=True)
class NoSuchDomain:
    """There is no such name (NXDOMAIN)."""


@dataclass(frozen=True, slots=True)
class TemporaryFailure:
    """Nobody could say: time-out, SERVFAIL, a resolver that is down."""

    reason: str


Answer: TypeAlias = Found[T] | NoData | NoSuchDomain | TemporaryFailure


@dataclass(frozen=True, slots=True, order=True)
class Mx:
    """One MX record; an empty `host` is the null MX (RFC 7505)."""

    preference: int
    host: str


class Tlsa(NamedTuple):
    """One TLSA record (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"
