"""The supervisor outlives what its workers and the system do to it."""

import os
import time
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
