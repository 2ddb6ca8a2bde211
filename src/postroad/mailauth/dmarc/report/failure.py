"""Reports about single messages that failed DMARC (RFC 9991): message/feedback-report (RFC 5965, RFC 6591).

Only what says who sent the message, and what became of it, is read; the
message itself, or what is left of it, is for people.
"""

import re
from ipaddress import ip_address
from typing import Final

from msgspec import Struct

from postroad.mailauth.inflate import BadReport
from postroad.message.header import HeaderBlock
from postroad.model.address import AddressError, normal_domain

KIND: Final = "message/feedback-report"
MOST_INCIDENTS: Final = 1_000_000
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Failure(Struct, frozen=True):
    """One report."""

    domain: str
    """In whose name the message was (Reported-Domain)."""
    source: str
    """The address that it came from; empty where the report does not say."""
    sender: str
    """MAIL FROM (Original-Mail-From)."""
    failed: tuple[str, ...]
    """What failed (Auth-Failure): dmarc, spf, signature, bodyhash, revoked …"""
    unaligned: tuple[str, ...]
    """What of spf and dkim was not aligned with the author's domain (Identity-Alignment)."""
    result: str
    """What became of it (Delivery-Result): delivered, spam, policy, reject, other; or empty."""
    incidents: int
    """How many messages it stands for (RFC 5965 §3.2)."""


def read_failure(octets: bytes) -> Failure:
    """Read the octets of a feedback report.

    Raises:
        BadReport: it is none, or about something else.
    """
    block = HeaderBlock.parse(octets.strip() + b"\r\n\r\n")
    kind = _text(block, b"feedback-type").lower()
    if kind != "auth-failure":
        raise BadReport(f"it reports {kind[:40] or 'nothing'}, and no failed authentication")
    try:
        domain = normal_domain(_text(block, b"reported-domain"))
    except AddressError as error:
        raise BadReport("it does not say about which domain it is") from error
    failed = _words(block, b"auth-failure")
    if not failed:
        raise BadReport("it does not say what failed")
    return Failure(
        domain=domain,
        source=_address(_text(block, b"source-ip")),
        sender=_text(block, b"original-mail-from")[:320],
        failed=failed,
        unaligned=tuple(word for word in _words(block, b"identity-alignment") if word != "none"),
        result=next(iter(_words(block, b"delivery-result")), ""),
        incidents=_count(_text(block, b"incidents")),
    )


def _text(block: HeaderBlock, name: bytes) -> str:
    return (block.first(name) or b"").decode("utf-8", "replace").strip()


def _words(block: HeaderBlock, name: bytes) -> tuple[str, ...]:
    words = [word.strip().lower() for word in _text(block, name)[:200].split(",")]
    return tuple(word for word in words if _WORD.fullmatch(word))


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        return ""


def _count(text: str) -> int:
    return min(int(text), MOST_INCIDENTS) if text.isascii() and text.isdigit() and len(text) < 10 else 1
