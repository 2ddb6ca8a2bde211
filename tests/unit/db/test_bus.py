"""The bus: a hint finds its worker, also one that is busy."""

import os
from pathlib import Path

import pytest

from postroad.db.bus import Bus
from postroad.db.wanted import place_of


def test_many_topics_arrive_whole(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, None)
    wanted = [f"account:{number}" for number in range(2000)]
    for topic in wanted:
        ear.listen(topic)
    assert voice.send(wanted)
    assert ear.receive() == wanted
    ear.close()
    voice.close()


def test_what_found_no_room_is_owed(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    sent = 0
    ear.listen("account:0")
    while voice.send([f"account:{sent}"]):
        sent += 1
        ear.listen(f"account:{sent}")
    heard = set(ear.receive())
    assert voice.send(())
    assert heard | set(ear.receive()) == {f"account:{number}" for number in range(sent + 1)}
    ear.close()
    voice.close()


def test_without_descriptors_a_hint_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")

    def exhausted(_: int) -> list[str]:
        raise OSError(24, "Too many open files")

    ear.listen("account:1")
    with monkeypatch.context() as patch:
        patch.setattr("postroad.db.bus.os.listdir", exhausted)
        assert not voice.send(["account:1"])
    assert voice.send(())
    assert ear.receive() == ["account:1"]
    ear.close()
    voice.close()


def test_a_dead_worker_is_no_hindrance(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    ear.listen("account:1")
    ear._socket.close()  # as kill -9 leaves it: the name stays
    assert voice.send(["account:1"])
    voice.close()


def test_what_nobody_waits_for_wakes_nobody(tmp_path: Path) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    ear.listen("account:1")
    ear.listen("account:1")
    ear.ignore("account:1")
    assert voice.send(["account:1", "account:2"])
    assert ear.receive() == ["account:1"]
    ear.ignore("account:1")
    assert voice.send(["account:1"])
    assert ear.receive() == []
    ear.close()
    voice.close()


def test_topics_that_share_an_octet_are_counted(tmp_path: Path) -> None:
    places: dict[int, str] = {}
    one = other = ""
    for number in range(100_000):
        topic = f"account:{number}"
        if (one := places.setdefault(place_of(topic), topic)) != topic:
            other = topic
            break
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    ear.listen(one)
    ear.listen(other)
    ear.ignore(other)
    assert voice.send([one])
    assert ear.receive() == [one]
    ear.close()
    voice.close()


def test_who_comes_later_is_found_and_a_successor_waits_for_nothing_yet(tmp_path: Path) -> None:
    voice = Bus(tmp_path, "w1")
    assert voice.send(["account:1"])
    for _ in range(2):  # the second takes over what the first, killed, has left
        ear = Bus(tmp_path, "w0")
        assert voice.send(["account:1"])
        assert ear.receive() == []
        ear.listen("account:1")
        assert voice.send(["account:1"])
        assert ear.receive() == ["account:1"]
        ear._socket.close()
    voice.close()


def test_who_has_no_room_for_the_file_hears_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("postroad.db.wanted.os.posix_fallocate", full)
        ear = Bus(tmp_path, "w0")
    voice = Bus(tmp_path, None)
    assert voice.send(["account:1"])
    assert ear.receive() == ["account:1"]
    ear.close()
    voice.close()


def test_a_directory_that_has_settled_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ear, voice = Bus(tmp_path, "w0"), Bus(tmp_path, "w1")
    ear.listen("account:1")
    os.utime(tmp_path, (1, 1))
    assert voice.send(["account:1"])

    def again(_: int) -> list[str]:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr("postroad.db.bus.os.listdir", again)
        assert voice.send(["account:1"])
    later = Bus(tmp_path, "w2")
    later.listen("account:1")
    assert voice.send(["account:1"])
    assert later.receive() == ["account:1"]
    for bus in (ear, voice, later):
        bus.close()
