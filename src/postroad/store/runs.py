"""Ascending UIDs, written as runs: `1:3,9`."""

from collections.abc import Iterable


def runs_of(uids: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending UIDs as the first and last of each run without a gap."""
    runs: list[tuple[int, int]] = []
    for uid in uids:
        if runs and uid == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], uid)
        else:
            runs.append((uid, uid))
    return runs


def uid_text(uids: Iterable[int]) -> str:
    """`1:3,9` for ascending UIDs."""
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs_of(uids))
