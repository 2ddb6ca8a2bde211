"""What is asked of a header before the message is taken: size, fields, hops."""

import re
from typing import Final

from postroad.delivery.trace_fields import count_hops, was_delivered_to
from postroad.model.address import Address
from postroad.model.octets import Octets
from postroad.model.refusal import Refused
from postroad.policy.limits import Limits

_END: Final = b"\r\n\r\n"
_NEXT_FIELD: Final = re.compile(rb"\r\n(?![ \t])")
# A field, the empty line, or the separator that some programs leave on top of what was in an mbox.
_BEGINNING: Final = re.compile(rb"[!-9;-~]+[ \t]*:|\r\n|>?From ")
_LINE: Final = 1000


def lacks_header(body: Octets) -> bool:
    """Whether the message begins with text, or with the fold of a field that is not there.

    Fields may not be put right in front of that: the text would be read as
    the end of ours (RFC 5322 §2.2.3), and we would have said what a stranger
    has written.
    """
    return len(body) > 0 and _BEGINNING.match(body[:_LINE]) is None


def header_of(body: Octets, limits: Limits) -> bytes:
    """The header block of a message, without the empty line.

    Raises:
        Refused: it is longer or has more fields than the limits allow.
    """
    if lacks_header(body):
        return b""
    head = body[: limits.header_size + len(_END)]
    if head.startswith(b"\r\n"):
        return b""
    end = head.find(_END)
    if end < 0:
        if len(body) > limits.header_size:
            raise Refused(552, "5.3.4", f"header is longer than {limits.header_size} octets")
        end = len(head)
    header = head[: end + 2]
    fields = header.count(b"\r\n") - header.count(b"\r\n ") - header.count(b"\r\n\t")
    if fields > limits.header_fields:
        raise Refused(552, "5.3.4", f"header has more than {limits.header_fields} fields")
    if len(header) > limits.header_field_size:
        longest = max(map(len, _NEXT_FIELD.split(header)))
        if longest > limits.header_field_size:
            raise Refused(552, "5.3.4", f"a header field is longer than {limits.header_field_size} octets")
    return header


def check_loop(header: bytes, limits: Limits, forwarded: list[Address]) -> None:
    """Refuse what has been round too often (RFC 5321 §6.3), or here already for the same alias.

    The second test stops two servers that forward to each other at the first
    turn instead of the fiftieth.
    """
    hops = count_hops(header)
    if hops > limits.hop_count:
        raise Refused(554, "5.4.6", "too many hops, the message is in a loop", f"{hops} Received fields")
    for address in forwarded:
        if was_delivered_to(header, address):
            raise Refused(554, "5.4.6", "the message is in a forwarding loop", f"was delivered to {address}")
