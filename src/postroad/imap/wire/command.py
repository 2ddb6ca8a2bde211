"""What all commands have (RFC 3501 §2.2.1)."""

from msgspec import Struct


class Command(Struct, frozen=True):
    """What all commands have: the tag, checked, for `tagged`."""

    tag: bytes
