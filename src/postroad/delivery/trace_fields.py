"""Trace fields: what we write on top of a message (RFC 5321 §4.4)."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from postroad.message.date import format_date
from postroad.model.address import Address
from postroad.model.envelope import Peer

# What a peer said of itself goes into Received only when it is a domain or a literal.
_HELO: Final = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\]|\[IPv6:[0-9A-Fa-f:.]+\]"
)
_RECEIVED: Final = re.compile(rb"\nreceived[ \t]*:")  # C looks for a literal, not for what ignores case
_DELIVERED_TO: Final = re.compile(rb"^delivered-to[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def received(
    peer: Peer,
    *,
    hostname: str,
    message_id: str,
    now: float,
    recipient: Address | None,
    priority: int | None = None,
) -> bytes:
    """Return the Received field of this hop.

    `recipient` is named when the message has just one, so that nobody learns
    of the others (RFC 5321 §7.2). `priority` is what was asked for (RFC 6710 §4.1).
    """
    tls = f" ({peer.tls})" if peer.tls else ""
    whom = f"\r\n\tfor <{recipient}>" if recipient is not None else ""
    urgency = f"\r\n\tPRIORITY {priority}" if priority is not None else ""
    lines = (
        f"Received: from {_origin(peer.helo, peer.reverse_name, peer.address)}",
        f"by {hostname} with {peer.protocol}{tls}",
        f"id {message_id}{whom}{urgency};",
        f"{_date(int(now))}\r\n",
    )
    return "\r\n\t".join(lines).encode()


def delivery_fields(sender: Address | None, delivered_to: Address) -> bytes:
    """Return-Path and Delivered-To of final delivery."""
    path = "" if sender is None else str(sender)
    return f"Return-Path: <{path}>\r\nDelivered-To: {delivered_to}\r\n".encode()


def forward_field(alias: Address) -> bytes:
    """Delivered-To of a copy that leaves through an alias: should it come back, it is known by that."""
    return f"Delivered-To: {alias}\r\n".encode()


def count_hops(header: bytes) -> int:
    """How many Received fields a header has (RFC 5321 §6.3)."""
    return len(_RECEIVED.findall(b"\n" + header.lower()))


def was_delivered_to(header: bytes, address: Address) -> bool:
    """Whether a Delivered-To field already names `address`: the message went in a circle."""
    key = address.key.encode()
    return any(value.strip().lower() == key for value in _DELIVERED_TO.findall(header))


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return format_date(datetime.fromtimestamp(second, UTC))


@lru_cache(maxsize=1024)
def _origin(helo: str, reverse_name: str, address: str) -> str:
    """Who a host says that it is, and what is known of it (RFC 5321 §4.4, TCP-info)."""
    literal = _literal(address)
    known = f"{reverse_name} {literal}" if reverse_name else literal
    return f"{helo} ({known})" if _HELO.fullmatch(helo) else literal


def _literal(address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return "[127.0.0.1]"  # from this process: a message of our own making
    return f"[IPv6:{ip}]" if ip.version == 6 else f"[{ip}]"
