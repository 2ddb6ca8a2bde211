"""Bounds on the command line: a size, a number, or `none`; time spans."""

from collections.abc import Callable
from typing import Any, Final

import click

from postroad.config.values import about_size, parse_duration, parse_size


class _Bound(click.ParamType[int | None]):
    """A number, a size, or `none` for no bound."""

    name = "bound"

    def __init__(self, *, size: bool) -> None:
        self._size = size

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # click converts defaults again
        if value.lower() == "none":
            return None
        try:
            bound = parse_size(value) if self._size else int(value)
        except ValueError as error:
            self.fail(str(error) if self._size else f'"{value}" is not a number of messages', param, ctx)
        if bound < 1:
            self.fail('must be 1 or more; "none" is no bound', param, ctx)
        return bound


class _Duration(click.ParamType[float]):
    """A time span such as `90 days`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds <= 0:
            self.fail("must be more than nothing", param, ctx)
        return seconds


DURATION: Final = _Duration()
SIZE: Final = _Bound(size=True)
COUNT: Final = _Bound(size=False)


def of_bound(used: str, bound: int | None, form: Callable[[int], str]) -> str:
    """Say how much of what may be there is."""
    return used if bound is None else f"{used} of {form(bound)}"


def held(
    bytes_used: int, bytes_bound: int | None, messages_used: int, messages_bound: int | None
) -> list[tuple[str, str]]:
    """What is held of what may be, as facts to print."""
    return [
        ("used", of_bound(about_size(bytes_used), bytes_bound, about_size)),
        ("messages", of_bound(str(messages_used), messages_bound, str)),
    ]


def was_given(ctx: click.Context, name: str) -> bool:
    """Whether somebody has written it: `none` and nothing at all are different things."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
