"""Sizes and durations as people write them: "50 MiB", "1h30m", "5 days".

Used by the settings file and by the command line, so that both understand
the same words.
"""

import re
from typing import Final

_SIZE_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "k": 2**10,
    "m": 2**20,
    "g": 2**30,
    "t": 2**40,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_BINARY_UNITS: Final = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))

_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION_WORDS: Final = {
    "": "s",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "min": "m",
    "mins": "m",
    "minute": "m",
    "minutes": "m",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "week": "w",
    "weeks": "w",
}
_DURATION_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")
_DURATION_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


def parse_size(text: str) -> int:
    """Return octets: `50 MiB`, `2g`, `1.5 GB`, `4096`.

    Raises:
        ValueError: it is not a size; the message is for people.
    """
    match = _SIZE.fullmatch(text)
    unit = _SIZE_UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f'"{text}" is not a size; write it as "50 MiB", "2 GiB" or a number of octets')
    return int(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit


def format_size(octets: int) -> str:
    """Return a size that `parse_size` reads back exactly where the number is round."""
    for name, unit in _BINARY_UNITS:
        if octets >= unit and octets % unit == 0:
            return f"{octets // unit} {name}"
    return f"{octets}"


def about_size(octets: float) -> str:
    """Return a size for people, three figures or so: `1.2 GiB`."""
    for name, unit in _BINARY_UNITS:
        if octets >= unit:
            figure = octets / unit
            return f"{figure:.0f} {name}" if figure >= 100 else f"{figure:.1f} {name}"
    return f"{octets:.0f} B"


def parse_duration(text: str) -> float:
    """Return seconds: `5 days`, `90s`, `1h30m`, `45`.

    Raises:
        ValueError: it is not a duration; the message is for people.
    """
    total, at = 0.0, 0
    while match := _DURATION_PART.match(text, at):
        word = match[2].lower()
        unit = _SECONDS.get(_DURATION_WORDS.get(word, word))
        if unit is None:
            break
        total += float(match[1]) * unit
        at = match.end()
        if at == len(text):
            return total
    raise ValueError(f'"{text}" is not a duration; write it as "30 s", "5 min", "4 hours" or "5 days"')


def format_duration(seconds: float) -> str:
    """Return a duration that `parse_duration` reads back: `5 days`, `90 seconds`."""
    for name, unit in _DURATION_UNITS:
        if seconds >= unit and seconds % unit == 0:
            count = int(seconds // unit)
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return f"{seconds:g} s"


def about_duration(seconds: float, parts: int = 2) -> str:
    """Return a duration for people, its two largest units or only the largest: `3 h 20 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return _joined(parts, minutes, "min", int(seconds % 60), "s")
    hours = minutes // 60
    if hours < 48:
        return _joined(parts, hours, "h", minutes % 60, "min")
    return _joined(parts, hours // 24, "d", hours % 24, "h")


def _joined(parts: int, first: int, first_unit: str, second: int, second_unit: str) -> str:
    large = f"{first} {first_unit}"
    return f"{large} {second} {second_unit}" if second and parts > 1 else large
