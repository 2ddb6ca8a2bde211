"""The store for tools: what the command line writes through."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postroad.db.offline import OfflineDatabase, open_database
from postroad.net.clock import SystemClock
from postroad.store.blobs.pack import ActivePack


@contextmanager
def open_offline(data: Path) -> Iterator[OfflineDatabase]:
    """Open the database and a pack of a data directory, beside a running server or without one.

    Raises:
        FileNotFoundError: there is no store in `data`.
        NewerSchema: the store belongs to a newer postroad.
    """
    packs = ActivePack(data / "packs")
    try:
        with open_database(data, packs, SystemClock()) as database:
            yield database
    finally:
        packs.close()
