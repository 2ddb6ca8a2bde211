"""The active pack of one worker: appended to, synced once a group, never rewritten.

A pack belongs to the worker that holds the lock on it. Where it ends is not
read from the file but from the committed table `pack`: octets behind that
tail belong to a group that was never acknowledged, and are overwritten. (If
they were acknowledged after all, the index is an old one: see `store.behind`.)
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from postroad.db.transaction import Transaction
from postroad.model.octets import Body
from postroad.model.refusal import Unavailable
from postroad.store.blobs.group_line import Group, is_ahead, new_id
from postroad.store.blobs.record import blob_line, pack_line
from postroad.store.blobs.room import LITTLE, Room

PACK_SIZE: Final = 64 * 1024 * 1024
_VECTORS: Final = 512  # well below IOV_MAX
_SET_TAIL: Final = (
    "INSERT INTO pack (id, tail) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET tail = excluded.tail"
)
# Two statements cost less than one with RETURNING, for which SQLite makes a table in memory.
_LAST_GROUP: Final = "SELECT number, id FROM pack_group"
_THIS_GROUP: Final = "UPDATE pack_group SET number = ?, id = ?, after = ?"


def pack_path(folder: Path, pack_id: int) -> Path:
    """Where pack `pack_id` lies."""
    return folder / f"{pack_id:08d}.pack"


def pack_ids(folder: Path) -> list[int]:
    """The packs that exist, ascending."""
    return sorted(int(p.stem) for p in folder.glob("*.pack") if p.stem.isdigit())


class ActivePack:
    """Appends records; implements what `db.group.Packs` asks for."""

    def __init__(self, folder: Path, *, size: int = PACK_SIZE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._size = size
        self._fd = -1
        self._id = 0
        self._tx: Transaction | None = None
        self._room = Room(-1, 0)
        self._begun = 0  # where the pack ended when it was opened
        self._end = 0  # with what is waiting
        self._waiting: list[tuple[int, int, list[Any]]] = []  # (fd, offset, pieces)
        self._retired: dict[int, int] = {}  # descriptors of packs that are full, and their ids
        self._in_doubt: list[int] = []  # descriptors of packs whose last commit may stand after all
        self._group: Group | None = None  # what the transaction under way appends
        self._opened: dict[int, int] = {}  # packs opened in this group, and where they ended
        self._made: list[int] = []  # those of them that are new
        self._doubtful: set[int] = set()  # packs whose sync failed
        self._changed: dict[int, int] = {}  # pack id -> tail of this group
        self._needs_sync: set[int] = set()

    # -- within a transaction --------------------------------------------

    def begin(self, tx: Transaction) -> None:
        """Appending is now within `tx`; a pack is opened when something is appended."""
        self._tx = tx

    def blob(self, body: Body, digest: bytes, at: float) -> tuple[int, int]:
        """Append a message; give (pack, offset of its first octet)."""
        self._open()
        head = blob_line(body, digest, at)
        if self._end + len(head) + len(body) + 1 > self._size and self._end > 0:
            self._next_pack()
        offset = self._end + len(head)
        self._append([head, body, b"\n"], len(head) + len(body) + 1)
        self._needs_sync.add(self._fd)
        return self._id, offset

    def journal(self, line: bytes) -> None:
        """Append one line, or several, that need no sync of their own."""
        self._open()
        self._append([line], len(line))

    def mark(self) -> tuple[int, int, int, int, int]:
        """A point to return to when one piece of work is undone."""
        return self._fd, self._id, self._end, len(self._waiting), len(self._opened)

    def back_to(self, mark: tuple[int, int, int, int, int]) -> None:
        """Forget what was appended after `mark`, also where packs were begun meanwhile."""
        fd, pack_id, end, count, opened = mark
        del self._waiting[count:]
        if fd >= 0:
            self._changed[pack_id] = end
        for later in list(self._opened)[opened:]:
            self._changed[later] = self._opened[later]
        if self._fd >= 0:
            self._end = end if fd == self._fd else self._begun

    def tails(self, tx: Transaction) -> None:
        """Close the group, and name the new ends in the transaction that makes them true."""
        if self._waiting:
            self._close_group(tx)
        for pack_id, tail in self._changed.items():
            tx.run(_SET_TAIL, pack_id, tail)

    # -- when the group is made durable, perhaps in a thread ---------------

    def waiting(self) -> int:
        """How many octets the next `sync` writes."""
        return sum(len(piece) for _, _, pieces in self._waiting for piece in pieces)

    def sync(self) -> None:
        """Write what is waiting; sync it when it holds mail."""
        grows = self._fd in self._needs_sync
        is_little = self.waiting() <= LITTLE
        if grows and not is_little:
            self._room.allocate(self._end)
        for fd, offset, pieces in self._joined():
            _write_all(fd, offset, pieces)
        if grows and is_little:
            self._room.write_zeros(self._end)
        for fd in self._needs_sync:
            os.fdatasync(fd)

    def committed(self) -> None:
        """The transaction stands: what was appended is now part of the pack."""
        with suppress(OSError):  # both are a service to whoever looks for what the index does not know
            if self._group is not None:
                os.pwrite(self._fd, self._group.committed(), self._end)
            for fd, pack_id in self._retired.items():
                os.ftruncate(fd, self._changed[pack_id])  # what was allocated ahead
        self._made.clear()
        self._forget()
        while self._in_doubt:
            _close(self._in_doubt.pop())

    def abandoned(self, *, in_doubt: bool = False) -> None:
        """The transaction was undone, or a sync failed.

        After a failed sync the kernel may have dropped pages and called them
        clean, so this file is not believed again: the next group uses another
        one. Files that this group began are removed, or a full disk would
        gather an empty one for each attempt.

        `in_doubt` says that it was the commit that failed. Should we die now,
        the next start may find it in the log of the database whole, so what it
        names stays untouched and locked until another commit has replaced it.
        """
        self._doubtful.update(self._changed)
        if in_doubt:
            self._in_doubt += [*self._retired, *([self._fd] if self._fd >= 0 else [])]
            self._retired.clear()
            self._made.clear()
        elif self._fd >= 0:
            _close(self._fd)
        self._fd = -1
        self._forget()
        for pack_id in self._made:
            # A disk that takes no write may take no removal either; the transaction is undone all the same.
            with suppress(OSError):
                pack_path(self._folder, pack_id).unlink(missing_ok=True)
        self._doubtful.difference_update(self._made)  # a new file of that number is another file
        self._made.clear()

    def close(self) -> None:
        """Give the pack up; another worker may go on with it."""
        for fd in (self._fd, *self._in_doubt):
            if fd >= 0:
                os.close(fd)
        self._fd = -1
        self._in_doubt.clear()

    # -- inside -----------------------------------------------------------

    def _open(self) -> None:
        if self._fd < 0 and not (self._tx is not None and self._take_over(self._tx)):
            self._create()

    def _append(self, pieces: list[Any], length: int) -> None:
        self._waiting.append((self._fd, self._end, pieces))
        self._end += length
        self._changed[self._id] = self._end

    def _joined(self) -> Iterator[tuple[int, int, list[Any]]]:
        """The waiting pieces as few long runs."""
        run: list[Any] = []
        run_fd, run_at, behind = -1, 0, 0
        for fd, offset, pieces in self._waiting:
            if run and (fd != run_fd or offset != behind):
                yield run_fd, run_at, run
                run = []
            if not run:
                run_fd, run_at = fd, offset
            run.extend(pieces)
            behind = offset + sum(map(len, pieces))
        if run:
            yield run_fd, run_at, run

    def _forget(self) -> None:
        self._waiting.clear()
        self._changed.clear()
        self._opened.clear()
        self._needs_sync.clear()
        self._group = None
        for fd in self._retired:
            _close(fd)
        self._retired.clear()

    def _close_group(self, tx: Transaction) -> None:
        """Put the group's line behind its records, in each pack that got some."""
        number, before = tx.row(_LAST_GROUP) or ()
        self._group = group = Group(number + 1, new_id(), before)
        tx.run(_THIS_GROUP, group.number, group.id, group.after)
        line = group.closing()
        for fd in dict.fromkeys(fd for fd, _, _ in self._waiting):
            if fd == self._fd:
                self._append([line], len(line))
            else:
                pack_id = self._retired[fd]
                self._waiting.append((fd, self._changed[pack_id], [line]))
                self._changed[pack_id] += len(line)

    def _next_pack(self) -> None:
        self._retired[self._fd] = self._id
        self._changed[self._id] = self._end
        self._fd = -1
        self._create()

    def _take_over(self, tx: Transaction) -> bool:
        """Go on with a pack that no living worker holds and that has room."""
        rows = tx.rows(
            "SELECT id, tail FROM pack WHERE tail < ? ORDER BY id DESC LIMIT 16", self._size * 3 // 4
        )
        for pack_id, tail in rows:
            if pack_id in self._doubtful:
                continue
            try:
                fd = os.open(pack_path(self._folder, pack_id), os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            if not _lock(fd):
                os.close(fd)
                continue
            if os.fstat(fd).st_size < tail:
                os.close(fd)  # cut short by someone: `store check` names it, nothing is added to it
                continue
            if is_ahead(fd, tail, int(tx.value("SELECT number FROM pack_group"))):
                os.close(fd)
                raise Unavailable(f"the index is older than pack {pack_id}: a start of the server mends it")
            os.ftruncate(fd, tail)  # drop what was never acknowledged
            self._use(fd, pack_id, tail)
            return True
        return False

    def _create(self) -> None:
        # The write lock is held, so no other worker takes the same number.
        pack_id = max([0, *pack_ids(self._folder)]) + 1
        fd = os.open(
            pack_path(self._folder, pack_id), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        _lock(fd)
        first = pack_line(pack_id)
        try:
            _write_all(fd, 0, [first])
            sync_folder(self._folder)
        except OSError:
            os.close(fd)
            with suppress(OSError):
                pack_path(self._folder, pack_id).unlink()
            raise
        self._made.append(pack_id)
        self._use(fd, pack_id, len(first))

    def _use(self, fd: int, pack_id: int, tail: int) -> None:
        self._room = Room(fd, tail)
        self._opened[pack_id] = tail
        self._fd, self._id, self._begun, self._end = fd, pack_id, tail, tail


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close(fd: int) -> None:
    """Give a descriptor back, whose sync alone says what is on the disk; that is so also where this fails."""
    with suppress(OSError):  # close(2): it is gone all the same, and a second time it may be another's
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Make durable which names a folder holds."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_all(fd: int, offset: int, pieces: list[Any]) -> None:
    for start in range(0, len(pieces), _VECTORS):
        vectors = [memoryview(piece) for piece in pieces[start : start + _VECTORS]]
        try:
            while vectors:
                written = os.pwritev(fd, vectors, offset)
                if written == 0:
                    raise OSError(errno.EIO, "a pack took no octets")
                offset += written
                while vectors and written >= len(vectors[0]):
                    written -= len(vectors[0])
                    vectors.pop(0).release()
                if written:
                    vectors[0] = vectors[0][written:]
        finally:
            for view in vectors:
                view.release()
