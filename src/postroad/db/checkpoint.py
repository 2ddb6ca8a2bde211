"""Bringing the log back into the database, beside the commits and not within one.

Left to itself SQLite does it in the commit that finds the log long, while
everybody waits for the writers' lock. Here a thread of its own does nearly all
of it and holds up nobody; the next commit brings in what was added meanwhile.
After that the log begins anew instead of growing.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from postroad.db.aside import Aside
from postroad.db.connect import CHECKPOINT_PAGES, connect
from postroad.db.log_mover import LogMover
from postroad.obs.log import log

_NOOP: Final = apsw.SQLITE_CHECKPOINT_NOOP
_ROUNDS: Final = 4
_LITTLE: Final = 200  # pages that a commit may be held up for


class Checkpoints:
    """Watches the log for one worker's writer."""

    def __init__(self, data: Path, writer: apsw.Connection) -> None:
        self._data = data
        self._writer = writer
        self._mover = LogMover(data)
        self._thread = Aside("checkpoint")
        self._begin_at = CHECKPOINT_PAGES
        self._under_way = False
        self.has_rest = False
        """Whether the next commit has pages to bring in, and with them a sync of the whole database."""

    def look(self) -> None:
        """On the loop, when a group is done: begin when the log is long."""
        if self._under_way:
            return
        try:
            pages, _ = self._writer.wal_checkpoint(mode=_NOOP)
        except apsw.BusyError:
            return  # another worker writes its commit into the log just now; there will be another look
        if pages < self._begin_at:
            if pages < CHECKPOINT_PAGES:
                self._begin_at = CHECKPOINT_PAGES
            return
        # A reader that takes its time can keep the log from beginning anew; no use in trying each time.
        self._begin_at = pages + CHECKPOINT_PAGES
        self._under_way = True
        self.has_rest = False  # this one sees to it: two at a time would share one lock
        self._thread.run(self._most, self._done)

    def finish(self) -> None:
        """Behind a commit, with the writers' lock held: bring in what a checkpoint has left."""
        if self.has_rest:
            self.has_rest = False
            with suppress(apsw.Error):  # the commit stands; the log is only a little longer
                self._mover.move(self._writer)

    def close(self) -> None:
        """Let one that is under way come to its end."""
        self._thread.stop()
        self._mover.close()

    def _most(self) -> None:
        connection = connect(self._data, writable=True)
        try:
            for _ in range(_ROUNDS):
                self._mover.move(connection)
                pages, done = connection.wal_checkpoint(mode=_NOOP)
                if pages - done < _LITTLE:
                    break
        finally:
            connection.close()

    def _done(self, error: BaseException | None) -> None:
        self._under_way = False
        self.has_rest = error is None
        if error is not None and not isinstance(error, apsw.BusyError):  # busy: another worker is at it
            log.error("store.checkpoint_failed", error=repr(error))
