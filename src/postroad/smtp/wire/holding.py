"""How long a message is to be held before it goes: HOLDFOR and HOLDUNTIL of MAIL FROM (RFC 4865)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from postroad.smtp.wire.replies import Reply

# RFC 4865 §4: future-release-integer has nine digits at most and does not begin with a zero.
_SECONDS: Final = re.compile(rb"[1-9][0-9]{0,8}")
# RFC 3339 §5.6: date-time, which is what erratum 2040 makes of the production that RFC 4865 left open.
_DATE_TIME: Final = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

TWICE: Final = Reply(501, "5.5.4", "HOLDFOR and HOLDUNTIL exclude each other")
# What cannot be granted is answered like what cannot be read: with 501.
TOO_LONG: Final = Reply(501, "5.5.4", "that is longer than messages are held here")


class HoldLimits(Struct, frozen=True):
    """What FUTURERELEASE offers."""

    seconds: int
    until: float
    """The latest time, in seconds since 1970."""

    @property
    def keyword(self) -> str:
        """The EHLO keyword with both parameters."""
        until = datetime.fromtimestamp(int(self.until), UTC)
        return f"FUTURERELEASE {self.seconds} {until:%Y-%m-%dT%H:%M:%SZ}"


class Hold(Struct, frozen=True):
    """What MAIL FROM asks for: one of both, the other is 0."""

    seconds: int
    until: float
    asked: str
    """`for;3600` or `until;2026-01-31T08:00:00Z`, as notices have it."""


def is_hold_for(value: bytes | None) -> bool:
    """Whether HOLDFOR may have this value."""
    return value is not None and _SECONDS.fullmatch(value) is not None


def is_hold_until(value: bytes | None) -> bool:
    """Whether HOLDUNTIL may have this value."""
    return value is not None and _moment(value) is not None


def parse_hold(params: Mapping[bytes, bytes | None], limits: HoldLimits) -> Hold | Reply | None:
    """Read parameters whose values are well-formed; None if no hold is asked for."""
    duration, date = params.get(b"HOLDFOR"), params.get(b"HOLDUNTIL")
    if duration is not None and date is not None:
        return TWICE
    if duration is not None:
        seconds = int(duration)
        return Hold(seconds, 0.0, f"for;{seconds}") if seconds <= limits.seconds else TOO_LONG
    moment = None if date is None else _moment(date)
    if date is None or moment is None:
        return None
    until = moment.timestamp()
    return Hold(0, until, f"until;{date.decode().upper()}") if until <= limits.until else TOO_LONG


def _moment(text: bytes) -> datetime | None:
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    day, time, zone = (part.decode() for part in found.groups())
    # RFC 3339 §5.7: a leap second, which no clock here has; the next second is as good.
    leap = time.endswith(":60")
    try:
        moment = datetime.fromisoformat(f"{day}T{time[:-2] + '59' if leap else time}{zone.upper()}")
        return datetime.fromtimestamp(moment.timestamp() + leap, UTC)
    except (ValueError, OverflowError):
        return None
