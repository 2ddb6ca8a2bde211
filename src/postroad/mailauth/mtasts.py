"""MTA-STS: the record, the policy and whom it names (RFC 8461)."""

import re
from enum import Enum
from typing import Final

from msgspec import Struct

POLICY_OCTETS: Final = 64 * 1024
"""RFC 8461 §3.3: a size that no policy needs to exceed."""
MAX_AGE_MOST: Final = 31_557_600
"""Seconds (RFC 8461 §3.2)."""
PATTERNS: Final = 100
"""MX patterns of one policy; a longer one is none."""

_VERSION: Final = re.compile(rb"v=STSv1[ \t]*;")
_ID: Final = re.compile(rb"[A-Za-z0-9]{1,32}")
_NAME: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_VALUE: Final = re.compile(rb"[!-:<>-~]+")  # printable but ";" and "="
_AGE: Final = re.compile(r"[0-9]{1,10}")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PATTERN: Final = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")


class Mode(Enum):
    """What a domain wants to happen when its servers cannot be authenticated (RFC 8461 §5)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


class Policy(Struct, frozen=True):
    """One policy as it was fetched."""

    mode: Mode
    max_age: int
    """Seconds."""
    mx: tuple[str, ...]
    """Patterns in lower case: a name, or `*.` and a name."""

    def covers(self, host: str) -> bool:
        """Whether an MX host is one of those named (RFC 8461 §4.1); a wildcard stands for one label."""
        name = host.lower().rstrip(".")
        parent = name.partition(".")[2]
        return any(
            pattern[2:] == parent if pattern.startswith("*.") else pattern == name for pattern in self.mx
        )

    def lines(self) -> list[str]:
        """The policy as reports quote it (RFC 8460 §4.4 policy-string)."""
        return [
            "version: STSv1",
            f"mode: {self.mode.value}",
            *(f"mx: {pattern}" for pattern in self.mx),
            f"max_age: {self.max_age}",
        ]


class BadPolicy(Exception):
    """What was fetched is no policy; the text says why."""


def policy_id(records: tuple[bytes, ...]) -> str | None:
    """The id in the TXT records of `_mta-sts`, None when there is no valid record (RFC 8461 §3.1).

    Exactly one record may begin with the version; others are somebody else's.
    """
    ours = [record for record in records if _VERSION.match(record)]
    if len(ours) != 1:
        return None
    found: str | None = None
    fields = [field.strip(b" \t") for field in ours[0].split(b";")]
    if not fields[-1]:
        fields.pop()  # the delimiter at the end is optional
    for field in fields[1:]:
        name, equals, value = (part.strip(b" \t") for part in field.partition(b"="))
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return None
        if name == b"id" and found is None:
            if not _ID.fullmatch(value):
                return None
            found = value.decode()
    return found


def parse_policy(octets: bytes) -> Policy:
    """Read a policy file (RFC 8461 §3.2); fields that nobody knows are passed over.

    Raises:
        BadPolicy: it is none.
    """
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise BadPolicy("it is not UTF-8") from None
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.split("\n"):
        name, colon, value = line.removesuffix("\r").partition(":")
        if not line.strip():
            continue
        if not colon:
            raise BadPolicy("a line without a colon")
        value = value.strip(" \t")
        if name == "mx":
            patterns.append(value.lower())
        else:
            fields.setdefault(name, value)  # §3.2: of what is there twice the first counts
    return _policy(fields, patterns)


def _policy(fields: dict[str, str], patterns: list[str]) -> Policy:
    if fields.get("version") != "STSv1":
        raise BadPolicy("its version is not STSv1")
    try:
        mode = Mode(fields.get("mode"))
    except ValueError:
        raise BadPolicy("its mode is none of enforce, testing, none") from None
    age = fields.get("max_age", "")
    if not _AGE.fullmatch(age) or int(age) > MAX_AGE_MOST:
        raise BadPolicy("its max_age is no number of seconds up to a year")
    if len(patterns) > PATTERNS:
        raise BadPolicy(f"it names more than {PATTERNS} hosts")
    for pattern in patterns:
        if len(pattern) > 255 or not _PATTERN.fullmatch(pattern):
            raise BadPolicy("an mx is neither a name nor *. and a name")
    if not patterns and mode is not Mode.NONE:
        raise BadPolicy("it names no mx")
    return Policy(mode, int(age), tuple(dict.fromkeys(patterns)))
