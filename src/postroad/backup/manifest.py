"""What one backup consists of: files as lists of chunks, and the counts that a restore is held to."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from postroad.backup.errors import NoSuchBackup, Tampered, TargetError
from postroad.backup.seal import Sealer
from postroad.backup.targets.target import Target

BACKUPS: Final = "backups"
CHUNKS: Final = "chunks"
FORMAT: Final = 1


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A run of octets of a file, and the chunk that holds them."""

    name: bytes
    length: int
    stored: int
    """Octets of the chunk in the target."""
    mark: bytes = b""
    """Of a piece of a pack: a digest of which messages lie in it, so that it need not be read again."""


class File(msgspec.Struct, frozen=True, array_like=True):
    """One file of the data directory."""

    path: str
    pieces: tuple[Piece, ...]

    @property
    def length(self) -> int:
        """Octets of the whole file."""
        return sum(piece.length for piece in self.pieces)


class Inventory(msgspec.Struct, frozen=True):
    """What the index holds, counted and digested; two that are equal hold the same mail."""

    accounts: int
    mailboxes: int
    messages: int
    octets: int
    queued: int
    digest: bytes
    """Over every entry: account, mailbox, UID, flags, date and the message's own digest."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of one backup."""

    format: int = FORMAT
    id: str
    made: float
    """When the snapshot was taken: what was acknowledged before is in the backup."""
    finished: float
    server: str
    """A random name of the data directory, so that backups of two servers are told apart."""
    hostname: str
    version: str
    """The postroad that made it."""
    schema: int
    files: tuple[File, ...]
    inventory: Inventory
    damage: tuple[str, ...] = ()
    """What could not be read on the server, in sentences."""

    @property
    def octets(self) -> int:
        """What a restore writes."""
        return sum(file.length for file in self.files)

    def chunks(self) -> dict[str, int]:
        """Every chunk that it needs: its name in the target, its size there."""
        return {chunk_path(p.name): p.stored for file in self.files for p in file.pieces}


def new_id(now: float) -> str:
    """A name for a backup: its time to the millisecond, so that names ascend."""
    at = datetime.fromtimestamp(now, UTC)
    return f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}Z-{secrets.token_hex(2)}"


def time_of(backup_id: str) -> float:
    """When a backup was made, as its name has it."""
    at = datetime.strptime(backup_id.partition("-")[0], "%Y%m%dT%H%M%S%fZ")
    return at.replace(tzinfo=UTC).timestamp()


def chunk_path(name: bytes) -> str:
    """Where a chunk lies in the target; in 256 folders, for the sake of directories."""
    text = name.hex()
    return f"{CHUNKS}/{text[:2]}/{text}"


def backup_ids(target: Target) -> list[str]:
    """The backups that the target holds, the oldest first; what has no such name is none."""
    found = []
    for path in target.list(BACKUPS):
        name = path.rpartition("/")[2]
        try:
            time_of(name)
        except ValueError:
            continue
        found.append(name)
    return sorted(found)


def write(target: Target, sealer: Sealer, manifest: Manifest) -> int:
    """Put a manifest: from here on there is a backup. Gives its octets in the target."""
    sealed = sealer.seal_manifest(manifest.id, msgspec.msgpack.encode(manifest))
    target.put(f"{BACKUPS}/{manifest.id}", sealed)
    target.settle()
    return len(sealed)


def read(target: Target, sealer: Sealer, backup_id: str) -> Manifest:
    """Fetch a manifest.

    Raises:
        Tampered, WrongKey, TargetError
    """
    octets = sealer.open_manifest(backup_id, target.get(f"{BACKUPS}/{backup_id}"))
    try:
        manifest = msgspec.msgpack.decode(octets, type=Manifest)
    except msgspec.DecodeError:
        raise TargetError(f"backup {backup_id} is of a later postroad; use that one") from None
    if manifest.format != FORMAT:
        raise TargetError(f"backup {backup_id} has format {manifest.format}, this postroad knows {FORMAT}")
    if manifest.id != backup_id:
        raise Tampered(f"backup {backup_id} says that it is {manifest.id}")
    return manifest


def choose(ids: Iterable[str], *, wanted: str = "", at: float | None = None) -> str:
    """The backup that is called `wanted` (a beginning will do), else the newest not after `at`.

    Raises:
        NoSuchBackup
    """
    ids = sorted(ids)
    if not ids:
        raise NoSuchBackup("there is no backup there yet; make one with postroad backup create")
    if wanted:
        found = [one for one in ids if one.startswith(wanted)]
        if len(found) != 1:
            what = "several backups begin" if found else "no backup begins"
            raise NoSuchBackup(f"{what} with {wanted}; see postroad backup list")
        return found[0]
    before = [one for one in ids if at is None or time_of(one) <= at]
    if not before:
        raise NoSuchBackup(f"the oldest backup, {ids[0]}, was made after that time")
    return before[-1]
