"""The bus: a hint finds its worker, also one that is busy."""

from pathlib import Path

import pytest

from postroad.db.bus import Bus


def test_many_topics_arrive_whole(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, None)
    wanted = [f"account:{number}" for number in range(2000)]
    assert voice.send(wanted)
    assert ear.receive() == wanted
    ear.close()
    voice.close()


def test_what_found_no_room_is_owed(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    sent = 0
    while voice.send([f"account:{sent}"]):
        sent += 1
    heard = set(ear.receive())
    assert voice.send(())
    assert heard | set(ear.receive()) == {f"account:{number}" for number in range(sent + 1)}
    ear.close()
    voice.close()


def test_without_descriptors_a_hint_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")

    def exhausted(_: int) -> list[str]:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("postroad.db.bus.os.listdir", exhausted)
        assert not voice.send(["account:1"])
    assert voice.send(())
    assert ear.receive() == ["account:1"]
    ear.close()
    voice.close()


def test_a_dead_worker_is_no_hindrance(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    ear._socket.close()  # as kill -9 leaves it: the name stays
    assert voice.send(["account:1"])
    voice.close()
