"""Messages with headers in UTF-8, for clients that have not said UTF8 (RFC 6856 §2.1)."""

from collections.abc import Callable, Iterator

from postroad.message.part import Part
from postroad.message.surrogate import ascii_header
from postroad.store.messages import StoredMessage


class Surrogate:
    """Gives slices of a message whose headers are ASCII, those of its parts too; sizes stay."""

    __slots__ = ("_message", "_regions")

    def __init__(self, message: StoredMessage) -> None:
        self._message = message
        self._regions: list[tuple[int, int]] | None = None

    def of(self, data: bytes, at: int) -> bytes:
        """Return what stands for a slice that begins at octet `at`; text in bodies is left as it is."""
        if data.isascii():
            return data
        if self._regions is None:
            self._regions = list(_headers(self._message))
        pieces: list[bytes] = []
        done = 0
        for start, end in self._regions:
            first, last = max(start - at, done), min(end - at, len(data))
            if first < last:
                pieces += (data[done:first], ascii_header(data[first:last]))
                done = last
        return b"".join([*pieces, data[done:]]) if pieces else data


def said(message: StoredMessage, *, utf8: bool) -> Callable[[bytes, int], bytes]:
    """What the client can read of a slice: all of it in UTF-8 mode, headers in ASCII otherwise."""
    return _as_it_is if utf8 else Surrogate(message).of


def _as_it_is(data: bytes, at: int) -> bytes:
    return data


def _headers(message: StoredMessage) -> Iterator[tuple[int, int]]:
    """Where headers stand in a message, in their order."""
    place = message.section((), "HEADER")
    assert place is not None
    whole = message.parts()
    shift = place[1] - whole.body_start
    yield place
    waiting: list[Part] = [*reversed(whole.children)]
    while waiting:
        part = waiting.pop()
        yield part.header_start + shift, part.body_start + shift
        waiting += reversed(part.children)
