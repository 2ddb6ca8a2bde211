"""Notices to senders: what could not be delivered, what is late, what arrived (RFC 3461, RFC 3464).

Every notice has the null sender, and none is ever written about a message
that has it, so notices cannot go round in circles (RFC 5321 §6.1).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from postroad.db.transaction import Transaction
from postroad.delivery.binary import BINARY
from postroad.delivery.expand import Confirmed
from postroad.delivery.own_mail import OwnMail, Sign, post_own, unsigned
from postroad.message.dsn import MAX_RETURNED, Action, RecipientReport, Report, build_dsn
from postroad.message.header import MAX_HEADER
from postroad.model.address import Address
from postroad.model.envelope import Envelope, Wish
from postroad.model.octets import Octets
from postroad.queue.item import Item, QueuedRecipient
from postroad.smtp.exchange import Source
from postroad.smtp.outcome import Outcome
from postroad.smtp.wire.params import decode_xtext
from postroad.store.prepare import Prepared, prepare_now
from postroad.trail.note import Note, text_id

_WORDS: Final = {
    Action.FAILED: "failed",
    Action.DELAYED: "delayed",
    Action.DELIVERED: "delivered",
    Action.RELAYED: "delivered",
    Action.EXPANDED: "delivered",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell about one recipient."""

    recipient: QueuedRecipient
    outcome: Outcome
    action: Action
    status: str
    reason: str = ""
    retry_until: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is ready to be sent."""

    to: Address
    action: Action
    recipients: tuple[str, ...]
    prepared: Prepared
    body: str
    """7BIT or 8BITMIME."""
    tls: Wish
    """As the message itself (RFC 8689 §5)."""
    priority: int = 0
    """As the message itself (RFC 6710 §4.6)."""


def wants(recipient: QueuedRecipient, condition: str) -> bool:
    """Whether the sender wants to hear of SUCCESS, FAILURE or DELAY (RFC 3461 §4.1).

    Who has not said anything is told of failures and delays.
    """
    if not recipient.notify:
        return condition != "SUCCESS"
    return condition in recipient.notify


def build(
    item: Item, told: Sequence[Told], original: Source, *, hostname: str, now: float, sign: Sign = unsigned
) -> Notice | None:
    """Write the notice about some recipients of one message; None if nobody is to be told."""
    if item.sender is None or not told:
        return None
    small = original.size <= MAX_RETURNED
    report = Report(
        reporting_mta=hostname,
        to=str(item.sender),
        recipients=[_report(one, now) for one in told],
        now=_time(now),
        token=secrets.token_hex(12),
        envelope_id=_plain(item.envid),
        queue_id=item.text_id,
        arrival=_time(item.created),
        future_release=item.release.asked if item.release is not None else "",
        deliver_by=None if item.deliver_by is None else _time(item.deliver_by.at),
        eight_bit=item.account_id is not None,
    )
    octets = original.read(0, original.size if small else MAX_HEADER)
    # RFC 8689 §5: what must not travel in clear is not returned.
    # RFC 3030 §3: what is not made of lines fits into no notice.
    full = small and item.ret != "HDRS" and item.tls != Wish.REQUIRED.value and item.body != BINARY
    dsn = sign(build_dsn(report, octets, full=full))
    return _ready(item.sender, told[0].action, report, dsn, Wish(item.tls), item.priority)


def receipt(
    envelope: Envelope,
    confirmed: Sequence[Confirmed],
    header: Octets,
    *,
    hostname: str,
    now: float,
    sign: Sign = unsigned,
) -> Notice | None:
    """Write what a sender asked to be told of mail that is delivered here, if anything (RFC 3461 §5.2.3)."""
    if envelope.sender is None or not confirmed:
        return None
    at = _time(now)
    report = Report(
        reporting_mta=hostname,
        to=str(envelope.sender),
        recipients=[
            RecipientReport(
                final=str(one.recipient.address),
                action=one.action,
                status="2.0.0",
                original=_original(one.recipient.original),
                last_attempt=at,
            )
            for one in confirmed
        ],
        now=at,
        token=secrets.token_hex(12),
        envelope_id=_plain(envelope.envid),
        arrival=at,
        future_release=envelope.release.asked if envelope.release is not None else "",
    )
    dsn = sign(build_dsn(report, header, full=False))
    return _ready(envelope.sender, confirmed[0].action, report, dsn, envelope.tls, envelope.priority or 0)


def _ready(to: Address, action: Action, report: Report, message: bytes, tls: Wish, priority: int) -> Notice:
    names = tuple([recipient.final for recipient in report.recipients])
    body = "7BIT" if message.isascii() else "8BITMIME"
    return Notice(to, action, names, prepare_now(message), body, tls, priority)


def post(tx: Transaction, notice: Notice) -> Note:
    """Send a notice on its way: into the INBOX of a sender who is here, into the queue for others.

    Gives the note for the trail of the message that it is about.

    Raises:
        OverQuota: the sender's mailbox is full.
    """
    mail = OwnMail(None, notice.to, notice.prepared, notice.body, notice.tls, notice.priority)
    trail_id = post_own(tx, mail)
    if trail_id is None:
        return _note(notice, problem="the sender's address is gone")
    return _note(notice, trail=text_id(trail_id))


def unposted(notice: Notice, problem: str) -> Note:
    """The note about a notice that could not be sent."""
    return _note(notice, problem=problem)


def _note(notice: Notice, **facts: str) -> Note:
    return Note(
        "notice",
        {
            "about": _WORDS[notice.action],
            "to": str(notice.to),
            "recipients": list(notice.recipients),
            **facts,
        },
    )


def _report(told: Told, now: float) -> RecipientReport:
    recipient, outcome = told.recipient, told.outcome
    return RecipientReport(
        final=str(recipient.address),
        action=told.action,
        status=told.status,
        original=_original(recipient.original),
        remote_mta=outcome.host if outcome.spoken else "",
        diagnostic=outcome.words if outcome.spoken else "",
        reason=told.reason,
        last_attempt=_time(now),
        will_retry_until=None if told.retry_until is None else _time(told.retry_until),
    )


def _original(orcpt: str) -> str:
    kind, mark, address = orcpt.partition(";")
    return f"{kind};{_plain(address)}" if mark else ""


def _plain(xtext: str) -> str:
    octets = decode_xtext(xtext.encode())
    return xtext if octets is None else octets.decode(errors="replace")


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
