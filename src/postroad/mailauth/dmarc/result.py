"""What a DMARC evaluation says, and on what evidence (RFC 9989 §5.3)."""

from typing import Literal, TypeAlias

from msgspec import Struct

from postroad.mailauth.dmarc.record import DmarcRecord, Policy

Verdict: TypeAlias = Literal["none", "pass", "fail", "temperror", "permerror"]


class Dmarc(Struct, frozen=True):
    """One finished evaluation."""

    verdict: Verdict
    domain: str = ""
    """The author domain; empty when there was none to judge."""
    organization: str = ""
    """Its organizational domain; empty when no record was found, or the DNS above it did not answer."""
    holder: str = ""
    """The domain whose record applies."""
    record: DmarcRecord | None = None
    published: Policy = "none"
    """The policy that the record has for the author domain."""
    policy: Policy = "none"
    """What is asked for: `published`, or a step less in test mode. Only a `fail` makes it matter."""
    spf: str = ""
    """The SPF domain that is aligned."""
    dkim: tuple[str, ...] = ()
    """The DKIM domains that are aligned."""
    problem: str = ""
    """Why nothing could be said, or why there is an error."""
