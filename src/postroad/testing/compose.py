"""A small message, for tests that do not care what it looks like."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from postroad.message.compose import (
    Person,
    address_field,
    date_field,
    message_id_field,
    text_body,
    text_field,
)


def compose(sender: str, recipients: Sequence[str], subject: str, text: str, now: float) -> bytes:
    """Return a whole message."""
    return b"".join(
        (
            date_field(datetime.fromtimestamp(int(now), UTC)),
            address_field("From", [Person(sender or "mailer-daemon@elsewhere.test")]),
            address_field("To", [Person(recipient) for recipient in recipients]),
            text_field("Subject", subject),
            message_id_field(secrets.token_hex(8), "elsewhere.test"),
            b"MIME-Version: 1.0\r\n",
            text_body(text),
        )
    )
