"""One structured line for each thing that is over; ids first, never a secret."""

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Final, TextIO

import structlog

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_PLAIN: Final = re.compile(r"[!#-<>-~]*")  # what stands for itself

log: Final = structlog.get_logger("postroad")


class _Lines:
    """A stream whose troubles are not ours: mail goes on when the disk of the log is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # a ValueError says that it is closed
            pass

    debug = info = warning = error = msg


def _completed(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say how bad it is, when it was (UTC, to the microsecond), and where an exception came from."""
    event["level"] = method
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    event["timestamp"] = f"{_second(seconds)}.{nanoseconds // 1000:06d}Z"
    return structlog.processors.format_exc_info(logger, method, event) if "exc_info" in event else event


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _as_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """One line of key=value (logfmt); a flag that is set is its name alone."""
    words = [
        f"timestamp={event.pop('timestamp')} level={event.pop('level')} event={_word(event.pop('event'))}"
    ]
    for key, value in event.items():
        kind = type(value)
        if kind is int or (kind is str and _PLAIN.fullmatch(value)):
            words.append(f"{key}={value}")
        else:
            words.append(key if value is True else f"{key}={_word(value)}")
    return " ".join(words)


def _word(value: Any) -> str:
    """A value, quoted where it has to be; what a terminal would obey, or a reader as a line end, escaped."""
    if value is None:
        return ""
    if value is False:
        return "false"
    text = str(value)
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    if " " in text or "=" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    return text


def _escaped(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def configure(level: str = "info", form: str = "text") -> None:
    """Set up logging to standard error.

    `form` is `text` (key=value, for people and journald) or `json`. Values are
    escaped, so a hostile name stays on its one line and moves nobody's cursor.
    """
    # structlog's own LogfmtRenderer takes twice as long, and does not escape what a terminal obeys.
    render: Any = structlog.processors.JSONRenderer() if form == "json" else _as_text
    lines = _Lines(sys.stderr)
    structlog.configure(
        processors=[_completed, render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, logging.INFO)),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
