"""Letting old backups go, and the chunks that no other backup needs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from postroad.backup import manifest as manifests
from postroad.backup.errors import CannotPrune, Tampered, WrongKey
from postroad.backup.in_order import in_order
from postroad.backup.seal import Sealer
from postroad.backup.targets.target import Target


@dataclass(frozen=True, slots=True)
class Keep:
    """Which backups stay. The newest always does."""

    newest: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    def __bool__(self) -> bool:
        return bool(self.newest or self.daily or self.weekly or self.monthly)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed."""

    backups: tuple[str, ...]
    chunks: int
    octets: int


def kept(ids: Iterable[str], keep: Keep) -> set[str]:
    """Which of the backups stay; days, weeks and months are counted back from the newest, in UTC."""
    newest_first = sorted(ids, reverse=True)
    stay = set(newest_first[: max(1, keep.newest)])
    for count, form in ((keep.daily, "%Y-%m-%d"), (keep.weekly, "%G-%V"), (keep.monthly, "%Y-%m")):
        last_of: dict[str, str] = {}
        for one in newest_first:
            last_of.setdefault(f"{datetime.fromtimestamp(manifests.time_of(one), UTC):{form}}", one)
        stay.update(list(last_of.values())[:count])
    return stay


def prune(
    target: Target,
    sealer: Sealer,
    keep: Keep,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Pruned:
    """Remove backups, then the chunks that are left over; whoever calls holds `one_backup`.

    Killed in between, it leaves chunks that nobody needs; the next time takes them.

    Raises:
        CannotPrune: the manifest of one that stays cannot be read.
        TargetError
    """
    ids = manifests.backup_ids(target)
    stay = kept(ids, keep) if keep else set(ids)
    needed: set[str] = set()
    for backup_id in sorted(stay):
        try:
            needed.update(manifests.read(target, sealer, backup_id).chunks())
        except (Tampered, WrongKey) as error:
            raise CannotPrune(f"{error}: which chunks it needs is not known, so none is removed") from None
    gone = [one for one in ids if one not in stay]
    for backup_id in gone:
        target.delete(f"{manifests.BACKUPS}/{backup_id}")
    target.settle()
    left_over = {path: size for path, size in target.list(manifests.CHUNKS).items() if path not in needed}
    for done, _ in enumerate(in_order(target.delete, left_over), 1):
        progress(done, len(left_over))
    return Pruned(tuple(gone), len(left_over), sum(left_over.values()))
