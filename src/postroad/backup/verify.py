"""Is a backup what it says? By restoring it on trial, or by looking at its chunks alone."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from postroad.backup.errors import Different, NoSuchObject, Tampered
from postroad.backup.fetch import Fetcher
from postroad.backup.in_order import in_order
from postroad.backup.manifest import CHUNKS, Manifest, Piece, chunk_path
from postroad.backup.restore import check_inventory, fetch_files, make_servable
from postroad.backup.seal import Sealer
from postroad.backup.targets.target import Target
from postroad.store.blobs.reader import PackReader
from postroad.store.check import check
from postroad.store.offline import open_offline
from postroad.store.store import PACKS

Progress = Callable[[int, int], None]


def verify_by_restoring(
    folder: Path, manifest: Manifest, fetcher: Fetcher, progress: Progress
) -> Iterator[str]:
    """Restore into an empty scratch folder, compare counts and digests, read every message; give problems."""
    try:
        fetch_files(folder, manifest, fetcher, progress)
        check_inventory(folder, manifest)
    except (Tampered, Different) as error:
        yield str(error)
        return
    make_servable(folder, hold_queue=True)
    with open_offline(folder) as database, closing(PackReader(folder / PACKS)) as packs:
        for problem in database.read(lambda reader: list(check(reader, packs))):
            yield problem.what


def verify_chunks(target: Target, sealer: Sealer, manifest: Manifest, progress: Progress) -> Iterator[str]:
    """See that every chunk is what was put there, without reading what is in it; give problems."""
    present = target.list(CHUNKS)
    wanted: dict[bytes, tuple[str, Piece]] = {}
    for file in manifest.files:
        for piece in file.pieces:
            wanted.setdefault(piece.name, (file.path, piece))
    look = partial(_look, target, sealer, present)
    for done, problem in enumerate(in_order(look, wanted.values()), 1):
        progress(done, len(wanted))
        if problem:
            yield problem


def _look(target: Target, sealer: Sealer, present: dict[str, int], place: tuple[str, Piece]) -> str:
    path, piece = place
    missing = f"{path}: chunk {piece.name.hex()} is missing"
    name = chunk_path(piece.name)
    if name not in present:
        return missing
    try:
        sealer.check(piece.name, target.get(name))
    except NoSuchObject:
        return missing
    except Tampered as error:
        return f"{path}: {error}"
    return ""
