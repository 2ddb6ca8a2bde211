"""Times for people, in the time zone of this machine."""

import time
from datetime import UTC, datetime
from typing import Any

import click

from postroad.config.values import parse_duration


class Moment(click.ParamType[float]):
    """A time: `2026-03-01`, `2026-03-01 09:14`, or how long ago, `2 days`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not isinstance(value, str):
            return float(value)
        try:
            return datetime.fromisoformat(value.strip()).astimezone().timestamp()
        except ValueError:
            pass
        try:
            return time.time() - parse_duration(value)
        except ValueError:
            self.fail(
                f'"{value}" is not a time; write "2026-03-01", "2026-03-01 09:14", or how long ago: "2 days"',
                param,
                ctx,
            )


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
