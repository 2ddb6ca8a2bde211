"""Delivery status notifications (RFC 3461, RFC 3464, RFC 6522).

Values in, a whole message out. It goes out with the null sender, to whoever
sent the original; that and the decision to send it are the caller's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from ipaddress import ip_address
from textwrap import wrap
from typing import Final

from postroad.message.compose import (
    Person,
    address_field,
    choose_boundary,
    clean_lines,
    date_field,
    field,
    message_id_field,
    one_line,
    text_body,
    text_field,
)
from postroad.message.date import format_date
from postroad.message.encoded_word import decode_header
from postroad.message.header import MAX_HEADER, HeaderBlock
from postroad.message.message_id import parse_message_ids
from postroad.message.octets import Octets
from postroad.message.transfer import quoted_printable_body

# Above this only the header of the original goes back.
MAX_RETURNED: Final = 50 * 1024
_GLOBAL: Final = {b"message/rfc822": b"message/global", b"text/rfc822-headers": b"message/global-headers"}
"""What each kind of return is called when its header is UTF-8 (RFC 6533 §4.2, §4.3)."""
_MAX_WORDS: Final = 4_000  # of what a remote server said


class Action(Enum):
    """What became of a recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What there is to say about one recipient (RFC 3464 §2.3).

    `final` is the address that was tried; `original` is ORCPT with its type,
    `rfc822;ada@example.org`, or empty. `remote_mta` is the name of the host
    that answered, `diagnostic` its words; `reason` is a plain sentence for when
    nobody answered, and stands in the human part.
    """

    final: str
    action: Action
    status: str
    original: str = ""
    remote_mta: str = ""
    diagnostic: str = ""
    reason: str = ""
    last_attempt: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One notification: about whose message, from which host, about which recipients.

    `token` is random and makes the Message-ID and the boundary unique.
    """

    reporting_mta: str
    to: str
    recipients: Sequence[RecipientReport]
    now: datetime
    token: str
    from_address: str = ""
    envelope_id: str = ""
    queue_id: str = ""
    arrival: datetime | None = None
    deliver_by: datetime | None = None
    """When it was to be delivered, where its sender has said so (RFC 2852)."""
    future_release: str = ""
    """`for;3600` or `until;…`, when the sender had it held (RFC 4865 §5); empty when not."""
    eight_bit: bool = False
    """The way back is known to take SMTPUTF8: it is no way at all, the sender is here (RFC 6533 §4.5)."""


_SUBJECT: Final = {
    Action.FAILED: "Undelivered: ",
    Action.DELAYED: "Delayed: ",
    Action.DELIVERED: "Delivered: ",
    Action.RELAYED: "Delivered: ",
    Action.EXPANDED: "Delivered: ",
}
_SENTENCE: Final = {
    Action.FAILED: "Your message could not be delivered to",
    Action.DELAYED: "Your message has not been delivered yet to",
    Action.DELIVERED: "Your message was delivered to",
    Action.RELAYED: "Your message was handed on to another server for",
    Action.EXPANDED: "Your message was passed on to the members of",
}
# What the sender can do about it.
_ADVICE: Final = {
    Action.FAILED: "No further attempt will be made. Check the address, or reach the recipient another way.",
    Action.DELAYED: "You need not do anything: the server keeps trying and will tell you if it gives up.",
}


def build_dsn(report: Report, original: Octets, *, full: bool = True) -> bytes:
    """Write a notification about `original`, which goes back with it.

    Whole, if `full` (RET, RFC 3461 §4.3), something failed, and it is small;
    otherwise only its header.
    """
    block = HeaderBlock.parse(original)
    failed = any(recipient.action is Action.FAILED for recipient in report.recipients)
    human = _human_part(report, block)
    status = _status_part(report)
    returned = _returned_part(original, block, full=full and failed, eight_bit=report.eight_bit)
    boundary = choose_boundary(report.token, human, status, returned).encode()
    delimiter = b"--" + boundary
    eight_bit = not (human.isascii() and status.isascii() and returned.isascii())
    header = _header(report, block, boundary.decode(), eight_bit=eight_bit)
    parts = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in (human, status, returned))
    return header + b"\r\n" + parts + delimiter + b"--\r\n"


