"""Who comes in, and who leaves to make room."""

from pathlib import Path

from postroad.config.limits import Limits
from postroad.policy.gate import Gate
from tests.unit.policy.world import Workers


class Door:
    """A gate for connections that are words, with those it dropped."""

    def __init__(self, workers: Workers, number: int = 0) -> None:
        self.dropped: list[str] = []
        self.gate: Gate[str] = Gate(workers.counts[number], workers.limits, self.dropped.append)
        self._next = number << 16

    def enter(self, name: str) -> str:
        self._next += 1
        refusal = self.gate.enter(name, f"10.1.{self._next >> 8}.{self._next & 255}")
        return refusal.limit if refusal else ""


def test_the_stranger_who_has_waited_longest_makes_room(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=20))
    door = Door(workers)
    for name in "abcd":
        assert door.enter(name) == ""
    door.gate.authenticated("a")
    assert door.enter("e") == ""
    assert door.dropped == []
    assert door.enter("f") == ""
    assert door.dropped == ["b"]
    assert door.enter("g") == ""
    assert door.dropped == ["b", "c"]
    assert len(door.gate) == 5
    workers.close()


def test_users_are_never_dropped(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=5))
    door = Door(workers)
    for name in "abcde":
        assert door.enter(name) == ""
        door.gate.authenticated(name)
    assert door.enter("f") == "connections"
    assert door.dropped == []
    workers.close()


def test_a_full_house_drops_a_stranger_for_the_next(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=5))
    door = Door(workers)
    for name in "abcd":
        door.enter(name)
        door.gate.authenticated(name)
    assert door.enter("e") == ""
    assert door.enter("f") == ""
    assert door.dropped == ["e"]
    workers.close()


def test_the_share_is_one_for_all_workers(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=20))
    one, two = Door(workers, 0), Door(workers, 1)
    for name in "abc":
        one.enter(name)
    two.enter("x")
    assert two.enter("y") == ""
    assert (one.dropped, two.dropped) == ([], ["x"])
    workers.close()


def test_the_newest_is_not_dropped_for_itself(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=20))
    one, two = Door(workers, 0), Door(workers, 1)
    for name in "abcd":
        one.enter(name)
    assert two.enter("x") == ""
    assert two.dropped == []
    workers.close()


def test_leaving_twice_counts_once(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    door = Door(workers)
    door.enter("a")
    door.gate.leave("a")
    door.gate.leave("a")
    door.gate.leave("never came")
    door.gate.authenticated("a")
    assert workers.counts[0].totals() == (0, 0)
    assert len(door.gate) == 0
    workers.close()


def test_one_address_is_held_to_its_share(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    door = Door(workers)
    answers = [door.gate.enter(f"c{n}", "192.0.2.1") for n in range(25)]
    assert [refusal.limit for refusal in answers if refusal] == ["unauthenticated_per_address"] * 5
    assert door.dropped == []
    workers.close()


def test_who_logs_out_waits_again(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=20))
    door = Door(workers)
    for name in "abcd":
        assert door.enter(name) == ""
        door.gate.authenticated(name)
    assert workers.counts[0].totals() == (4, 0)
    door.gate.logged_out("a")
    door.gate.logged_out("a")
    assert workers.counts[0].totals() == (4, 1)
    for name in "efgh":
        assert door.enter(name) == ""
    assert door.dropped == ["a"]
    door.gate.authenticated("e")
    assert workers.counts[0].totals() == (7, 3)
    workers.close()
