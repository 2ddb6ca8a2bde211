"""What a postroad says to a data directory that is not of its schema, and leaves alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from postroad.db.connect import connect
from postroad.db.copies import copy_path
from postroad.db.migrate import LATEST
from postroad.db.offline import prepare_data
from postroad.prepare_start import Instance
from tests.faults.mounted import small_disk
from tests.interop.processes import run as run_program
from tests.unit.cli.conftest import Shell
from tests.upgrades.contents import contents, problems, schema


@pytest.fixture
def shell(schema_1: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell over the data directory of schema 1."""
    monkeypatch.setenv("POSTROAD_DATA", str(schema_1))
    monkeypatch.delenv("POSTROAD_CONFIG", raising=False)
    return Shell(schema_1, monkeypatch, capsys)


def postroad(*words: str) -> tuple[int, str]:
    """Run the program in a process of its own; gives its status and what it complains of."""
    done = subprocess.run(
        [sys.executable, "-m", "postroad.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def serve(data: Path) -> tuple[int, str]:
    """Start a server at ports that are free."""
    settings = data.with_name("postroad.toml")
    settings.write_text(
        f'data = "{data}"\n[log]\nlevel = "error"\n[[listener]]\nrole = "imap"\naddress = "127.0.0.1:0"\n'
    )
    return postroad("serve", "--config", str(settings))


def newer(data: Path) -> Path:
    """A data directory that a later postroad has upgraded."""
    prepare_data(data)
    with closing(connect(data, writable=True)) as connection:
        connection.pragma("user_version", LATEST + 1)
    return data


def test_an_older_postroad_leaves_a_newer_store_alone(tmp_path: Path) -> None:
    data = newer(tmp_path / "data")
    refusal = (
        78,
        f"postroad: the data directory has schema {LATEST + 1}, this postroad knows schemas up to {LATEST}: "
        "run the newer postroad again, or let it go back first with postroad store downgrade\n",
    )
    assert serve(data) == refusal
    assert postroad("account", "list", "--data", str(data)) == refusal
    assert postroad("store", "upgrade", "--data", str(data)) == refusal
    assert schema(data)[0] == LATEST + 1


def test_commands_upgrade_nothing_by_the_way(shell: Shell) -> None:
    before = contents(shell.data)
    ran = shell("account", "list")
    assert (ran.status, ran.out, ran.err) == (
        78,
        "",
        f"postroad: the data directory has schema 1, this postroad works with schema {LATEST}: "
        "starting the server with this postroad upgrades it, and so does postroad store upgrade\n",
    )
    assert schema(shell.data)[0] == 1
    assert contents(shell.data) == before


def test_nothing_changes_under_the_feet_of_an_older_server(shell: Shell) -> None:
    with Instance(shell.data):
        ran = shell("account", "list")
        assert (ran.status, ran.err) == (
            78,
            f"postroad: the data directory has schema 1, this postroad works with schema {LATEST}, "
            "and a server of an older postroad runs on it; "
            "restart it with this postroad, which upgrades it\n",
        )
        for command in (("store", "upgrade"), ("store", "downgrade", "--yes")):
            ran = shell(*command)
            assert ran.status == 1
            assert f"a server with process id {os.getpid()} already uses" in ran.err
    assert schema(shell.data)[0] == 1


def test_up_and_back_by_command(shell: Shell) -> None:
    said = shell("store", "upgrade")
    assert said.status == 0
    assert f"has schema {LATEST} now; before, it had 1." in said.out
    assert "index.db.schema-1 is the index as it was." in said.out
    assert f"has schema {LATEST} already" in shell.ok("store", "upgrade")
    shell.ok("account", "list")
    down = shell("store", "downgrade", "--to", "1", "--json")
    assert msgspec.json.decode(down.out) == {"schema": 1, "before": LATEST, "lost": {}}
    assert shell("store", "downgrade").err == (
        "postroad: the data directory has schema 1: there was none before it\n"
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that can hold an index, but not twice."""
    with small_disk(tmp_path / "disk", "9m") as folder:
        yield folder


def test_a_disk_that_is_too_small_is_seen_before_anything_is_done(schema_1: Path, disk: Path) -> None:
    run_program("cp", "-a", schema_1, disk)
    data = disk / "data"
    before = contents(data)
    status, said = serve(data)
    assert status == 1
    assert f"changing the schema of {data} takes " in said
    assert "nothing was changed; make room and start again" in said
    assert said.count("\n") == 1
    assert (schema(data)[0], contents(data)) == (1, before)
    assert not copy_path(data, 1).exists()
    run_program("mount", "-o", "remount,size=64m", disk)
    assert postroad("store", "upgrade", "-q", "--data", str(data))[0] == 0
    assert problems(data) == []
