"""A piece of work as a message that an SMTP client hands over."""

from collections.abc import Callable
from typing import Final

from postroad.model.envelope import Recipient, Wish
from postroad.queue.item import Work
from postroad.smtp.exchange import Converter, Outgoing, Source

_HEADER: Final = 256 * 1024


def outgoing(
    work: Work,
    source: Source,
    still_ours: Callable[[], bool],
    converter: Converter | None,
    now: Callable[[], float],
) -> Outgoing:
    """What a client is to hand over."""
    item = work.item
    return Outgoing(
        sender=item.reverse_path or item.sender,
        recipients=[Recipient(r.address, r.notify, r.original) for r in work.recipients],
        source=source,
        ret=item.ret,
        envid=item.envid,
        body=item.body,
        # What was declared as internationalized and is not goes to every server (RFC 6531 §3.2).
        smtputf8=item.smtputf8 and _has_utf8_header(source),
        priority=item.priority,
        deliver_by=item.deliver_by,
        now=now,
        require_tls=item.tls == Wish.REQUIRED.value,
        converter=converter,
        cautious=any(recipient.attempts for recipient in work.recipients),
        still_ours=still_ours,
    )


def _has_utf8_header(source: Source) -> bool:
    head = source.read(0, min(source.size, _HEADER))
    end = head.find(b"\r\n\r\n")
    return not (head if end < 0 else head[:end]).isascii()