def _header(report: Report, original: HeaderBlock, boundary: str, *, eight_bit: bool) -> bytes:
    action = _gravest(report)
    subject = decode_header(original.first(b"subject") or b"")[:200] or "your message"
    answered = parse_message_ids(original.first(b"message-id") or b"")[:1]
    fields = [
        date_field(report.now),
        address_field(
            "From", [Person(report.from_address or f"postmaster@{report.reporting_mta}", "Mail Delivery")]
        ),
        address_field("To", [Person(report.to)]),
        text_field("Subject", _SUBJECT[action] + subject),
        message_id_field(report.token, report.reporting_mta),
    ]
    for name in ("In-Reply-To", "References"):
        fields += [field(name, f"<{message_id}>") for message_id in answered]
    fields += [
        field("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
        field("MIME-Version", "1.0"),
        field("Content-Type", f'multipart/report; report-type=delivery-status; boundary="{boundary}"'),
    ]
    if eight_bit:
        fields.append(field("Content-Transfer-Encoding", "8bit"))  # RFC 2045 §6.4: as its parts
    return b"".join(fields)


def _gravest(report: Report) -> Action:
    present = {recipient.action for recipient in report.recipients}
    return next((action for action in Action if action in present), Action.FAILED)


def _human_part(report: Report, original: HeaderBlock) -> bytes:
    lines = [f"This is the mail server {one_line(report.reporting_mta)}.", ""]
    for action in Action:
        concerned = [recipient for recipient in report.recipients if recipient.action is action]
        if not concerned:
            continue
        lines += [_SENTENCE[action] + ":", ""]
        for recipient in concerned:
            lines += _about(recipient)
        if action in _ADVICE:
            lines += [_ADVICE[action], ""]
    if report.arrival is not None:
        lines.append(f"The message came in on {format_date(report.arrival)}.")
    if report.queue_id:
        lines.append(f"If you ask your postmaster about it, give this number: {one_line(report.queue_id)}")
    while not lines[-1]:
        lines.pop()
    return text_body("".join(line + "\n" for line in lines))


def _about(recipient: RecipientReport) -> list[str]:
    lines = [f"  {one_line(recipient.final)}"]
    typed, _, asked = recipient.original.partition(";")
    if typed and asked and asked.lower() != recipient.final.lower():
        lines += _indented(f"(you wrote to {asked})")
    words = one_line(recipient.diagnostic)[:_MAX_WORDS]
    if words and recipient.remote_mta:
        lines += _indented(f"The server {recipient.remote_mta} said: {words}")
    elif words:
        lines += _indented(f"The answer was: {words}")
    if recipient.reason:
        lines += _indented(recipient.reason)
    if recipient.will_retry_until is not None:
        lines += _indented(f"The server will keep trying until {format_date(recipient.will_retry_until)}.")
    return [*lines, ""]


def _indented(sentence: str) -> list[str]:
    return wrap(one_line(sentence), 76, initial_indent="    ", subsequent_indent="    ")


def _status_part(report: Report) -> bytes:
    groups = [[_status_field("Reporting-MTA", "dns; " + report.reporting_mta)]]  # RFC 3464 §2.2
    if report.envelope_id:
        groups[0].insert(0, _status_field("Original-Envelope-Id", report.envelope_id))
    if report.arrival is not None:
        groups[0].append(_status_field("Arrival-Date", format_date(report.arrival)))
    if report.deliver_by is not None:
        groups[0].append(_status_field("Deliver-By-Date", format_date(report.deliver_by)))
    if report.future_release:
        groups[0].append(_status_field("Future-Release-Request", report.future_release))
    groups += [_recipient_fields(recipient) for recipient in report.recipients]
    body = b"\r\n".join(b"".join(group) for group in groups)
    return b"Content-Type: message/delivery-status\r\n\r\n" + body


def _recipient_fields(recipient: RecipientReport) -> list[bytes]:
    fields: list[bytes] = []
    if recipient.original:
        typed, mark, asked = recipient.original.partition(";")
        fields.append(
            _status_field("Original-Recipient", f"{typed}; {asked}" if mark else f"rfc822; {typed}")
        )
    fields.append(_status_field("Final-Recipient", _typed_address(recipient.final)))
    fields.append(_status_field("Action", recipient.action.value))
    fields.append(_status_field("Status", recipient.status))
    if recipient.remote_mta:
        fields.append(_status_field("Remote-MTA", "dns; " + _mta_name(recipient.remote_mta)))
    if recipient.diagnostic:
        fields.append(_status_field("Diagnostic-Code", "smtp; " + recipient.diagnostic[:_MAX_WORDS]))
    if recipient.last_attempt is not None:
        fields.append(_status_field("Last-Attempt-Date", format_date(recipient.last_attempt)))
    if recipient.will_retry_until is not None and recipient.action is Action.DELAYED:
        fields.append(_status_field("Will-Retry-Until", format_date(recipient.will_retry_until)))
    return fields


def _mta_name(host: str) -> str:
    """A host without a name is an address in brackets (RFC 3464 §2.2.2)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _status_field(name: str, value: str) -> bytes:
    """Write a field of a status; its characters are ASCII (RFC 3464 §2.1)."""
    return field(name, _embed(one_line(value)))


def _typed_address(address: str) -> str:
    return ("rfc822; " if address.isascii() else "utf-8; ") + address


def _embed(text: str) -> str:
    r"""Write what is not ASCII as \x{HEX} (RFC 6533 §3)."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in text)


def _returned_part(original: Octets, block: HeaderBlock, *, full: bool, eight_bit: bool) -> bytes:
    if full and len(original) <= MAX_RETURNED:
        kind, octets = b"message/rfc822", clean_lines(original[:])
    else:
        kind, octets = b"text/rfc822-headers", clean_lines(original[: min(block.body_start, MAX_HEADER)])
        octets = octets[:MAX_RETURNED]
    encoding = b"" if octets.isascii() else b"8bit"
    if _is_internationalized(octets[: block.body_start]):
        kind = _GLOBAL[kind]
        if not eight_bit:
            # The way back may not take such (RFC 6533 §4.5), so it travels in 7 bits.
            encoding = b"quoted-printable"
            octets = b"".join(quoted_printable_body(octets, 0, len(octets)))
    transfer = b"Content-Transfer-Encoding: %b\r\n" % encoding if encoding else b""
    return b"Content-Type: %b\r\n%b\r\n%b" % (kind, transfer, octets)


def _is_internationalized(header: bytes) -> bool:
    """Whether it is one that only SMTPUTF8 carries, and no mere rubbish (RFC 6532 §3.2)."""
    if header.isascii():
        return False
    try:
        header.decode()
    except UnicodeDecodeError:
        return False
    return True
