"""A copy of the index as of one moment, taken while others write."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from postroad.db.connect import connect
from postroad.db.copies import copy_pages
from postroad.db.transaction import Reader


def take_snapshot(data: Path, path: Path, progress: Callable[[int, int], None]) -> None:
    """Copy the index of a data directory to `path`, all of it as of now.

    Writers are not held up: a reader of a WAL never is in their way. The log
    cannot be reused meanwhile, so it grows by what they write; that ends with
    the copying, and does not wait for what is then done with the copy.

    Raises:
        OSError: the copy cannot be written.
    """
    connection = connect(data, writable=False)
    try:
        # Within one read transaction; without it the copying would start anew at each commit of others.
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        copy_pages(connection, path, progress)
    except (apsw.FullError, apsw.IOError) as error:
        raise OSError(errno.EIO, f"a copy of the index cannot be written: {error}", str(path)) from error
    finally:
        connection.close()


@contextmanager
def read_snapshot(path: Path) -> Iterator[Reader]:
    """Ask a copy that nobody writes to; no file is made beside it."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=flags)
    try:
        yield Reader(connection)
    finally:
        connection.close()
