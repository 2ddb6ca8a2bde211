"""One stored message: its trace prefix, its blob, and sections of both as one text."""

import mmap
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from postroad.db.transaction import Reader, Row, Transaction
from postroad.message.header import MAX_HEADER
from postroad.message.part import Part, unpack_tree
from postroad.message.section import locate
from postroad.model.octets import Octets
from postroad.store.blobs.proof import Proof, is_as_filed
from postroad.store.blobs.reader import PackReader
from postroad.store.blobs.record import BLOB_LINE
from postroad.store.errors import Damaged, NoSuchMessage

Column: TypeAlias = tuple[Any, ...]
PLACE: Final = (
    "SELECT m.prefix, m.tree, b.pack, b.offset, b.length, b.digest FROM message m"
    " JOIN blob b ON b.id = m.blob_id WHERE m.account_id = ? AND m.id = ?"
)
"""What a `StoredMessage` is made of, by account and key."""
_RUN: Final = (
    "SELECT e.uid, m.prefix, m.tree, b.pack, b.offset, b.length, b.digest FROM entry e"
    " JOIN message m ON m.account_id = e.account_id AND m.id = e.message_id JOIN blob b ON b.id = m.blob_id"
    " WHERE e.account_id = ? AND e.mailbox_id = ? AND e.uid BETWEEN ? AND ?"
)
_PLACES: Final = PLACE.replace("SELECT ", "SELECT m.id, ").removesuffix(" = ?")
_WIDE: Final = frozenset(
    {"envelope", "body", "bodystructure", "subject", "sent", "msgid", "ancestors", "preview", "thread_id"}
)
_BATCH: Final = 500  # bound parameters in one IN list
_MAPPED: Final = 256 * 1024
_PROVED_WHOLE: Final = 64 * 1024
"""Octets up to which all of a message is looked at also when only a part of it is asked for."""


class StoredMessage:
    """A message as it is served: the recipient's own trace lines, then the shared bytes.

    Offsets in the tree count from the start of the shared bytes; those that
    `section` gives and `read` takes count from the start of the whole.
    """

    __slots__ = (
        *("_added", "_digest", "_length", "_offset", "_pack", "_packs", "_prefix", "_proof", "_tree"),
        *("size", "tree"),
    )

    def __init__(
        self,
        packs: PackReader,
        prefix: bytes,
        tree: bytes,
        pack: int,
        offset: int,
        length: int,
        digest: bytes,
    ) -> None:
        self._packs = packs
        self._prefix = prefix
        self._pack = pack
        self._offset = offset
        self._length = length
        self._digest = digest
        self._tree: Part | None = None
        self._proof: Proof | None = None
        self._added = 0
        self.tree = tree
        self.size = len(prefix) + length

    @property
    def place(self) -> tuple[int, int, int]:
        """The pack that the shared bytes are in, where they begin, and how many they are."""
        return self._pack, self._offset, self._length

    def parts(self) -> Part:
        """The part tree, unpacked once."""
        if self._tree is None:
            self._tree = unpack_tree(self.tree)
        return self._tree

    def section(
        self, path: tuple[int, ...], text: Literal["", "HEADER", "TEXT", "MIME"]
    ) -> tuple[int, int] | None:
        """Where a section begins and ends (RFC 3501 §6.4.5); None when there is none."""
        if not path and text == "":
            return 0, self.size
        place = locate(self.parts(), path, text)
        if place is None:
            return None
        start, end = place
        shift = len(self._prefix)
        # Only the top-level header begins where the prefix belongs.
        return (0 if not path and text == "HEADER" else start + shift), end + shift

    def read(self, start: int, end: int) -> bytes:
        """The octets from `start` to `end` (cut at the size).

        The whole of a message is never given when it does not match its digest:
        the last piece is held back, of one that is read from the first octet on.

        Raises:
            Damaged: the pack does not hold them any more.
        """
        end = min(end, self.size)
        if start >= end:
            return b""
        shift = len(self._prefix)
        if end <= shift:
            return self._prefix[start:end]
        inside = max(0, start - shift)
        body = self._believed(inside, end - shift)
        return self._prefix[start:] + body if start < shift else body

    def whole(self) -> bytes:
        """All its octets; ask only for a small one.

        Raises:
            Damaged: as `read`.
        """
        body = self._believed(0, self._length)
        return self._prefix + body if self._prefix else body

    def _believed(self, start: int, end: int) -> bytes:
        packs, pack, offset = self._packs, self._pack, self._offset
        if packs.proved(pack, offset):
            return packs.read(pack, offset + start, end - start)
        before = min(BLOB_LINE, offset)
        if self._length <= _PROVED_WHOLE:
            octets = packs.read(pack, offset - before, before + self._length)
            whole = octets[before:]
            self._conclude(is_as_filed(whole, self._digest, octets[:before]))
            return whole[start:end]
        octets = packs.read(pack, offset + start, end - start)
        if start == 0:
            self._proof, self._added = Proof(packs.read(pack, offset - before, before), self._digest), 0
        proof = self._proof
        if proof is not None and start == self._added:
            proof.add(octets)
            self._added = end
            if end == self._length:
                self._conclude(proof.holds() or (proof.by_crc and self.intact()))
        return octets

    def _conclude(self, as_filed: bool) -> None:
        if not as_filed:
            raise Damaged(f"pack {self._pack}: the message at octet {self._offset} does not match its digest")
        self._packs.prove(self._pack, self._offset)

    def header(self) -> bytes:
        """The top-level header with its empty line, as far as any header is looked at."""
        place = self.section((), "HEADER")
        assert place is not None
        start, end = place
        return self.read(start, min(end, start + MAX_HEADER))

    def shared(self) -> Octets:
        """The bytes that the tree's offsets count in: without the prefix, mapped when large."""
        if self._length <= _MAPPED:
            return self._packs.read(self._pack, self._offset, self._length)
        # A map has to begin on a page; an anonymous copy of the rest would cost the same as reading it.
        region = mmap.mmap(-1, self._length)
        for at in range(0, self._length, _MAPPED):
            region.write(self._packs.read(self._pack, self._offset + at, min(_MAPPED, self._length - at)))
        return region

    def intact(self) -> bool:
        """Whether the stored bytes still have the digest they were filed with."""
        return self._packs.digest(self._pack, self._offset, self._length) == self._digest


