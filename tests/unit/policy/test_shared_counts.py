"""Counts that all workers share."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroad.config.limits import Limits
from postroad.model.crowd import Crowd
from postroad.policy.counts_file import CountsFile, create
from postroad.policy.shared_counts import Refusal
from tests.unit.policy.world import Workers, admitted, opened

HOME = "192.0.2.1"


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(tmp_path)
    yield workers
    workers.close()


def refused(answer: object) -> str:
    """The limit that was named; nothing when there was room."""
    return answer.limit if isinstance(answer, Refusal) else ""


def test_strangers_of_one_address_are_counted_over_all_workers(workers: Workers) -> None:
    one, two = workers.counts
    held = [(counts, admitted(counts, HOME)) for counts in (one, two) * 10]
    assert refused(one.admit(HOME)) == refused(two.admit(HOME)) == "unauthenticated_per_address"
    assert refused(one.admit("192.0.2.2")) == ""
    counts, admission = held[0]
    counts.authenticated(admission)
    assert refused(two.admit(HOME)) == ""


def test_users_of_one_address_too(workers: Workers) -> None:
    one, two = workers.counts
    for counts in (one, two) * 25:
        counts.authenticated(admitted(counts, HOME))
    assert refused(one.admit(HOME)) == refused(two.admit(HOME)) == "connections_per_address"


def test_a_listener_may_want_more_or_fewer_of_one_address(workers: Workers) -> None:
    one, two = workers.counts
    for _ in range(20):
        admitted(one, HOME)
    assert refused(two.admit(HOME)) == "unauthenticated_per_address"
    assert refused(two.admit(HOME, Crowd(unauthenticated=22))) == ""
    assert refused(one.admit(HOME, Crowd(connections=21, unauthenticated=22))) == "connections_per_address"
    assert refused(one.admit(HOME, Crowd(rate=5))) == "connection_rate"
    assert refused(one.admit("192.0.2.2", Crowd(rate=5))) == ""


def test_recipients_of_a_domain_in_a_minute(workers: Workers) -> None:
    one, two = workers.counts
    named = [counts.names_too_many(HOME, "x.test", 5) for counts in (one, two) * 4]
    assert named == [False] * 5 + [True] * 3
    assert not one.names_too_many(HOME, "y.test", 5)
    assert not one.names_too_many("192.0.2.2", "x.test", 5)
    assert not one.names_too_many("127.0.0.1", "x.test", 0), "the machine itself is not counted"
    workers.clock.time += 120
    assert not one.names_too_many(HOME, "x.test", 5)


def test_a_released_connection_makes_room(workers: Workers) -> None:
    one, two = workers.counts
    for _ in range(60):
        admission = admitted(one, HOME)
        one.release(admission)
        one.release(admission)
        one.authenticated(admission)
    assert one.totals() == two.totals() == (0, 0)


def test_an_ipv6_network_is_one_address(workers: Workers) -> None:
    for n in range(20):
        admitted(workers.counts[n % 2], f"2001:db8::{n}")
    assert refused(workers.counts[0].admit("2001:db8:0:0:ffff::")) == "unauthenticated_per_address"
    assert refused(workers.counts[0].admit("2001:db8:0:1::")) == ""


def test_connections_in_a_minute(workers: Workers) -> None:
    one, two = workers.counts
    for n in range(120):
        counts = (one, two)[n % 2]
        counts.release(admitted(counts, HOME))
    assert refused(two.admit(HOME)) == "connection_rate"
    assert refused(two.admit("192.0.2.2")) == ""
    workers.clock.time += 20  # into the next minute of the clock, where the last one still counts
    assert refused(two.admit(HOME)) == "connection_rate"
    workers.clock.time += 60
    assert refused(two.admit(HOME)) == ""


def test_all_connections(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=4))
    one, two = workers.counts
    held = [admitted(one, f"192.0.2.{n}") for n in range(4)]
    assert refused(two.admit(HOME)) == "connections"
    assert two.totals() == (4, 4)
    one.release(held[0])
    assert refused(two.admit(HOME)) == ""
    workers.close()


def test_imap_sessions_of_an_account(tmp_path: Path) -> None:
    limits = Limits(imap_sessions_per_user=5, imap_sessions_per_user_address=3)
    workers = Workers(tmp_path, limits=limits)
    one, two = workers.counts
    held = [opened(counts, 7, HOME) for counts in (one, two, one)]
    assert refused(two.open_session(7, HOME)) == "imap_sessions_per_user_address"
    assert refused(two.open_session(8, HOME)) == ""
    opened(two, 7, "192.0.2.2")
    opened(one, 7, "192.0.2.3")
    assert refused(one.open_session(7, "192.0.2.4")) == "imap_sessions_per_user"
    one.close_session(held[0])
    one.close_session(held[0])
    assert refused(two.open_session(7, HOME)) == ""
    workers.close()


def test_unknown_recipients_in_a_day(workers: Workers) -> None:
    one, two = workers.counts
    for n in range(35):
        assert not two.harvests(HOME)
        (one, two)[n % 2].unknown_recipient(HOME)
    assert one.harvests(HOME)
    assert two.harvests(HOME)
    assert not one.harvests("192.0.2.2")
    workers.clock.time += 2 * 86400
    assert not one.harvests(HOME)


def test_a_restarted_worker_begins_anew(workers: Workers) -> None:
    one, two = workers.counts
    for _ in range(20):
        admitted(two, HOME)
    assert refused(one.admit(HOME)) == "unauthenticated_per_address"
    again = workers.start(1)
    assert refused(one.admit(HOME)) == ""
    assert again.totals() == (1, 1)
    again.close()


def test_a_dead_worker_does_not_count(workers: Workers, tmp_path: Path) -> None:
    """The other worker is another process, which is killed."""
    other = (
        "import sys; from pathlib import Path; from postroad.policy.counts_file import CountsFile\n"
        "file = CountsFile(Path(sys.argv[1]), 1); file.add_totals(3, 3)\n"
        "print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", other, str(tmp_path / "counts")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert workers.counts[0].totals() == (3, 3)
        process.kill()
        process.wait()
        workers.clock.time += 1
        assert workers.counts[0].totals() == (0, 0)


def test_a_worker_that_leaves_does_not_count(workers: Workers) -> None:
    one, two = workers.counts
    admission = admitted(two, HOME)
    assert one.totals() == (1, 1)
    two.close()
    workers.clock.time += 1
    assert one.totals() == (0, 0)
    two.release(admission)
    assert one.totals() == (0, 0)
    workers.counts.remove(two)


def test_nothing_is_handed_on_to_a_worker_that_is_about_to_leave(workers: Workers) -> None:
    """With each session that ends there it has fewer than the others; but nobody listens any more."""
    one, two = workers.counts
    admitted(two, HOME)
    assert one.open_by_worker() == {0: 0, 1: 1}
    two.leave()
    assert one.open_by_worker() == {0: 0}
    assert two.open_by_worker() == {0: 0, 1: 1}
    assert one.totals() == (1, 1)


def test_any_number_of_addresses_fits(workers: Workers, tmp_path: Path) -> None:
    """What does not fit the table counts in the totals alone; nothing is lost when it is released."""
    size = (tmp_path / "counts").stat().st_size
    one = workers.counts[0]
    held = [one.admit(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(9_000)]
    assert one.totals() == (9_000, 9_000)
    for admission in held:
        assert not isinstance(admission, Refusal)
        one.release(admission)
    assert one.totals() == (0, 0)
    assert (tmp_path / "counts").stat().st_size == size
    assert refused(one.admit("10.0.0.1")) == ""


def test_a_full_table_lets_in_and_out(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    create(path, 1)
    file = CountsFile(path, 0)
    file.look(0.0)
    digests = [16 * 1024 * n + 5 for n in range(1, 20)]
    assert [file.add(digest, 1, 1, 0.0) for digest in digests] == [True] * 16 + [False] * 3
    assert file.sums(digests[-1]) == (0, 0)
    file.count(digests[-1], 0.0, 60.0)
    assert file.rate(digests[-1], 0.0, 60.0) == 0
    file.add(digests[0], -1, -1, 1.0)
    assert file.add(digests[-1], 1, 1, 2.0)
    assert file.sums(digests[-1]) == (1, 1)
    assert file.sums(digests[1]) == (1, 1)
    file.close()


def test_the_file_is_private(tmp_path: Path) -> None:
    create(tmp_path / "counts", 2)
    assert (tmp_path / "counts").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["counts"]


def test_the_machine_itself_counts_in_all_only(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(connections=200))
    one, two = workers.counts
    for _ in range(200):
        admitted(one, "127.0.0.1")
    assert two.totals() == (200, 200)
    assert refused(two.admit("::1")) == "connections"
    for _ in range(60):
        opened(one, 7, "127.0.0.1")
        one.unknown_recipient("127.0.0.1")
    assert not one.harvests("127.0.0.1")
    workers.close()


def test_no_address_is_exempt_when_none_is_named(tmp_path: Path) -> None:
    workers = Workers(tmp_path, limits=Limits(uncounted_addresses=()))
    for _ in range(20):
        admitted(workers.counts[0], "127.0.0.1")
    assert refused(workers.counts[0].admit("127.0.0.1")) == "unauthenticated_per_address"
    workers.close()
