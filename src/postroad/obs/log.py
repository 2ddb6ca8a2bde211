"""One structured line for each thing that is over; ids first, never a secret."""

import logging
import sys
import time
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache
from types import NoneType
from typing import Any, Final, TextIO, cast

import structlog

_PLAIN: Final = (int, float, NoneType)
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}

log: Final = structlog.get_logger("postroad")


class _Tolerant:
    """A stream whose troubles are not ours: mail goes on when the disk of the log is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a ValueError says that it is closed
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _stamped(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say when it was: UTC, to the microsecond."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    event["timestamp"] = f"{_second(seconds)}.{nanoseconds // 1000:06d}Z"
    return event


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _printable(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write what a terminal would obey, or a reader would take for a line end, as an escape."""
    for key, value in event.items():
        if not isinstance(value, _PLAIN):
            text = str(value)
            event[key] = text if text.isprintable() else "".join(map(_escaped, text))
    return event


def _escaped(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def configure(level: str = "info", form: str = "text") -> None:
    """Set up logging to standard error.

    `form` is `text` (key=value, for people and journald) or `json`. Values are
    escaped, so a hostile name stays on its one line and moves nobody's cursor.
    """
    renderers: list[Any] = (
        [structlog.processors.JSONRenderer()]
        if form == "json"
        else [_printable, structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamped,
            structlog.processors.format_exc_info,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Tolerant(sys.stderr))),
        cache_logger_on_first_use=True,
    )
