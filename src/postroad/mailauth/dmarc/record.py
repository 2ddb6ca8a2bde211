"""DMARC policy records (RFC 9989 §4.7, §4.8): what is unknown or broken in them is left out, not fatal."""

import re
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from postroad.model.address import Address, AddressError, parse_mailbox

Policy: TypeAlias = Literal["none", "quarantine", "reject"]
Psd: TypeAlias = Literal["y", "n", "u"]

MAX_URIS: Final = 10
"""Report addresses of one record that are looked at."""

_VERSION: Final = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_TAG: Final = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*([ -:<-~]*)")
_SIZE: Final = re.compile(r"![0-9]+[kmgtKMGT]?\Z")
_POLICIES: Final[dict[str, Policy]] = {"none": "none", "quarantine": "quarantine", "reject": "reject"}
_MILDER: Final[dict[Policy, Policy]] = {"none": "none", "quarantine": "none", "reject": "quarantine"}


class DmarcRecord(Struct, frozen=True):
    """A record that is one."""

    text: str
    policy: Policy = "none"
    subdomains: Policy | None = None
    """sp="""
    nonexistent: Policy | None = None
    """np="""
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: Psd = "u"
    testing: bool = False
    """t=y: the policy is to be one step milder."""
    reports: tuple[Address, ...] = ()
    """Where aggregate reports are to go: mailto: URIs of rua=."""
    failure_options: str = "0"
    applies: bool = True
    """False when it has no valid policy and wants no reports: then it asks for nothing (§4.10.1)."""

    def policy_for(self, *, subdomain: bool, exists: bool) -> Policy:
        """The policy for the domain that has the record, or for one below it (§4.10.1)."""
        if not subdomain:
            return self.policy
        if not exists and self.nonexistent is not None:
            return self.nonexistent
        return self.policy if self.subdomains is None else self.subdomains

    def softened(self, policy: Policy) -> Policy:
        """What remains of a policy in test mode."""
        return _MILDER[policy] if self.testing else policy


def parse_record(octets: bytes) -> DmarcRecord | None:
    """Read one TXT record; None when it is none of DMARC's."""
    text = octets.decode("ascii", "replace")
    match = _VERSION.match(text)
    if match is None:
        return None
    tags: dict[str, str] = {}
    for part in text[match.end() :].split(";"):
        if (tag := _TAG.fullmatch(part)) is not None:
            tags.setdefault(tag[1].lower(), tag[2].rstrip(" \t"))
    reports = _mail_addresses(tags.get("rua", ""))
    requests = {name: _POLICIES.get(tags[name].lower()) for name in ("p", "sp", "np") if name in tags}
    valid = requests.get("p") is not None and None not in requests.values()
    if not valid:
        requests = {}  # as if it said p=none alone (§4.10.1)
    psd = tags.get("psd", "").lower()
    return DmarcRecord(
        text,
        requests.get("p") or "none",
        requests.get("sp"),
        requests.get("np"),
        tags.get("adkim", "").lower() == "s",
        tags.get("aspf", "").lower() == "s",
        "y" if psd == "y" else "n" if psd == "n" else "u",
        tags.get("t", "").lower() == "y",
        reports,
        tags.get("fo", "0"),
        valid or bool(reports),
    )


def _mail_addresses(uris: str) -> tuple[Address, ...]:
    """The mailto: URIs of a list; a size behind them is obsolete (§4.8), other schemes are ignored."""
    addresses: list[Address] = []
    for uri in uris.split(",")[:MAX_URIS]:
        scheme, _, rest = uri.strip(" \t").partition(":")
        if scheme.lower() == "mailto":
            path = _SIZE.sub("", rest).partition("?")[0]
            try:
                address = parse_mailbox(unquote(path))
            except AddressError:
                continue
            if address not in addresses:
                addresses.append(address)
    return tuple(addresses)
