"""The records of all packs, group by group, and which groups are to be believed (ADR 3)."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from postroad.store.blobs.group_line import Group
from postroad.store.blobs.pack import pack_ids, pack_path
from postroad.store.blobs.record import Record, scan

_MAIL: Final = frozenset({"blob", "file", "queue"})
_Lines: TypeAlias = list[tuple[Record, bool]]


@dataclass(slots=True)
class Part:
    """What one group commit left in one pack."""

    pack: int
    records: list[Record] = field(default_factory=list)
    group: Group | None = None
    """None for a rest that no line closes, and for what was written before there were groups."""
    sure: bool = True
    """False when something among the records makes no sense, or when nothing closes them."""

    @property
    def number(self) -> int:
        """Of the group; a rest is later than all that is closed."""
        return self.group.number if self.group is not None else 0

    def believed(self) -> Iterator[Record]:
        """The records that may be acted upon: of a doubtful part what is mail, nothing that removes any."""
        for record in self.records:
            if self.sure or record.kind in _MAIL:
                yield record


@dataclass(slots=True)
class Parts:
    """All packs of a store."""

    parts: list[Part] = field(default_factory=list)
    tails: dict[int, int] = field(default_factory=dict)
    """Where the last record of each pack ends."""
    last: Group = field(default_factory=lambda: Group(0, "", ""))
    """The latest group that is believed."""


def read_parts(folder: Path) -> Parts:
    """Read every pack from its first line to its last.

    Of two attempts at one number that one stays which is known to have been
    committed, else the later one.
    """
    found = Parts()
    lines = {pack: list(_lines(pack_path(folder, pack))) for pack in pack_ids(folder)}
    known = {one.id for pack in lines.values() for one in _sound_groups(pack)}
    committed: set[str] = set()
    for pack, records in lines.items():
        committed |= _split(found.parts, pack, records, known)
        found.tails[pack] = records[-1][0].end if records else 0
    groups = [part.group for part in found.parts if part.group is not None]
    committed |= {group.after for group in groups}
    chosen: dict[int, Group] = {}
    for group in groups:
        if group.number not in chosen or chosen[group.number].id not in committed:
            chosen[group.number] = group
    found.parts = [
        part for part in found.parts if part.group is None or chosen[part.number].id == part.group.id
    ]
    if chosen:
        found.last = chosen[max(chosen)]
    return found


def _lines(path: Path) -> Iterator[tuple[Record, bool]]:
    """Each record, and whether something that makes no sense stands before it."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pack:
        end = 0
        for record in scan(pack):
            # Zeros are lines that were not synced before a power cut: a loss, but no lie.
            yield record, bool(pack[end : record.at].strip(b"\0"))
            end = record.end


def _sound_groups(lines: _Lines) -> Iterator[Group]:
    """The groups of a pack before its first damage."""
    for record, damage in lines:
        if damage:
            return
        if record.kind == "group":
            yield Group.of(record)


def _split(parts: list[Part], pack: int, lines: _Lines, known: set[str]) -> set[str]:
    """Cut a pack where groups end; give the ids that a `commit` line speaks for."""
    committed: set[str] = set()
    has_groups = bool(lines) and lines[0][0].kind == "pack"
    part = Part(pack)
    for record, damage in lines:
        part.sure = part.sure and not damage
        if record.kind == "group":
            group = Group.of(record)
            if part.sure or group.after in known:  # else it may be the octets of a message
                part.group = group
                parts.append(part)
                part = Part(pack)
        elif record.kind != "commit":
            part.records.append(record)
        elif part.sure and not part.records:
            committed.add(Group.of(record).id)
    if part.records:
        part.sure = part.sure and not has_groups
        parts.append(part)
    return committed
