"""The power goes: what was acknowledged before that is there, once (SAFETY: A2).

The disk is an ext4 that is shut down with everything unsynced dropped.

What counts is what was answered before the shutdown began. While it is under
way, fdatasync of Linux returns success for writes that it drops
(`test_disk_witness` shows that without postroad); no program on that machine
can know better, and a machine whose power is gone says nothing to anybody.
How many such answers there were, and how late, is printed.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import end, people
from tests.faults.crash import UNLIMITED, Crashes
from tests.faults.power import Disk, own_mounts
from tests.faults.server import Server
from tests.interop.certificates import Certificates


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of our own for the data directory."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk and cut its power")
    with own_mounts():
        disk = Disk(tmp_path / "data")
        disk.mount()
        try:
            yield disk
        finally:
            disk.unmount()


def cut_and_look(
    disk: Disk, certificates: Certificates, cuts: int, *, look_every: int, seed: int = 6
) -> None:
    """Cut the power so often, and read everything back."""
    server = Server(disk.folder.parent, certificates, more=UNLIMITED)
    people(disk.folder, "ada@ours.test", "bob@ours.test")
    server.start()
    try:
        crashes = Crashes(server, seed=seed)
        late: list[float] = []
        for number in range(1, cuts + 1):
            late += cut(disk, crashes, look=number % look_every == 0)
        crashes.look_at_all()
        changes = sum(changer.done for changer in crashes.changers)
        assert len(crashes.book.taken) > cuts * crashes.messages / 3, "the load was no load"
        print(
            f"\n{cuts} cuts, {len(crashes.book.taken)} messages acknowledged, {changes} changes, none lost;"
            f" {len(late)} answers were lost that came while the disk was going"
            f" (ms after that began: {', '.join(f'{seconds * 1000:.1f}' for seconds in late) or 'none'});"
            f" {crashes.restarts}"
        )
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    finally:
        end(server)


def cut(disk: Disk, crashes: Crashes, *, look: bool) -> list[float]:
    """Cut the power once under load; give how long after it answers came for messages that are not there."""
    began = crashes.cut(disk.cut)
    crashes.server.wait_until_gone()
    disk.unmount()
    disk.mend()
    disk.mount()
    crashes.restarts.start(crashes.server, "power cut")
    late = crashes.late(began)
    if look:
        crashes.look()
        assert "sound" in crashes.server.cli("store", "check")
    there = crashes.found()
    return [answered - began for name, answered in late.items() if name not in there]


def test_six_power_cuts(disk: Disk, certificates: Certificates) -> None:
    cut_and_look(disk, certificates, 6, look_every=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_fifty_power_cuts(disk: Disk, certificates: Certificates, seed: int) -> None:
    """A fifth of them each."""
    cut_and_look(disk, certificates, 10, look_every=2, seed=seed)
