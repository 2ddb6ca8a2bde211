"""The supervisor outlives what its workers and the system do to it."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from postroad.config.settings import Settings
from postroad.supervisor import BACKOFF_MOST, Supervisor, _Slot


def supervisor(data: Path) -> Supervisor:
    return Supervisor(Settings(hostname="mx.test", data=data), (), lambda *_: 0)


def test_a_worker_that_never_works_is_tried_for_ever(tmp_path: Path) -> None:
    one, slot = supervisor(tmp_path), _Slot(0, started=time.monotonic(), failures=5000)
    one._vacate(slot, 70)
    assert slot.retry_at >= slot.started + BACKOFF_MOST


def test_a_fork_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    one, slot = supervisor(tmp_path), _Slot(0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", no_room)
        one._start(slot)
    assert slot.pid == 0
    assert slot.retry_at > slot.started


def code_of(data: Path, run_worker: Callable[[int, int, int], int], told: int | None = None) -> int:
    """Run a supervisor in a process of its own until it ends; `told` it gets when a worker has begun."""
    begun, begins = os.pipe()

    def worker(index: int, ready: int, lifeline: int) -> int:
        os.write(begins, b"+")
        return run_worker(index, ready, lifeline)

    pid = os.fork()
    if not pid:
        code = 70
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a worker has no handler of pytest's
            code = Supervisor(Settings(hostname="mx.test", data=data, workers=2), (), worker).run()
        finally:
            os._exit(code)
    try:
        os.read(begun, 1)
        if told is not None:
            os.kill(pid, told)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(begun)
        os.close(begins)


def wait(*_: int) -> int:
    """A worker that takes its time."""
    time.sleep(60)
    return 0


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_stop_before_its_workers_are_ready_ends_well(tmp_path: Path, told: int) -> None:
    assert code_of(tmp_path, wait, told) == 0


def test_a_worker_that_ends_before_it_is_ready_ends_all(tmp_path: Path) -> None:
    assert code_of(tmp_path, lambda *_: 3) == 1
