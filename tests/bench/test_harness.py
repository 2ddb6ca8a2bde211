"""The benchmark itself: that it runs against the real servers, and that its meters tell the truth."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.mail import RARE, message
from bench.pairs import Row
from bench.replies import Codes, Okays, Reply, Retrieved, Tagged, Unexpected, Untagged
from bench.sample import Sample, Target, Unit, Work
from bench.tree import Tree
from bench.work.idle import growth

# Burns CPU time in a child of a child that ends before it is asked about.
BURN = """
import os, time
def burn():
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
if not (middle := os.fork()):
    if not (last := os.fork()):
        burn()
        os._exit(0)
    os.waitpid(last, 0)
    os._exit(0)
os.waitpid(middle, 0)
print("burnt", flush=True)
input()
"""


def whole(reply: Reply, wire: bytes) -> list[int]:
    """After which octets it is whole, for every place where the network may cut once."""
    ends = []
    for cut in range(1, len(wire)):
        fresh = type(reply).__new__(type(reply))
        fresh.__dict__.update(reply.__dict__)
        ends.append(cut if fresh.feed(wire[:cut]) else len(wire) if fresh.feed(wire[cut:]) else -1)
    return ends


@pytest.mark.skipif(os.geteuid() != 0, reason="Postfix and Dovecot change users and need port 25")
def test_it_runs_against_the_real_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "performance.md"
    page.write_text("Before.\n<!-- measured by make bench-peers -->\n<!-- end -->\nAfter.\n")
    only = [
        f"--only={name}"
        for name in ("smtp-10", "relay", "login-tls", "fetch-flags", "store", "pop3", "memory")
    ]
    assert main([*only, "--pairs=1", "--scale=0.01", f"--write={page}"]) == 0
    table = page.read_text()
    assert table.startswith("Before.")
    assert table.endswith("After.\n")
    for title in (
        "SMTP in, 10 KiB, 10 sessions",
        "relay: in",
        "STORE of one flag",
        "POP3, 1,000 messages one by one",
    ):
        assert f"| {title}" in table
    assert "maildir" in table
    assert page.with_suffix(".json").exists()
    assert "STORE of one flag" in capsys.readouterr().out


@pytest.mark.parametrize("grouped", [True, False])
def test_cpu_time_of_processes_that_have_ended_counts(grouped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not grouped:
        monkeypatch.setattr("bench.tree._group", lambda _: None)  # as without root
    tree = Tree("test")
    process = subprocess.Popen(
        [*tree.wrapper, sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    tree.started(process.pid)
    assert process.stdout is not None
    assert process.stdout.readline() == b"burnt\n"
    used, memory, pids = tree.cpu(), tree.memory(), tree.pids()
    process.communicate(b"\n")
    tree.remove()
    assert 0.25 < used < 1.0  # it burns 0.3 s, and is counted in ticks of 10 ms
    assert 1 << 20 < memory < 1 << 27
    assert pids == [process.pid]


@pytest.mark.parametrize(
    ("reply", "wire"),
    [
        (Codes(b"250", b"354"), b"250-one\r\n250 two\r\n354 go on\r\n"),
        (Tagged(b"t", b" FETCH (", 2), b"* 1 FETCH (FLAGS ())\r\n* 2 FETCH (FLAGS ())\r\nt OK done\r\n"),
        (Untagged(rb"\* 7 EXISTS\r\n"), b"* 1 RECENT\r\n* 7 EXISTS\r\n"),
        (Okays(2), b"+OK one\r\n+OK two\r\n"),
        (Retrieved(2), b"+OK\r\na\r\n.\r\n+OK\r\nb\r\n.\r\n"),
    ],
)
def test_a_reply_is_whole_at_its_end_wherever_it_is_cut(reply: Reply, wire: bytes) -> None:
    assert set(whole(reply, wire)) == {len(wire)}


@pytest.mark.parametrize(
    ("reply", "wire"),
    [
        (Codes(b"250"), b"451 4.3.0 later\r\n"),
        (Tagged(b"t"), b"t NO not now\r\n"),
        (Tagged(b"t", b" FETCH (", 2), b"* 1 FETCH (FLAGS ())\r\nt OK done\r\n"),
        (Okays(), b"-ERR no\r\n"),
        (Retrieved(), b"-ERR no such message\r\n"),
    ],
)
def test_a_wrong_reply_ends_the_run(reply: Reply, wire: bytes) -> None:
    with pytest.raises(Unexpected):
        reply.feed(wire)


def test_messages_have_their_size_and_some_a_rare_word() -> None:
    made = [message(number, 10_240) for number in range(200)]
    assert {len(octets) for octets in made} == {10_240}
    assert sum(RARE in octets for octets in made) == 2
    assert len(set(made)) == 200


def row(unit: Unit, ours: float, theirs: float, must: Target) -> Row:
    work = Work("w", "work", unit, must, must, lambda _side, _scale: Sample())
    return Row(
        work, {"ours": [Sample(1, 1, 0.001, value=ours)], "mdbox": [Sample(1, 1, 0.004, value=theirs)]}
    )


def test_a_ratio_above_one_means_that_ours_is_better() -> None:
    assert row(Unit.MESSAGES, 300, 100, Target()).ratio("mdbox") == 3
    assert row(Unit.MILLISECONDS, 100, 300, Target()).ratio("mdbox") == 3


def test_a_target_is_reached_by_all_that_it_asks_for() -> None:
    assert row(Unit.MESSAGES, 300, 100, Target(times=3, cpu_ms=1)).reaches(Target(times=3, cpu_ms=1))
    assert not row(Unit.MESSAGES, 300, 100, Target()).reaches(Target(times=3.1))
    assert not row(Unit.MESSAGES, 300, 100, Target()).reaches(Target(times=3, cpu_ms=0.9))
    assert not row(Unit.KIBIBYTES, 40, 500, Target()).reaches(Target(most=32))


def test_where_mox_was_the_best_it_is_what_counts() -> None:
    made = row(Unit.LOGINS, 400, 100, Target())
    made.work = dataclasses.replace(made.work, mox=243)
    assert made.reaches(Target(times=3))
    made.work = dataclasses.replace(made.work, judged_by_mox=True)
    assert not made.reaches(Target(times=3))


def test_sessions_that_cost_less_than_was_given_back_have_a_figure_still() -> None:
    assert growth(5 << 20, 7 << 20) == 2 << 20
    same, less = growth(5 << 20, 5 << 20), growth(5 << 20, 4 << 20)
    assert row(Unit.KIBIBYTES, same / 30 / 1024, 500, Target()).ratio("mdbox") > 1
    assert same == less


def test_not_as_root_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main([]) == 77
    assert "run this as root" in capsys.readouterr().err
