"""Dates of header fields and of IMAP."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from postroad.message.date import (
    format_date,
    format_internaldate,
    parse_date,
    parse_internaldate,
    seconds_of_date,
)


def at(*fields: int, minutes: int = 0) -> datetime:
    year, month, day, *time = fields
    hour, minute, second = (*time, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Tue, 1 Jul 2003 10:52:37 +0200", at(2003, 7, 1, 10, 52, 37, minutes=120)),
        (b"1 Jul 2003 10:52 -0330", at(2003, 7, 1, 10, 52, minutes=-210)),
        (b"Fri, 21 Nov 97 09:55:06 EST", at(1997, 11, 21, 9, 55, 6, minutes=-300)),
        (b"Fri, 21 Nov 49 09:55:06 Z", at(2049, 11, 21, 9, 55, 6)),
        (b"Fri, 21 Nov 103 09:55:06 GMT", at(2003, 11, 21, 9, 55, 6)),
        (
            b"Tue, 1 Jul 2003 10:52:37 +0200 (Central (European) Summer)",
            at(2003, 7, 1, 10, 52, 37, minutes=120),
        ),
        (b"Tue(day), 1 (st) Jul 2003 10 : 52 : 37 +0000", at(2003, 7, 1, 10, 52, 37)),
        (b"Tuesday, 01 July 2003 10:52:60 GMT", at(2003, 7, 1, 10, 52, 59)),
        (b"Tue Jul  1 10:52:37 2003", at(2003, 7, 1, 10, 52, 37)),
        (b"Tue Jul  1 10:52:37 PDT 2003", at(2003, 7, 1, 10, 52, 37, minutes=-420)),
        (b"Tue, 1-Jul-2003 10:52:37 GMT", at(2003, 7, 1, 10, 52, 37)),
        (b"2003-07-01T10:52:37+02:00", at(2003, 7, 1, 10, 52, 37, minutes=120)),
        (b"2003-07-01 10:52:37", at(2003, 7, 1, 10, 52, 37)),
        (b"Tue, 1 Jul 2003 10:52:37 GMT+0200", at(2003, 7, 1, 10, 52, 37, minutes=120)),
        (b"Tue, 1 Jul 2003 10:52:37 +9999", at(2003, 7, 1, 10, 52, 37)),
        (b"Tue, 1 Jul 2003 10:52:37 +02:00", at(2003, 7, 1, 10, 52, 37, minutes=120)),
        (b"Tue, 1 Jul 2003 10:52:37 UTC-3:30", at(2003, 7, 1, 10, 52, 37, minutes=-210)),
        (b"Tue, 1 Jul 2003 9:52:37 PM +0200", at(2003, 7, 1, 21, 52, 37, minutes=120)),
        (b"1 Jul 2003 12:05 a.m.", at(2003, 7, 1, 0, 5)),
        (b"1 Jul 2003 12:05 PM", at(2003, 7, 1, 12, 5)),
        (b"1 Jul 2003 21:05 PM", at(2003, 7, 1, 21, 5)),
        (b"1 Jul 2003 09:05 P", at(2003, 7, 1, 9, 5)),  # a military zone, and no half of the day
        (b"1 Jul 2003 09:05 AMST", at(2003, 7, 1, 9, 5)),
        (b"Tue Jul 01 2003 10:52:37 GMT+0200 (Sommerzeit)", at(2003, 7, 1, 10, 52, 37, minutes=120)),
        (b"July 1, 2003, 10:52 AM", at(2003, 7, 1, 10, 52)),
        (b"Tue, 2003-07-01 10:52:37 +0200", at(2003, 7, 1, 10, 52, 37, minutes=120)),
        (b"1 Jul 2003 25:00:00 GMT", at(2003, 7, 1, 0, 0)),  # RFC 5256 §2.2: a wrong time is midnight
        (b"1 Jul 2003 10:61 +0200", at(2003, 7, 1, 0, 0, minutes=120)),
    ],
)
def test_dates_are_read(value: bytes, moment: datetime) -> None:
    found = parse_date(value)
    assert found == moment
    assert found is not None
    assert found.utcoffset() == moment.utcoffset()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"today",
        b"32 Jul 2003 10:00:00 +0000",
        b"1 Foo 2003 10:00",
        b"2003-13-01",
        b"(",
    ],
)
def test_what_is_no_date_is_none(value: bytes) -> None:
    assert parse_date(value) is None


@pytest.mark.parametrize(
    "value",
    [
        b"Thu, 1 Feb 2024 03:04:05 +0000",
        b"01 Feb 2024 23:59:59 -0830",
        b"29 Feb 2024 00:00:00 +0545 (NPT)",
        b"29 Feb 2023 00:00:00 +0000",
        b"1 Feb 2024 23:59:60 +0100",
        b"1 Feb 2024 24:00:00 +0100",
        b"1 Feb 2024 23:60:00 +0100",
        b"1 Feb 2024 23:00:00 +9999",
        b"Fri, 31 Dec 9999 23:59:59 -2359",
        b"Mon, 1 Jan 0001 00:00:00 +1400",
        b"1 Jan 0000 00:00:00 +0000",
        b"1 Foo 2024 03:04:05 +0000",
        b"1 Feb 2024 03:04:05 GMT",
        b"no date",
    ],
)
def test_seconds_of_a_date_are_those_of_its_moment(value: bytes) -> None:
    moment = parse_date(value)
    assert seconds_of_date(value) == (None if moment is None else int(moment.timestamp()))


def test_a_date_is_written_as_the_standard_has_it() -> None:
    assert format_date(at(2003, 7, 1, 10, 52, 37, minutes=-210)) == "Tue, 1 Jul 2003 10:52:37 -0330"
    assert format_date(datetime(2003, 11, 21, 9, 5)) == "Fri, 21 Nov 2003 09:05:00 +0000"


def test_internaldate_has_a_padded_day_and_utc() -> None:
    assert format_internaldate(1_057_042_357) == b" 1-Jul-2003 06:52:37 +0000"
    assert format_internaldate(10**20) == b"31-Dec-9999 23:59:59 +0000"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b" 1-Jan-0001 00:00:00 +1400", b" 1-Jan-0001 00:00:00 +0000"),
        (b"31-Dec-9999 23:59:59 -1200", b"31-Dec-9999 23:59:59 +0000"),
    ],
)
def test_a_zone_leads_out_of_no_year(value: bytes, shown: bytes) -> None:
    seconds = parse_internaldate(value)
    assert seconds is not None
    assert format_internaldate(seconds) == shown


@pytest.mark.parametrize("value", [b" 1-Jul-2003 10:52:37 +0400", b"01-jul-2003 02:52:37 -0400"])
def test_internaldate_is_read_in_any_zone(value: bytes) -> None:
    assert parse_internaldate(value) == int(datetime(2003, 7, 1, 6, 52, 37, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "value", [b"", b"1-Jul-2003", b" 1-Foo-2003 10:52:37 +0400", b"31-Feb-2003 10:52:37 +0400"]
)
def test_what_is_no_internaldate_is_none(value: bytes) -> None:
    assert parse_internaldate(value) is None
