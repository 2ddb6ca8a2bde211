"""Times for people, in the time zone of this machine."""

from datetime import UTC, datetime


def date(at: float) -> str:
    """`2026-03-01`."""
    return _local(at).strftime("%Y-%m-%d")


def moment(at: float) -> str:
    """`2026-03-01 09:14:02`."""
    return _local(at).strftime("%Y-%m-%d %H:%M:%S")


def clock_time(at: float) -> str:
    """`09:14:02`."""
    return _local(at).strftime("%H:%M:%S")


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()
