"""An annotation of a message: an entry, and what one user or everybody has noted under it (RFC 5257 §3)."""

from typing import NamedTuple


class Annotation(NamedTuple):
    """One value that is set, or removed."""

    entry: str
    """`/comment`, `/1.2/flags/seen`; compared with case."""
    private: bool
    """`value.priv`, which its user alone sees; otherwise `value.shared`."""
    value: bytes | None
    """None, written NIL, removes it."""


def part_of(entry: str) -> tuple[int, ...]:
    """Return the number of the part that an entry is about; that of the whole message is empty (§3.2.1)."""
    first = entry[1:].partition("/")[0]
    return tuple(map(int, first.split("."))) if first[:1].isdigit() else ()
