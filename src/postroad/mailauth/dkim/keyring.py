"""Keys of signatures, asked of the DNS (RFC 6376 §3.6.2, §6.1.2)."""

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from postroad.mailauth.dkim.key import KeyRecord, parse_key_record
from postroad.mailauth.dkim.limits import Limits
from postroad.mailauth.dkim.names import key_name
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.tags import TagError
from postroad.model.answers import Answer, Found, TemporaryFailure

_RECORDS: Final = 5
"""Records of one name that are read."""


class TxtResolver(Protocol):
    """What DKIM and ARC ask of the DNS; see `model.resolver`."""

    async def txt(self, name: str) -> Answer[bytes]: ...


@dataclass(frozen=True, slots=True)
class NoKey:
    """There is no key to verify with, and what that makes of the signature."""

    result: Result
    reason: str


Key: TypeAlias = KeyRecord | NoKey


class Keyring:
    """The keys of one message: each is asked for once, and no more than the limit."""

    __slots__ = ("_found", "_limits", "_resolver")

    def __init__(self, resolver: TxtResolver, limits: Limits) -> None:
        self._resolver = resolver
        self._limits = limits
        self._found: dict[tuple[str, str], Key] = {}

    async def find(self, selector: str, domain: str, kind: str) -> Key:
        """Return the key of a signature of that kind, `rsa` or `ed25519`."""
        name = key_name(selector, domain)
        key = self._found.get((name, kind))
        if key is None:
            if len(self._found) >= self._limits.keys:
                return NoKey(Result.POLICY, f"the message wants more than {self._limits.keys} keys")
            key = _chosen(name, kind, await self._resolver.txt(name))
            self._found[name, kind] = key
        return key


def _chosen(name: str, kind: str, answer: Answer[bytes]) -> Key:
    if isinstance(answer, TemporaryFailure):
        return NoKey(Result.TEMPERROR, f"the DNS did not give the key ({answer.reason})")
    if not isinstance(answer, Found):
        return NoKey(Result.PERMERROR, f"there is no key at {name}")
    problem = ""
    for text in answer.records[:_RECORDS]:
        try:
            record = parse_key_record(text)
        except TagError as error:
            problem = problem or str(error)
            continue
        if record.kind == kind:
            return record
        problem = f"its key is of the kind {record.kind}, the signature of the kind {kind}"
    return NoKey(Result.PERMERROR, f"the record at {name} is of no use: {problem}")
