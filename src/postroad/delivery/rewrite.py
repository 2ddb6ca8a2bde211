"""A message with another beginning, copied in pieces that never are in memory together."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from postroad.model.octets import Octets
from postroad.store.store import Store

_PIECE: Final = 256 * 1024


@contextmanager
def rewritten(store: Store, head: bytes, body: Octets, start: int) -> Iterator[Octets]:
    """Give `body` with `head` in place of its first `start` octets."""
    with store.spool() as spool:
        spool.write(head)
        for at in range(start, len(body), _PIECE):
            spool.write(body[at : at + _PIECE])
        yield spool.finish()
