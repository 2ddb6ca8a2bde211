"""Letting backups go: which stay, that what stays is whole, and that doubt removes nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.backup import manifest as manifests
from postroad.backup.errors import CannotPrune
from postroad.backup.prune import Keep, kept, prune
from tests.unit.backup.vault import Vault, letter

START = datetime(2026, 1, 1, 3, tzinfo=UTC)
DAILY = [manifests.new_id((START + timedelta(days=n)).timestamp()) for n in range(400)]


def days(ids: set[str]) -> list[int]:
    return sorted(DAILY.index(one) for one in ids)


def test_the_newest_stay() -> None:
    assert days(kept(DAILY, Keep(newest=3))) == [397, 398, 399]


def test_days_weeks_and_months_keep_their_last() -> None:
    twice = DAILY + [manifests.new_id(manifests.time_of(one) + 3600) for one in DAILY]
    stay = kept(twice, Keep(daily=2))
    assert len(stay) == 2
    assert not stay & set(DAILY)
    assert len(kept(DAILY, Keep(weekly=5))) == 5
    months = [datetime.fromtimestamp(manifests.time_of(one), UTC) for one in kept(DAILY, Keep(monthly=12))]
    assert len(months) == 12
    assert all((month + timedelta(days=1)).day == 1 for month in sorted(months)[:-1])


@given(
    st.sets(st.integers(0, 399), min_size=1),
    st.builds(Keep, *(st.integers(0, 20) for _ in range(4))),
)
def test_the_newest_always_stays_and_nothing_is_made_up(numbers: set[int], keep: Keep) -> None:
    ids = [DAILY[number] for number in numbers]
    stay = kept(ids, keep)
    assert max(ids) in stay
    assert stay <= set(ids)
    assert len(stay) >= min(len(ids), keep.newest)


def test_chunks_of_no_backup_are_removed_and_those_of_others_stay(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 50_000) for n in range(20)))
    vault.create()
    first = set(vault.chunks())
    vault.desk.put("INBOX", *(letter(n, 50_000) for n in range(20, 40)))
    vault.create()
    pruned = prune(vault.target, vault.sealer, Keep(newest=1))
    assert len(pruned.backups) == 1
    assert pruned.chunks == len(first - set(vault.chunks())) > 0
    assert vault.verify() == []


def test_what_an_interrupted_backup_left_is_removed(vault: Vault) -> None:
    vault.create()
    vault.target.put("chunks/ab/" + "ab" * 32, b"nobody's")
    assert prune(vault.target, vault.sealer, Keep()).chunks == 1
    assert vault.look() == []


def test_a_manifest_that_cannot_be_read_keeps_everything(vault: Vault) -> None:
    first = vault.create().manifest.id
    vault.desk.put("INBOX", letter(1))
    vault.create()
    (vault.folder / "target" / "backups" / first).write_bytes(b"rotten")
    before = list(vault.chunks())
    with pytest.raises(CannotPrune, match=first):
        prune(vault.target, vault.sealer, Keep(newest=2))
    assert list(vault.chunks()) == before
    assert len(manifests.backup_ids(vault.target)) == 2
