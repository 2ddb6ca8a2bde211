"""What all commands have (RFC 3501 §2.2.1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """What all commands have: the tag, checked, for `tagged`."""

    tag: bytes