def open_message(reader: Reader, packs: PackReader, account_id: int, message_id: int) -> StoredMessage:
    """Find a message by its key.

    Raises:
        NoSuchMessage: it was expunged.
    """
    row = reader.row(PLACE, account_id, message_id)
    if row is None:
        raise NoSuchMessage(str(message_id))
    return StoredMessage(packs, *row)


def open_messages(
    reader: Reader, packs: PackReader, account_id: int, message_ids: Sequence[int]
) -> dict[int, StoredMessage]:
    """Find those of several messages that are still there."""
    rows = _rows_of(reader, _PLACES, account_id, message_ids)
    return {row[0]: StoredMessage(packs, *row[1:]) for row in rows}


def open_run(
    reader: Reader, packs: PackReader, account_id: int, mailbox_id: int, uids: tuple[int, int]
) -> dict[int, StoredMessage]:
    """Find the messages of one mailbox from one UID to another, by UID; ask for few."""
    rows = reader.rows(_RUN, account_id, mailbox_id, *uids)
    return {row[0]: StoredMessage(packs, *row[1:]) for row in rows}


def wide_columns(
    reader: Reader, account_id: int, message_ids: Sequence[int], columns: Sequence[str]
) -> tuple[list[int], list[Column]]:
    """Read columns of wide rows; give the keys of those that are there, each once, and the columns."""
    assert _WIDE.issuperset(columns)
    sql = f"SELECT m.id, {', '.join(columns)} FROM message m WHERE m.account_id = ? AND m.id"  # noqa: S608
    rows = _rows_of(reader, sql, account_id, message_ids)
    if not rows:
        return [], [() for _ in columns]
    ids, *found = zip(*rows, strict=True)
    return list(ids), found


def keep_ancestors(tx: Transaction, account_id: int, ancestors: Mapping[int, str]) -> None:
    """Fill in whom messages answer, where that is not known."""
    tx.run_many(
        "UPDATE message SET ancestors = ? WHERE account_id = ? AND id = ? AND ancestors IS NULL",
        [(names, account_id, message_id) for message_id, names in ancestors.items()],
    )


def _rows_of(reader: Reader, sql: str, account_id: int, message_ids: Sequence[int]) -> list[Row]:
    """Run a question that ends with `m.id` for many messages."""
    if not message_ids:
        return []
    low, high = min(message_ids), max(message_ids)
    if high - low < 2 * len(message_ids):
        # What came one after the other stands side by side: one walk is twice as quick as many look-ups.
        rows = reader.rows(f"{sql} BETWEEN ? AND ? ORDER BY m.id", account_id, low, high)
        wanted = set(message_ids)
        return [row for row in rows if row[0] in wanted]
    found: list[Row] = []
    keys = list(dict.fromkeys(message_ids))
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        found += reader.rows(f"{sql} IN ({','.join('?' * len(some))})", account_id, *some)
    return found


class Place(NamedTuple):
    """Where shared bytes are, and what they hash to."""

    pack: int
    offset: int
    length: int
    digest: bytes


def open_shared(packs: PackReader, place: Place, prefix: bytes = b"") -> StoredMessage:
    """Open shared bytes that are in no mailbox: a message in the queue. It has no part tree."""
    return StoredMessage(packs, prefix, b"", *place)
