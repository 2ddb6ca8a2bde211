"""What the DNS says, held against what it should say."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from postroad.mailauth.dkim.key import parse_key_record
from postroad.mailauth.dkim.tags import TagError
from postroad.mailauth.publish import Need, Record
from postroad.mailauth.spf.check import check_host
from postroad.mailauth.spf.client import Client
from postroad.model.answers import Answer, Found, TemporaryFailure
from postroad.model.resolver import Resolver

Ask: TypeAlias = Callable[[str, str], Awaitable[Answer[str]]]
"""Name and type of a record; the answers are as in a zone file."""

_POLICIES = {"DMARC": "v=DMARC1", "TLSRPT": "v=TLSRPTv1", "MTA-STS": "v=STSv1"}


class State(Enum):
    """How a record of the DNS stands to what it should be."""

    GOOD = "good"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """One record and what the DNS has in its place."""

    record: Record
    state: State
    now: tuple[str, ...] = ()
    """What is there of this kind."""
    note: str = ""
    """What is wrong with it, in a sentence without its full stop."""
    change: str = ""
    """What to change it to, where that is not the record itself."""

    @property
    def fails(self) -> bool:
        """Whether a domain cannot do without what is missing or wrong here."""
        return self.record.need is Need.REQUIRED and self.state is not State.GOOD


async def check(expected: Sequence[Record], hostname: str, resolver: Resolver, ask: Ask) -> list[Checked]:
    """Ask the DNS for everything at once."""
    return list(await asyncio.gather(*[_one(record, hostname, resolver, ask) for record in expected]))


async def _one(record: Record, hostname: str, resolver: Resolver, ask: Ask) -> Checked:
    answer = await ask(record.name, record.kind)
    if isinstance(answer, TemporaryFailure):
        return Checked(record, State.UNKNOWN, note=f"the DNS gave no answer: {answer.reason}")
    there = answer.records if isinstance(answer, Found) else ()
    match record.purpose:
        case "SPF" | "HELO":
            return await _spf(record, hostname, resolver, [text for text in there if _is(text, "v=spf1")])
        case "DKIM":
            return _dkim(record, there)
        case "DMARC" | "TLSRPT" | "MTA-STS":
            return _policy(record, [text for text in there if _is(text, _POLICIES[record.purpose])])
        case "MX":
            return _mx(record, hostname, there)
        case _:
            return _exact(record, there)


def _is(text: str, version: str) -> bool:
    return text.partition(";")[0].split(" ")[0].strip().lower() == version.lower()


def _exact(record: Record, there: Sequence[str]) -> Checked:
    if not there:
        return Checked(record, State.MISSING)
    if record.value.lower() in [text.lower() for text in there]:
        return Checked(record, State.GOOD, tuple(there))
    return Checked(record, State.WRONG, tuple(there), "the DNS says something else")


def _mx(record: Record, hostname: str, there: Sequence[str]) -> Checked:
    hosts = [text.split(" ")[-1].rstrip(".").lower() for text in there]
    if not there:
        return Checked(record, State.MISSING)
    if hostname.lower() not in hosts:
        return Checked(record, State.WRONG, tuple(there), "mail for the domain goes to other servers")
    return Checked(record, State.GOOD, tuple(there))


def _policy(record: Record, there: Sequence[str]) -> Checked:
    """Any policy will do, for it is the operator's; but only one (RFC 7489 §6.6.3, RFC 8460 §3)."""
    if not there:
        return Checked(record, State.MISSING)
    if len(there) > 1:
        return Checked(record, State.WRONG, tuple(there), "there are several, so that none counts")
    return Checked(record, State.GOOD, tuple(there))


def _dkim(record: Record, there: Sequence[str]) -> Checked:
    if not there:
        return Checked(record, State.MISSING, note="mail is not signed with this key until it shows")
    ours = parse_key_record(record.value.encode())
    for text in there:
        try:
            found = parse_key_record(text.encode())
        except TagError:
            continue
        if found.kind == ours.kind and found.key == ours.key:
            return Checked(record, State.GOOD, tuple(there))
    return Checked(record, State.WRONG, tuple(there), "it is another key, or cannot be read")


async def _spf(record: Record, hostname: str, resolver: Resolver, there: Sequence[str]) -> Checked:
    if not there:
        return Checked(record, State.MISSING)
    if len(there) > 1:  # RFC 7208 §3.2
        return Checked(record, State.WRONG, tuple(there), "there are several, so that none counts")
    addresses = await resolver.addresses(hostname)
    if not isinstance(addresses, Found):
        return Checked(record, State.UNKNOWN, tuple(there), f"the DNS has no address of {hostname}")
    left_out = []
    for address in addresses.records:
        verdict = await check_host(resolver, Client.of(address, hostname), record.name, identity="mailfrom")
        if verdict.verdict != "pass":
            left_out.append(address)
    if not left_out:
        return Checked(record, State.GOOD, tuple(there))
    first, _, rest = there[0].partition(" ")
    note = f"it leaves out this server ({', '.join(left_out)})"
    mechanism = "mx" if record.purpose == "SPF" else "a"
    return Checked(record, State.WRONG, tuple(there), note, f"{first} {mechanism} {rest}".rstrip())
