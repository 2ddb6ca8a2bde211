"""Dates as mail and IMAP write them (RFC 5322 §3.3 and §4.3, RFC 3501 §9)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from postroad.message.comment import strip_comments

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIRST: Final = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_LAST: Final = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH: Final = {name.lower().encode(): number for number, name in enumerate(_MONTHS, 1)}
# RFC 5322 §4.3; the single military letters carry no meaning and count as UTC.
_ZONES: Final = {
    b"ut": 0,
    b"gmt": 0,
    b"utc": 0,
    b"z": 0,
    b"wet": 0,
    b"bst": 60,
    b"cet": 60,
    b"met": 60,
    b"mez": 60,
    b"west": 60,
    b"cest": 120,
    b"eet": 120,
    b"msk": 180,
    b"eest": 180,
    b"jst": 540,
    b"kst": 540,
    b"hst": -600,
    b"akst": -540,
    b"akdt": -480,
    b"est": -300,
    b"edt": -240,
    b"cst": -360,
    b"cdt": -300,
    b"mst": -420,
    b"mdt": -360,
    b"pst": -480,
    b"pdt": -420,
}

# Hour, minute, second and perhaps the half of the day, as programs for people write it.
_CLOCK: Final = (
    rb"(\d{1,2})\s*+[:.]\s*+(\d{1,2})(?:\s*+[:.]\s*+(\d{1,2}))?(?:[.,]\d++)?"
    rb"(?:\s*+([AaPp])\.?[Mm]\b\.?)?"
)
# A name, or hours and minutes with a colon between them, too, and with what they are counted from in front.
_ZONE: Final = rb"((?:GMT|UTC?)?[+-]\d{1,2}:?\d\d|[A-Za-z]++)"
# [day-name ,] day month year [clock] [zone]
_DATE: Final = re.compile(
    rb"\s*+(?:[A-Za-z]++\.?\s*+,?\s*+)?"
    rb"(\d{1,2})[\s.,-]*+([A-Za-z]{3})[A-Za-z]*+[\s.,-]*+(\d{2,4})\s*+,?\s*+"
    rb"(?:%b)?\s*+%b?" % (_CLOCK, _ZONE)
)
# C's asctime, with or without a zone in front of or behind the year.
_ASCTIME: Final = re.compile(
    rb"\s*+(?:[A-Za-z]++\.?,?\s++)?([A-Za-z]{3})[A-Za-z]*+\s++(\d{1,2}),?\s++"
    rb"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?\s++(?:([A-Z]{1,5}|[+-]\d{4})\s++)?(\d{4})"
    rb"(?:\s++([A-Z]{1,5}|[+-]\d{4}))?"
)
# [day-name ,] month day [,] year [clock] [zone], which is how JavaScript writes a date.
_MONTH_FIRST: Final = re.compile(
    rb"\s*+(?:[A-Za-z]++\.?,?\s++)?([A-Za-z]{3})[A-Za-z]*+\.?\s++(\d{1,2}),?\s++(\d{4}),?\s*+"
    rb"(?:%b)?\s*+%b?" % (_CLOCK, _ZONE)
)
# As nearly all programs write it (RFC 5322 §3.3).
_USUAL: Final = re.compile(
    rb"(?:[A-Z][a-z]{2}, )?(\d{1,2} [A-Z][a-z]{2} \d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})(?: \([A-Z]+\))?"
)
_SIGN: Final = re.compile(rb"[+-]")
_REMEMBERED: Final = 64
_ISO: Final = re.compile(
    rb"\s*+(?:[A-Za-z]++,?\s++)?(\d{4})-(\d\d?)-(\d\d?)(?:[Tt\s]\s*+(\d\d?):(\d\d)(?::(\d\d))?(?:\.\d++)?)?\s*+"
    rb"([+-]\d\d:?\d\d|[A-Za-z]++)?"
)
_INTERNAL: Final = re.compile(
    rb"([ 0-3]?\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)",
)


def parse_date(value: bytes) -> datetime | None:
    """Read a Date value, obsolete and merely usual forms too; None if it is none.

    An unknown zone is UTC, for the instant is worth more than the refusal.
    """
    if b"(" in value:
        value = strip_comments(value)
    match = _DATE.match(value)
    if match is not None:
        day, month, year, hour, minute, second, half, zone = match.groups()
        number = _MONTH.get(month.lower())
        if number is not None:
            return _moment(year, number, day, hour, minute, second, zone, half)
    match = _ASCTIME.match(value)
    if match is not None:
        month, day, hour, minute, second, before, year, behind = match.groups()
        number = _MONTH.get(month.lower())
        if number is not None:
            return _moment(year, number, day, hour, minute, second, behind or before)
    match = _MONTH_FIRST.match(value)
    if match is not None:
        month, day, year, hour, minute, second, half, zone = match.groups()
        number = _MONTH.get(month.lower())
        if number is not None:
            return _moment(year, number, day, hour, minute, second, zone, half)
    match = _ISO.match(value)
    if match is not None:
        year, month, day, hour, minute, second, zone = match.groups()
        return _moment(year, int(month), day, hour, minute, second, zone)
    return None


def seconds_of_date(value: bytes) -> int | None:
    """Read a Date value as `parse_date` does, as seconds since 1970."""
    match = _USUAL.fullmatch(value)
    if match is not None:
        day, hour, minute, second, zone = match.groups()
        midnight = _midnight(day)
        if midnight is not None and hour < b"24" and minute < b"60" and second < b"60":
            return midnight + int(hour) * 3600 + int(minute) * 60 + int(second) - _seconds_east(zone)
    moment = parse_date(value)
    return int(moment.timestamp()) if moment is not None else None


@lru_cache(_REMEMBERED)
def _midnight(day: bytes) -> int | None:
    """When a day begins in UTC; mail comes on the day on which it is written."""
    moment = parse_date(day)
    return int(moment.timestamp()) if moment is not None else None


@lru_cache(_REMEMBERED)
def _seconds_east(zone: bytes) -> int:
    return int(_zone(zone).utcoffset(None).total_seconds())


def _moment(
    year: bytes,
    month: int,
    day: bytes,
    hour: bytes | None,
    minute: bytes | None,
    second: bytes | None,
    zone: bytes | None,
    half: bytes | None = None,
) -> datetime | None:
    full_year = int(year)
    if len(year) == 2:  # RFC 5322 §4.3
        full_year += 2000 if full_year < 50 else 1900
    elif len(year) == 3:
        full_year += 1900
    clock = int(hour or 0), int(minute or 0), int(second or 0)
    if clock[0] > 23 or clock[1] > 59 or clock[2] > 60:
        clock = 0, 0, 0  # RFC 5256 §2.2: the day is right all the same
    elif half and clock[0] == 12:
        clock = 12 if half in b"Pp" else 0, clock[1], clock[2]
    elif half and half in b"Pp" and clock[0] < 12:
        clock = clock[0] + 12, clock[1], clock[2]
    # A leap second is told as the one in front of it.
    hours, minutes, seconds = clock[0], clock[1], min(clock[2], 59)
    try:
        return datetime(full_year, month, int(day), hours, minutes, seconds, tzinfo=_zone(zone))
    except ValueError:
        return None


def _zone(zone: bytes | None) -> timezone:
    if not zone:
        return UTC
    sign = _SIGN.search(zone)
    if sign is not None:
        digits = zone[sign.end() :].replace(b":", b"")
        minutes = int(digits[:-2]) * 60 + int(digits[-2:])
        if minutes == 0 or minutes >= 24 * 60:
            return UTC
        return timezone(timedelta(minutes=-minutes if sign[0] == b"-" else minutes))
    minutes = _ZONES.get(zone.lower(), 0)
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def format_date(moment: datetime) -> str:
    """Write a date for a header field (RFC 5322 §3.3); a naive one counts as UTC."""
    offset = moment.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year:04} "
        f"{moment:%H:%M:%S} {sign}{hours:02}{minutes:02}"
    )


def format_internaldate(epoch_seconds: int) -> bytes:
    """Write an INTERNALDATE, without its quotes and always in UTC (RFC 3501 §9 date-time)."""
    moment = datetime.fromtimestamp(_writable(epoch_seconds), UTC)
    return b"%2d-%s-%04d %02d:%02d:%02d +0000" % (
        moment.day,
        _MONTHS[moment.month - 1].encode(),
        moment.year,
        moment.hour,
        moment.minute,
        moment.second,
    )


def parse_internaldate(value: bytes) -> int | None:
    """Read an IMAP date-time, without its quotes, as seconds since 1970; None if it is wrong.

    One that is before the year 1 or after 9999 only by its zone is the first or the last that can
    be written: RFC 9051 §6.3.12 wants the message, with the date if that can be.
    """
    match = _INTERNAL.fullmatch(value)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    number = _MONTH.get(month.lower())
    if number is None:
        return None
    try:
        moment = datetime(
            int(year), number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
        )
    except ValueError:
        return None
    offset = int(zone_hours) * 3600 + int(zone_minutes) * 60
    seconds = int(moment.timestamp())
    return _writable(seconds + offset if sign == b"-" else seconds - offset)


def _writable(epoch_seconds: int) -> int:
    """The next moment whose year has four digits."""
    return min(max(epoch_seconds, _FIRST), _LAST)
