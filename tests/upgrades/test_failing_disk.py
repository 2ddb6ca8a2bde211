"""The Nth operation of a change of the schema fails: the schema is the old one or the new one (SAFETY A7)."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from postroad.db.migrate import LATEST
from postroad.db.upgrade import take_back, upgrade
from tests.faults.faulty_disk import SHORT, FaultyDisk, faulty_disk
from tests.upgrades.contents import Columns, columns, export_hash, problems, schema

MOST = 1000
REFUSED = (OSError, apsw.Error, SystemError)
"""The last is what apsw makes of a copy that fails twice, where a file system is written in Python."""
FAULTS = [errno.EIO, errno.ENOSPC, SHORT]


@pytest.fixture(scope="module")
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as disk:
        yield disk


def each_fault(disk: FaultyDisk, template: Path, known: Columns, way: str, step: int) -> int:
    """Let every `step`th operation fail, each in its own manner; give how many there are in all."""
    before, was = export_hash(template, known), schema(template)[0]
    wanted = LATEST if way == "up" else 1

    def change(data: Path) -> None:
        if way == "up":
            upgrade(data)
        else:
            take_back(data, 1)

    for fail_at in range(1, MOST, step):
        data = template.with_name("work")
        shutil.copytree(template, data)
        fault = FAULTS[fail_at // step % len(FAULTS)]
        disk.arm(fail_at, fault, for_good=fail_at // step % 2 == 0)
        try:
            change(data)
        except REFUSED:
            assert disk.failed, "refused for no reason"
        passed, count = disk.passed, disk.count
        disk.heal()
        assert schema(data)[0] in (was, wanted)
        assert export_hash(data, known) == before, f"operation {fail_at}"
        if schema(data)[0] != wanted:
            change(data)
        assert schema(data)[0] == wanted
        assert export_hash(data, known) == before, f"operation {fail_at}, and gone on"
        if wanted == LATEST:
            assert problems(data) == []
        shutil.rmtree(data)
        if passed:
            return count
    raise AssertionError("the change never comes to an end")


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_change_is_done_or_not(disk: FaultyDisk, schema_1: Path, way: str, step: int) -> None:
    known = columns(schema_1)
    if way == "down":
        upgrade(schema_1)
    count = each_fault(disk, schema_1, known, way, step)
    assert count > 20
    print(f"\n{way}: {count} operations, every {step} of them failed: the old schema or the new one")
