"""What daily reports to other domains have in common: when they go, in whose name, and how they look."""

import hashlib
from base64 import encodebytes
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from msgspec import Struct

from postroad.db.transaction import Reader
from postroad.delivery.own_mail import own_header
from postroad.message.compose import choose_boundary, field, text_body
from postroad.model.address import Address

FIRST_SECONDS: Final = 1800
"""After midnight (UTC) until reports are sent at the earliest: all workers have written their counts."""
SPREAD_SECONDS: Final = 12_600
"""Within so long after that they are sent, at a moment of this server's own (RFC 8460 §4.1)."""
AT_ONCE: Final = 200
"""Domains in one go."""


class Attached(Struct, frozen=True):
    """The report itself, and how a message carries it."""

    type: str
    """Its content type."""
    name: str
    """Of the file."""
    octets: bytes
    container: str = "mixed"
    """The multipart around it and the sentences for people, with parameters of its own."""


def is_time(seed: str, now: datetime) -> bool:
    """Whether this server's moment of the day is over: not everybody's, and the same after a restart."""
    return now - datetime.combine(now.date(), time(), UTC) >= _moment(seed, now.date())


def _moment(seed: str, day: date) -> timedelta:
    digest = hashlib.sha256(f"{seed} {day}".encode()).digest()
    return timedelta(seconds=FIRST_SECONDS + int.from_bytes(digest[:4]) % SPREAD_SECONDS)


def finished_days(
    reader: Reader, table: Literal["tls_result", "dmarc_result"], today: str
) -> list[tuple[str, str]]:
    """Domains and days before `today` of which there is something to report, as many as go at once.

    By chance: those whose DNS does not answer stay, and must not stand before the others for ever.
    """
    sql = f"SELECT DISTINCT domain, day FROM {table} WHERE day < ? ORDER BY random() LIMIT ?"  # noqa: S608 - named above
    rows = reader.rows(sql, today, AT_ONCE)
    return [(domain, day) for domain, day in rows]


def own_domain(reader: Reader) -> str | None:
    """The domain in whose name reports are written."""
    name: str | None = reader.value("SELECT name FROM domain ORDER BY id LIMIT 1")
    return name


def report_message(
    to: Address,
    attached: Attached,
    *,
    about: str,
    submitter: str,
    report_id: str,
    token: str,
    now: datetime,
    text: str,
    fields: Iterable[bytes] = (),
) -> bytes:
    """A report as a message (RFC 8460 §5.3, RFC 9990 §3.5); `text` is for people, `fields` are its own."""
    human = text_body(text)
    part = (
        field("Content-Type", attached.type)
        + b"Content-Transfer-Encoding: base64\r\n"
        + field("Content-Disposition", f'attachment; filename="{attached.name}"')
        + b"\r\n"
        + encodebytes(attached.octets).replace(b"\n", b"\r\n")
    )
    boundary = choose_boundary(token, human, part)
    subject = f"Report Domain: {about} Submitter: {submitter} Report-ID: <{report_id}>"
    header = own_header(to, subject, host=submitter, token=token, now=now, fields=fields)
    header += field("Content-Type", f'multipart/{attached.container}; boundary="{boundary}"')
    delimiter = b"--" + boundary.encode()
    bodies = b"".join(delimiter + b"\r\n" + one + b"\r\n" for one in (human, part))
    return header + b"\r\n" + bodies + delimiter + b"--\r\n"
